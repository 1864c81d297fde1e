"""The pages about commands, the HTTP API and testing say what is there, and their examples run."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cyclopts import App

from streamflow import envconfig, exceptions, service
from streamflow.checking import CODES
from streamflow.cli.commands import app
from streamflow.cli.shared.exits import ExitCode
from streamflow.client import errors as client_errors
from streamflow.client.errors import STATUS_OF_REASON
from streamflow.client.http import api_v1
from streamflow.gateway.routes import ROUTES

DOCS = Path(__file__).resolve().parents[3] / "docs"
EXAMPLES = [
    pytest.param(example, id=f"{page}-{number}")
    for page in ("testing", "concepts", "coming-from-celery")
    for number, example in enumerate(
        re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL), 1
    )
]


def test_every_command_and_exit_code_is_documented() -> None:
    """A row for each."""
    text = (DOCS / "cli.md").read_text()
    names = list(_commands(app))

    for name in names:
        assert re.search(rf"^\| `streamflow {name}\b", text, re.MULTILINE), name
    for code in ExitCode:
        assert f"\n| {code.value} |" in text


def _commands(group: App, above: str = "") -> Iterator[str]:
    """The commands of a group and of those below it; a group that does something itself is one too."""
    for name in group:
        if name.startswith("-"):
            continue
        below = [*_commands(group[name], f"{above}{name} ")]
        if not below or group[name].default_command is not None:
            yield above + name
        yield from below


def test_every_route_is_documented_as_it_is() -> None:
    """Method, path, what it does, and its query parameters."""
    text = (DOCS / "http-api.md").read_text()

    for route in ROUTES:
        parameters = ", ".join(f"`{parameter.name}`" for parameter in route.parameters)
        assert f"| `{route.method} {route.path}` | {route.about} | {parameters} |" in text


def test_every_refusal_of_the_engine_is_documented_with_its_status() -> None:
    """A row for each reason."""
    text = (DOCS / "http-api.md").read_text()

    for reason, status in STATUS_OF_REASON.items():
        assert f"| {api_v1.HTTP_OF_STATUS.get(status, 500)} | `{reason.value}` |" in text


def test_the_documented_start_is_one() -> None:
    """Word for word."""
    text = (DOCS / "http-api.md").read_text()
    [example] = re.findall(r"```json\n(.*?)```", text, re.DOTALL)

    body = msgspec.json.decode(example, type=api_v1.StartBody)

    assert body.args[0].data == b'{"total": 12}'


def test_every_error_is_documented() -> None:
    """Those that user code catches and those of clients; codes of others are where the page says."""
    text = (DOCS / "errors.md").read_text()
    modules = (exceptions, client_errors, service, envconfig)

    for module in modules:
        for name in module.__all__ if hasattr(module, "__all__") else dir(module):
            value = getattr(module, name)
            if isinstance(value, type) and issubclass(value, Exception):
                assert re.search(rf"`(\w+\.)?{name}`", text), name
    for code in CODES:
        assert f"| `{code}` |" in (DOCS / "check.md").read_text()


def test_every_page_is_in_the_navigation() -> None:
    """But for decisions, which have a list of their own."""
    site = tomllib.loads((DOCS.parent / "zensical.toml").read_text())

    listed = set(re.findall(r"'([\w.-]+\.md)'", repr(site["project"]["nav"])))

    assert {page.name for page in DOCS.glob("*.md")} <= listed


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_run(example: str, tmp_path: Path) -> None:
    """As files of their own, for workflow code is found by its module."""
    file = tmp_path / "example.py"
    file.write_text(example)

    done = subprocess.run(
        [sys.executable, "-W", "error", str(file)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
