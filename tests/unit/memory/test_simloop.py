"""The event loop on virtual time: time, order, processes, and equal runs from equal seeds."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from streamflow.memory.broker import MemoryBroker
from streamflow.memory.clock import VirtualClock
from streamflow.memory.faults import Faults, Rates
from streamflow.memory.log import MemoryLog
from streamflow.memory.simloop import Deadlock, SimLoop, simulate
from tests.unit.memory.stage import Echo, new_broker, record, values

ROUGH = Rates(
    aborted=0.1,
    unknown_committed=0.05,
    unknown_open=0.05,
    unknown_late=0.05,
    marker_late=0.2,
    delivery_late=0.2,
    unavailable=0.05,
    rebalance=0.05,
    session_lost=0.02,
)


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


def rough_run(seed: int) -> tuple[str, list[tuple[str, str]], list[str]]:
    """Three processes copy 60 records exactly once, while everything goes wrong and two of them are hit on top."""
    trace: list[tuple[str, str]] = []
    faults = Faults(seed, ROUGH)

    async def main(loop: SimLoop) -> tuple[str, list[str]]:
        broker = new_broker(
            partitions=4,
            clock=loop.clock,
            faults=faults,
            trace=lambda process, call: trace.append((process, call)),
        )
        logs = {name: MemoryLog(broker, name) for name in "abc"}
        for name, log in logs.items():
            log.drive(Echo(log, name), name=name)
        faults.crash_at("a", 20 + seed % 30)
        for n in range(60):
            broker.append(record(str(n), partition=n % 4))
            await asyncio.sleep(0.02)
            if n == 20:
                logs["b"].pause()
        await asyncio.sleep(8)
        logs["b"].resume()
        if logs["a"].process.dead:
            again = MemoryLog(broker, "a")
            again.drive(Echo(again, "a"), name="a")
        faults.calm()
        await asyncio.sleep(60)
        return broker.digest(), values(broker.records("out"))

    digest, out = simulate(main, seed=seed)
    return digest, trace, out


@pytest.mark.parametrize("seed", range(25))
def test_every_record_is_copied_exactly_once_whatever_goes_wrong(seed: int) -> None:
    """Aborts, unknown outcomes, late markers, lost sessions, a crash and a pause."""
    out = rough_run(seed)[2]

    assert sorted(out, key=int) == [str(n) for n in range(60)]


def test_the_same_seed_gives_the_same_run() -> None:
    """Every port call and every byte of the log, times included; another seed gives another run."""
    first, second, other = rough_run(3), rough_run(3), rough_run(4)

    assert first == second
    assert first[0] != other[0]


def test_lost_replies_duplicates_and_doubtful_sends() -> None:
    """Replies may be dropped on their way to a client; what is sent may be there twice, or though given up."""
    clock = VirtualClock()
    faults = Faults(
        1,
        Rates(reply_dropped=0.5, sent_twice=0.3, send_refused=0.2, send_doubtful=0.2),
        reply_topics=lambda topic: topic == "out",
    )
    broker = new_broker(clock=clock, faults=faults)
    log = MemoryLog(broker)
    heard: list[str] = []
    answers: list[bool] = []
    log.tail(
        broker.partition(new_out := broker.topic("out").partitions[0].name).name,
        lambda records: heard.extend(values(records)),
    )
    producer = log.producer()
    for n in range(60):
        producer.send(record(str(n), new_out.topic), lambda error: answers.append(error is None))
    with contextlib.suppress(IndexError):
        broker.run()

    written = values(broker.records("out"))
    assert len(answers) == 60
    assert len(set(written)) < 60  # some were refused
    assert len(written) > len(set(written))  # some are there twice
    assert sum(answers) < len(set(written))  # some are there though given up
    assert 0 < len(heard) < len(written)
