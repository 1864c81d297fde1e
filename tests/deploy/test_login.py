"""The gateway's login: the file that is mounted is one that the code reads, with secrets that come as variables."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from streamflow.gateway.access.settings import load_access
from tests.deploy.rendering import (
    case,
    containers,
    named,
    rendered,
    resources,
    template,
    values_file,
)

pytestmark = pytest.mark.deploy

PAGE = (Path(__file__).parents[2] / "docs" / "kubernetes.md").read_text()
SECRETS = {"OIDC_SECRET": "s" * 40, "SESSION_SECRET": "s" * 40}


def test_the_file_is_mounted_where_the_gateway_is_told_that_it_is(tmp_path: Path) -> None:
    found = rendered("production")
    pod = named(found, "Deployment", "-gateway")["spec"]["template"]
    [container] = containers(pod)

    [mount] = [one for one in container["volumeMounts"] if one["name"] == "access"]
    [volume] = [one for one in pod["spec"]["volumes"] if one["name"] == "access"]
    data = named(found, "ConfigMap", "-access")["data"]

    assert volume["configMap"]["name"] == named(found, "ConfigMap", "-access")["metadata"]["name"]
    [file] = data
    place = container["args"].index("--access") + 1
    assert container["args"][place] == f"{mount['mountPath']}/{file}"
    assert {"secretRef": {"name": "shop-login"}} in container["envFrom"]
    assert "--insecure" not in container["args"]
    path = tmp_path / file
    path.write_text(data[file])
    assert load_access(path, SECRETS) is not None


def test_the_pages_example_is_one_that_the_code_reads(tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    path = tmp_path / "access.toml"
    path.write_text(msgspec.yaml.decode(text)["gateway"]["access"])

    assert load_access(path, SECRETS) is not None


def test_a_changed_file_restarts_the_gateway_alone(tmp_path: Path) -> None:
    def annotations(access: str) -> dict[str, dict[str, str]]:
        values = values_file(tmp_path, {"gateway": {"access": access}})
        found = resources(template([case("production"), values]))
        return {
            part: named(found, "Deployment", part)["spec"]["template"]["metadata"]["annotations"]
            for part in ("-gateway", "-worker")
        }

    one, other = annotations("# one"), annotations("# other")

    assert one["-gateway"] != other["-gateway"]
    assert one["-worker"] == other["-worker"]
