"""The chart rendered by Helm, as plain values to look at."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from tests.deploy.generated import CHART
from tests.deploy.tools import path_of

RELEASE, NAMESPACE = "rel", "apps"
KUBERNETES = ("1.27", "1.30")
"""The oldest release that the chart is for, and the newest that the validator knows."""
CASES = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))

Resource: TypeAlias = dict[str, Any]
POD_KINDS = ("Deployment", "StatefulSet", "Job", "Pod")


class Refused(Exception):
    """What Helm said when it would not render."""


def helm(*words: str) -> str:
    done = subprocess.run(
        [str(path_of("helm")), *words], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


def template(
    values: Sequence[Path], *words: str, release: str = RELEASE, chart: Path = CHART
) -> str:
    files = [word for path in values for word in ("--values", str(path))]
    return helm(
        *("template", release, str(chart), "--namespace", NAMESPACE),
        *("--kube-version", KUBERNETES[-1], *files, *words),
    )


def case(name: str) -> Path:
    return CHART / "ci" / f"{name}.yaml"


def resources(text: str) -> list[Resource]:
    """Every document that is not empty."""
    found = (msgspec.yaml.decode(part) for part in re.split(r"(?m)^---\s*$", text))
    return [one for one in found if one]


@cache
def rendered(name: str) -> list[Resource]:
    """What a release with the values of ``ci/NAME.yaml`` is made of. Rendered once: not to be changed."""
    return resources(template([case(name)]))


def values_file(folder: Path, values: Mapping[str, Any]) -> Path:
    path = folder / "values.yaml"
    path.write_text(json.dumps(values))  # JSON is YAML
    return path


def named(found: Sequence[Resource], kind: str, ending: str = "") -> Resource:
    """The one resource of a kind whose name ends so."""
    [one] = [
        one for one in found if one["kind"] == kind and one["metadata"]["name"].endswith(ending)
    ]
    return one


def pods(found: Sequence[Resource]) -> Iterator[tuple[Resource, Resource]]:
    """Whatever makes pods, and the pod: its metadata and spec."""
    for one in found:
        if one["kind"] in POD_KINDS:
            yield one, one if one["kind"] == "Pod" else one["spec"]["template"]


def containers(pod: Resource) -> list[Resource]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def environment(container: Resource, fields: Mapping[str, str]) -> dict[str, str]:
    """Variables as the kubelet would set them; of Secrets, the key's name."""
    found = dict[str, str]()
    for one in container.get("env", ()):
        source = one.get("valueFrom", {})
        if "fieldRef" in source:
            value = fields[source["fieldRef"]["fieldPath"]]
        elif "secretKeyRef" in source:
            value = source["secretKeyRef"]["key"]
        else:
            value = str(one["value"])
        found[one["name"]] = re.sub(r"\$\(([A-Za-z_]+)\)", lambda m: found.get(m[1], m[0]), value)
    return found
