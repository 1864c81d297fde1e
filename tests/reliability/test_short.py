"""A short form of the proof's parts that have no other place in CI. `make faults` is the long one."""

from __future__ import annotations

import pytest

from tests.reliability import decoders, stores


@pytest.mark.timeout(300)
def test_a_killed_writer_leaves_a_state_that_was() -> None:
    """The last that it said it had written, or a later one."""
    assert stores.kill(10, seed=7) == []


@pytest.mark.timeout(300)
def test_damage_to_a_store_is_never_read_as_rows() -> None:
    """It is refused, and rebuilt; or it did not matter."""
    outcomes, found = stores.damage(60, seed=7)

    assert found == []
    assert outcomes["refused"] > 0


def test_damaged_records_are_read_or_refused() -> None:
    """Nothing else comes out of a decoder, whatever goes in."""
    assert decoders.fuzz(50_000, seed=7) == []
