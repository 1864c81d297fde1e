"""A shell of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.processes import Dev, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, Dev]]:
    """One dev for all tests of a module: commands without an address find it."""
    home = tmp_path_factory.mktemp("cli")
    shell = Shell(home)
    try:
        yield shell, shell.dev(home / "data")
    finally:
        shell.close()
