"""The event loop on virtual time: time, order, and processes."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.memory.simloop import Deadlock, SimLoop, simulate


def test_sleeping_for_a_month_takes_no_time() -> None:
    """asyncio's own timers and timeouts are virtual too."""

    async def main(loop: SimLoop) -> float:
        await asyncio.sleep(30 * 86_400)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.Event().wait()
        return loop.time()

    assert simulate(main) == 30 * 86_400 + 0.3


def test_a_cancelled_timeout_does_not_move_time() -> None:
    """Only what still waits counts."""

    async def main(loop: SimLoop) -> float:
        async with asyncio.timeout(3_600):
            await asyncio.sleep(1)
        await asyncio.sleep(1)
        return loop.time()

    assert simulate(main) == 2


def test_functions_for_threads_run_on_the_loop() -> None:
    """`asyncio.to_thread` works, errors included, and no thread begins."""

    async def main(loop: SimLoop) -> int:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return await asyncio.to_thread(lambda: 42)

    assert simulate(main) == 42


def test_waiting_for_what_can_never_come_is_an_error() -> None:
    """A simulation does not hang."""

    async def main(loop: SimLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        simulate(main)


def test_tasks_of_a_paused_process_wait_and_those_of_a_dead_one_are_over() -> None:
    """Their `finally` does not run before the simulation is over."""
    noted: list[str] = []

    async def work(name: str) -> None:
        try:
            for n in range(3):
                await asyncio.sleep(1)
                noted.append(f"{name}{n}")
        finally:
            noted.append(f"{name} ended")

    async def main(loop: SimLoop) -> None:
        broker = MemoryBroker(clock=loop.clock)
        dead, paused = MemoryLog(broker, "dead"), MemoryLog(broker, "paused")
        tasks = [
            asyncio.create_task(work("d"), context=dead.context()),
            asyncio.create_task(work("p"), context=paused.context()),
        ]
        await asyncio.sleep(1.5)
        dead.crash()
        paused.pause()
        await asyncio.sleep(10)
        assert noted == ["d0", "p0"]
        paused.resume()
        await tasks[1]
        noted.append("over")

    simulate(main)

    assert noted == ["d0", "p0", "p1", "p2", "p ended", "over", "d ended"]


def test_one_process_stays_in_order_while_processes_interleave() -> None:
    """The seed shuffles only between processes."""

    def run(seed: int | None) -> list[tuple[str, int]]:
        noted: list[tuple[str, int]] = []

        async def main(loop: SimLoop) -> None:
            broker = MemoryBroker(clock=loop.clock)
            for name in "ab":
                process = MemoryLog(broker, name).process
                for n in range(10):
                    process.soon(lambda name=name, n=n: noted.append((name, n)))  # type: ignore[misc]
            await asyncio.sleep(1)

        simulate(main, seed=seed)
        return noted

    for seed in range(5):
        noted = run(seed)
        for name in "ab":
            assert [n for who, n in noted if who == name] == list(range(10))
        assert noted == run(seed)
    assert run(None) == [(name, n) for name in "ab" for n in range(10)]
    assert len({tuple(run(seed)) for seed in range(5)}) > 1


def test_a_task_outside_every_process_is_not_drawn_into_one() -> None:
    """Even if its context is empty, and therefore falsy: who wakes it lends it nothing."""

    async def main(loop: SimLoop) -> None:
        dying = MemoryLog(MemoryBroker(clock=loop.clock), "dying")
        woken = loop.create_future()

        async def outside() -> None:
            await woken
            dying.crash()
            await asyncio.sleep(1)

        task = loop.create_task(outside(), context=contextvars.Context())
        dying.process.soon(lambda: woken.set_result(None))
        await asyncio.wait_for(task, 10)

    simulate(main)
