"""The image and the compose file, as far as they can be looked at without an engine."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cyclopts import CycloptsError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.generated import CHART
from tests.deploy.tools import path_of

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = sorted(PROJECT["optional-dependencies"].keys() - {"dev"})


def _instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile: each with its arguments, on one line."""
    text = re.sub(r"(?m)^ *#.*\n", "", (DOCKER / "Dockerfile").read_text())
    lines = text.replace("\\\n", " ").splitlines()
    return [
        (word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines) if word
    ]


# -- the image --------------------------------------------------------------------------------------------------------


def test_what_is_copied_into_the_build_is_there_and_not_ignored() -> None:
    lines = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    for word, rest in _instructions():
        if word == "COPY" and "--from" not in rest:
            for source in shlex.split(rest)[:-1]:
                assert (ROOT / source).exists(), source
                assert source in sent, source


def test_the_image_runs_without_root_as_the_chart_says() -> None:
    """By number: a name is nothing that Kubernetes could hold against `runAsNonRoot`."""
    security = msgspec.yaml.decode((CHART / "values.yaml").read_text())["podSecurityContext"]
    said = dict(_instructions())

    assert said["USER"] == f"{security['runAsUser']}:{security['runAsGroup']}"
    assert said["VOLUME"] == "/state"
    assert said["ENTRYPOINT"] == '["streamflow"]'


def _packages(*words: str) -> set[str]:
    command = [sys.executable, str(DOCKER / "runtime_requirements.py"), "requirements.lock", "pyproject.toml"]  # fmt: skip
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return {canonicalize_name(name) for name in re.findall(r"(?m)^([A-Za-z0-9._-]+)==", done.stdout)}  # fmt: skip


def _closure(asked: list[str]) -> set[str]:
    """What these requirements come to, by what is installed here."""
    found = set[str]()
    waiting = [Requirement(one) for one in asked]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        found.add(name)
        try:
            inner = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            continue
        for need in inner:
            extras = {"", *one.extras}
            holds = need.marker is None or any(need.marker.evaluate({"extra": e}) for e in extras)
            if holds and canonicalize_name(need.name) not in found:
                waiting.append(need)
    return found


def test_the_image_has_what_the_package_needs_and_nothing_of_the_tests() -> None:
    wanted = PROJECT["dependencies"] + [
        one for extra in EXTRAS for one in PROJECT["optional-dependencies"][extra]
    ]

    packages = _packages(*EXTRAS)

    assert packages >= _closure(wanted)
    assert not packages & {"pytest", "mypy", "playwright", "pre-commit"}
    [build] = [rest for word, rest in _instructions() if word == "RUN" and ">runtime.lock" in rest]
    extras = re.findall(r"pyproject\.toml ([\w ]+) +>runtime\.lock", build)[0].split()
    assert sorted(extras) == EXTRAS


def test_a_package_that_is_not_in_the_lock_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "structlog==1.0 \\\n    --hash=sha256:00\n    # via streamflow (pyproject.toml)\n"
    )
    done = subprocess.run(
        [sys.executable, str(DOCKER / "runtime_requirements.py"), str(lock), str(ROOT / "pyproject.toml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "confluent-kafka" in done.stderr
    assert "make lock" in done.stderr


# -- compose ----------------------------------------------------------------------------------------------------------


def _compose() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.yaml.decode((ROOT / "docker-compose.yml").read_text())
    return found


@pytest.mark.deploy
def test_compose_takes_its_file(tmp_path: Path) -> None:
    """The library of Docker's own plugin reads it, and would not read a wrong key."""
    compose = str(path_of("compose"))
    path = ROOT / "docker-compose.yml"
    good = subprocess.run([compose, str(path)], cwd=ROOT, capture_output=True, text=True, check=False)  # fmt: skip
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(path.read_text().replace("healthcheck:", "health:"))
    bad = subprocess.run([compose, str(wrong)], cwd=tmp_path, capture_output=True, text=True, check=False)  # fmt: skip

    assert good.returncode == 0, good.stderr
    assert bad.returncode != 0


def test_every_service_runs_a_command_that_there_is() -> None:
    """With options that it has: the commands are parsed, and not run."""
    from streamflow.cli.commands import app

    commands = [
        one["command"] for one in _compose()["services"].values()
        if "command" in one and "entrypoint" not in one
    ]  # fmt: skip

    assert [command[0] for command in commands] == ["topology", "worker", "gateway"]
    for command in commands:
        app.parse_args(command, exit_on_error=False, print_error=False)


def test_an_option_that_there_is_not_would_be_noticed() -> None:
    from streamflow.cli.commands import app

    with pytest.raises(CycloptsError):
        app.parse_args(["worker", "a:b", "--wealth-address", "x"], exit_on_error=False, print_error=False)  # fmt: skip


def test_the_brokers_settings_are_properties_that_it_knows() -> None:
    """As the image has it: KAFKA_, upper case, dots as underscores. The broker itself says in other tests that it knows these."""
    known = {
        "node.id", "process.roles", "controller.quorum.voters", "controller.listener.names",
        "inter.broker.listener.name", "listeners", "advertised.listeners",
        "listener.security.protocol.map", "log.dirs", "auto.create.topics.enable",
        "default.replication.factor", "min.insync.replicas", "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor", "transaction.state.log.min.isr",
        "share.coordinator.state.topic.replication.factor", "share.coordinator.state.topic.min.isr",
        "group.initial.rebalance.delay.ms",
    }  # fmt: skip
    variables = _compose()["services"]["kafka"]["environment"]

    names = {name.removeprefix("KAFKA_").lower().replace("_", ".") for name in variables}

    assert names <= known
    # One variable replaces the image's whole file, so what a KRaft broker cannot do without is there.
    assert names >= {
        "node.id", "process.roles", "controller.quorum.voters", "controller.listener.names",
        "listeners", "advertised.listeners", "listener.security.protocol.map",
    }  # fmt: skip
