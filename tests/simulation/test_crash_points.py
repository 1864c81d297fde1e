"""A sample of every single crash in CI; `make faults` tries them all."""

from __future__ import annotations

import pytest

from tests.simulation.crash_points import failures, shapes

EVERY = 60


@pytest.mark.timeout(900)
def test_a_crash_at_any_call_breaks_no_promise() -> None:
    """Of processes with their disk, with an empty one, and with one that is behind."""
    tried, found = failures(EVERY)

    assert not found, "\n\n".join(found)
    assert tried > 2 * len(shapes())
