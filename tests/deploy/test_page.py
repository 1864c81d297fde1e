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
    rows = re.findall(
        r"^\| ([^|]+) \| ((?:(?:Read|Write|Describe\w*)(?:, )?)+)", PAGE, re.MULTILINE
    )
    listed = sorted(
        (sorted(re.findall(r"`([^`]+)`", what)), sorted(operations.split(", ")))
        for what, operations in rows
    )

    acls = named(rendered("strimzi"), "KafkaUser")["spec"]["authorization"]["acls"]

    together = dict[tuple[str, ...], list[str]]()
    for acl in acls:
        name = acl["resource"].get("name", "").replace("shop.", "NAMESPACE.*")
        operations = tuple(sorted(acl["operations"]))
        kind = acl["resource"]["type"] if name.startswith("NAMESPACE") else ""
        together.setdefault((kind, *operations), []).extend([name] if name else [])
    assert listed == sorted((sorted(names), list(key[1:])) for key, names in together.items())


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
