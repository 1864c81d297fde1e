"""Skipping time on an ordinary event loop: months in no time, and never past something that is going on."""

from __future__ import annotations

import asyncio
import time

import pytest

from streamflow.memory.broker import MemoryBroker
from streamflow.memory.clock import MemoryClock, RealClock, VirtualClock
from streamflow.memory.log import MemoryLog

DAY_MS = 86_400_000


class Sleeper:
    """A machine that reports when its one timer is due, as a processor with a workflow asleep does."""

    def __init__(self, log: MemoryLog, due_ms: int, fired: asyncio.Event) -> None:
        self.log = log
        self.due_ms = due_ms
        self.fired = fired
        self.turns = 0

    def open(self) -> None: ...

    def turn(self) -> int | None:
        self.turns += 1
        left_ms = self.due_ms - self.log.clock.now_ms()
        if left_ms > 0:
            return left_ms
        self.fired.set()
        return None

    def close(self) -> None: ...


@pytest.mark.asyncio
@pytest.mark.parametrize("make_clock", [VirtualClock, RealClock])
async def test_a_timer_of_30_days_fires_in_no_time(make_clock: type[MemoryClock]) -> None:
    """While somebody waits for it, and in a handful of turns."""
    log = MemoryLog(MemoryBroker(clock=make_clock()))
    start_ms = log.clock.now_ms()
    fired = asyncio.Event()
    machine = Sleeper(log, start_ms + 30 * DAY_MS, fired)
    began = time.monotonic()
    log.drive(machine, name="s")

    with log.skipping():
        await asyncio.wait_for(fired.wait(), 10)

    assert time.monotonic() - began < 5
    assert log.clock.now_ms() - start_ms >= 30 * DAY_MS
    assert machine.turns <= 3


@pytest.mark.asyncio
async def test_no_time_is_skipped_unasked() -> None:
    """Time then passes as it really does."""
    broker = MemoryBroker(clock=RealClock())
    log = MemoryLog(broker)
    called: list[int] = []
    start_ms = broker.clock.now_ms()
    log.delay(3_600, lambda: called.append(1))

    for _ in range(200):
        await asyncio.sleep(0)

    assert called == []
    assert broker.clock.now_ms() - start_ms < 60_000


@pytest.mark.asyncio
async def test_no_time_is_skipped_while_it_is_held() -> None:
    """An activity that takes real time, here in a thread, is not overtaken by its own timeout."""
    broker = MemoryBroker(clock=RealClock())
    log = MemoryLog(broker)
    order: list[str] = []
    timed_out = asyncio.Event()

    def time_out() -> None:
        order.append("timer")
        timed_out.set()

    log.delay(3_600, time_out)

    async def activity() -> None:
        with log.hold():
            await asyncio.to_thread(time.sleep, 0.02)
            order.append("activity")

    task = asyncio.create_task(activity())
    with log.skipping():
        await asyncio.wait_for(timed_out.wait(), 10)
    await task

    assert order == ["activity", "timer"]


@pytest.mark.asyncio
async def test_work_that_is_merely_scheduled_comes_before_the_skip() -> None:
    """A long chain of ready callbacks is not quiet, though each of them is alone."""
    broker = MemoryBroker(clock=VirtualClock())
    log = MemoryLog(broker)
    order: list[str] = []
    fired = asyncio.Event()

    def fire() -> None:
        order.append("timer")
        fired.set()

    log.delay(10, fire)

    async def chain() -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        order.append("chain")

    task = asyncio.create_task(chain())
    with log.skipping():
        await fired.wait()
    await task

    assert order == ["chain", "timer"]


@pytest.mark.asyncio
async def test_a_timer_set_after_all_went_quiet_is_skipped_to() -> None:
    """The skipper does not spin while there is nothing to skip to, and looks again when there is."""
    broker = MemoryBroker(clock=VirtualClock())
    log = MemoryLog(broker)
    fired = asyncio.Event()

    with log.skipping():
        for _ in range(20):
            await asyncio.sleep(0)
        log.delay(1, fired.set)
        await asyncio.wait_for(fired.wait(), 5)

    assert broker.clock.monotonic_ms() == 1_000
