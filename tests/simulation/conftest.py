"""Every test here is a simulation: quiet, and marked as such."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.simulation.quiet import quiet_events

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--seed`` only the test that takes it is run: who repeats a failure wants nothing else."""
    mine = [item for item in items if HERE in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.simulation)
    if config.getoption("--seed") is not None:
        others = [item for item in mine if "seeds" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(autouse=True, scope="session")
def quiet() -> Iterator[None]:
    """The planned faults of thousands of runs are not worth a line each."""
    quiet_events()
    yield
    structlog.reset_defaults()
