"""A PostgreSQL of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.visibility.postgres import INSTALL, binaries, running


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    programs = binaries()
    if programs is None:
        pytest.fail(f"Expected PostgreSQL, found none. Install it with: {INSTALL}")
    with running(programs, tmp_path_factory.mktemp("postgres")) as url:
        yield url
