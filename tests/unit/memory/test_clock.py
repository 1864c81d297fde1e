"""Virtual time: order of timers, and what cancelling does."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.memory.clock import RealClock, VirtualClock


@given(st.lists(st.integers(0, 50), max_size=30), st.sets(st.integers(0, 29)))
def test_timers_fire_by_due_time_then_by_order_of_setting(
    delays: list[int], cancelled: set[int]
) -> None:
    """Each fires once, at its own time, and cancelled ones never do."""
    clock = VirtualClock(0)
    fired: list[tuple[int, int, int]] = []
    timers = [
        clock.call_at(due, lambda due=due, n=n: fired.append((due, n, clock.now_ms())))  # type: ignore[misc]
        for n, due in enumerate(delays)
    ]
    for n in cancelled & set(range(len(timers))):
        timers[n].cancel()

    clock.advance(100)

    kept = [(due, n, due) for n, due in enumerate(delays) if n not in cancelled]
    assert fired == sorted(kept)
    assert clock.next_due_ms() is None


def test_a_timer_set_by_a_timer_fires_in_the_same_advance_if_due() -> None:
    """Time passes through every moment on its way."""
    clock = VirtualClock(0)
    fired: list[int] = []

    def set_another() -> None:
        clock.call_at(15, lambda: fired.append(clock.now_ms()))

    clock.call_at(10, set_another)

    clock.advance(20)

    assert fired == [15]
    assert clock.now_ms() == clock.monotonic_ms() == 20


def test_cancelled_timers_do_not_pile_up() -> None:
    """A machine that re-arms a far alarm at every turn costs no memory."""
    clock = VirtualClock(0)
    for _ in range(10_000):
        clock.call_at(1_000_000, lambda: None).cancel()

    assert len(clock._timers._heap) < 200


@pytest.mark.asyncio
async def test_real_time_passes_by_itself_and_can_be_skipped() -> None:
    """Skipping adds to real time, and fires what became due."""
    clock = RealClock()
    start_ms = clock.now_ms()
    fired = asyncio.Event()
    far: list[int] = []
    clock.call_at(start_ms + 5, fired.set)
    clock.call_at(start_ms + 3_600_000, lambda: far.append(clock.now_ms()))

    await asyncio.wait_for(fired.wait(), 5)
    clock.skip_to(start_ms + 3_600_000)

    assert start_ms + 3_600_000 <= far[0] < start_ms + 3_660_000
    assert clock.now_ms() >= start_ms + 3_600_000
