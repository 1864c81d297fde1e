"""The page about Kubernetes: its values install, and what it says of rights and ports is what is rendered."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from tests.deploy.generated import CHART
from tests.deploy.rendering import named, rendered, resources, template, values_file

pytestmark = pytest.mark.deploy

PAGE = (Path(__file__).parents[2] / "docs" / "kubernetes.md").read_text()
VALUES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", VALUES, ids=["login", "strimzi"])
def test_its_values_can_be_installed(text: str, tmp_path: Path) -> None:
    values = values_file(tmp_path, msgspec.yaml.decode(text))

    found = resources(template([values]))

    assert named(found, "StatefulSet")
    assert named(found, "Job")


def test_the_rights_that_it_lists_are_those_of_the_user() -> None:
    rows = dict(re.findall(r"^\| (topics|groups|transactional IDs|the cluster)\b[^|]*\| ([\w, ]+?) (?:\(.*)?\|$", PAGE, re.MULTILINE))  # fmt: skip
    words = {"topic": "topics", "group": "groups", "transactionalId": "transactional IDs", "cluster": "the cluster"}  # fmt: skip

    acls = named(rendered("strimzi"), "KafkaUser")["spec"]["authorization"]["acls"]

    assert len(acls) == len(rows) == 4
    for acl in acls:
        assert set(rows[words[acl["resource"]["type"]]].split(", ")) == set(acl["operations"])


def test_every_value_that_it_names_is_there() -> None:
    """`processors.keda` and the like."""
    values = msgspec.yaml.decode((CHART / "values.yaml").read_text())
    names = re.findall(r"`((?:processors|workers|gateway|metrics|networkPolicy|strimzi|topology|kafka|tests)\.[\w.]+)", PAGE)  # fmt: skip

    assert len(names) > 10
    for name in names:
        found = values
        for part in name.split("."):
            assert part in found, name
            found = found[part]
