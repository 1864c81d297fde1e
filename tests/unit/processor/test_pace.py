"""Whoever waits for a long restore is told how long it still takes."""

from __future__ import annotations

from structlog.testing import capture_logs

from streamflow.memory.clock import VirtualClock
from streamflow.processor.partitions.pace import EVERY_MS, Pace


def test_a_long_restore_says_now_and_then_how_far_it_is() -> None:
    """A quarter in ten seconds leaves thirty; in between nothing is said."""
    clock = VirtualClock()
    pace = Pace(3, 1_000, 5_000, clock)
    with capture_logs() as said:
        pace.at(1_500)
        clock.advance(EVERY_MS)
        pace.at(2_000)
        pace.at(2_500)

    [told] = said
    assert (told["event"], told["partition"]) == ("partition_restoring", 3)
    assert (told["offsets_read"], told["offsets_left"]) == (1_000, 3_000)
    assert (told["percent"], told["seconds_left"]) == (25, 30)
