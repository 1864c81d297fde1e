"""Turning machines: when they are turned, and when they are not."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from streamflow.memory.clock import VirtualClock
from streamflow.memory.faults import Faults, Rates
from streamflow.memory.log import MemoryLog
from streamflow.memory.processes import ProcessCrashed
from streamflow.memory.simloop import SimLoop, simulate
from streamflow.ports import LogError, Running, Source, Unavailable
from tests.unit.memory.stage import P0, Echo, join, new_broker, record, values


class Waiting:
    """A machine that polls a plain source, and rests as long as it is told to."""

    def __init__(self, log: MemoryLog, rests: list[int | None] | None = None) -> None:
        self.log = log
        self.rests = rests or []
        self.seen: list[str] = []
        self.turned_at: list[int] = []
        self.closed = 0
        self.source: Source | None = None

    def open(self) -> None:
        self.source, _ = join(self.log, "w")

    def turn(self) -> int | None:
        assert self.source is not None
        self.turned_at.append(self.log.clock.monotonic_ms())
        self.seen += values(self.source.poll(2, 0))
        return self.rests.pop(0) if self.rests else None

    def close(self) -> None:
        self.closed += 1


def test_a_machine_sees_all_that_is_visible_and_then_rests() -> None:
    """More than one poll's worth is fetched without being asked; then no turn is made for nothing."""
    broker = new_broker()
    machine = Waiting(MemoryLog(broker))
    for n in range(5):
        broker.append(record(str(n)))
    machine.log.drive(machine, name="w")

    broker.run()
    assert machine.seen == ["0", "1", "2", "3", "4"]
    turns = len(machine.turned_at)
    broker.run()
    assert len(machine.turned_at) == turns

    broker.append(record("5"))
    broker.run()
    assert machine.seen[-1] == "5"


def test_a_machine_is_turned_again_when_its_time_comes() -> None:
    """0 is at once, a number is so many milliseconds of the log's time."""
    clock = VirtualClock()
    broker = new_broker(clock=clock)
    machine = Waiting(MemoryLog(broker), [None, 0, 0, 250, None])
    machine.log.drive(machine, name="w")
    broker.run()
    machine.turned_at.clear()
    machine.rests = [0, 250, None]

    assert machine.source is not None
    machine.source.wake()
    broker.run()
    clock.advance(249)
    broker.run()
    assert machine.turned_at == [0, 0]
    clock.advance(1)
    broker.run()

    assert machine.turned_at == [0, 0, 250]


def test_time_passes_for_a_machine_that_tries_an_unavailable_call_again_at_once() -> None:
    """The wait that Kafka has inside the call comes after the turn."""
    faults = Faults(rates=Rates(unavailable=1))

    class Impatient(Waiting):
        def open(self) -> None: ...

        def turn(self) -> int | None:
            self.turned_at.append(self.log.clock.monotonic_ms())
            with contextlib.suppress(Unavailable):
                self.log.topics()
                return None
            return 0

    async def main(loop: SimLoop) -> list[int]:
        machine = Impatient(MemoryLog(new_broker(clock=loop.clock, faults=faults)))
        machine.log.drive(machine, name="i")
        await asyncio.sleep(0.025)
        faults.calm()
        await asyncio.sleep(1)
        return machine.turned_at

    assert simulate(main) == [0, 10, 20, 30]


def test_a_paused_process_makes_no_turn_until_it_is_resumed() -> None:
    """What arrived meanwhile is there when it goes on."""
    broker = new_broker()
    machine = Waiting(MemoryLog(broker))
    machine.log.drive(machine, name="w")
    broker.run()

    machine.log.pause()
    broker.append(record("a"))
    broker.run()
    assert machine.seen == []
    machine.log.resume()
    broker.run()

    assert machine.seen == ["a"]


def test_a_crashed_machine_is_not_closed_and_its_unsent_records_vanish() -> None:
    """It stops between two turns, as a killed process does."""
    broker = new_broker()
    log = MemoryLog(broker)
    machine = Waiting(log)
    running = log.drive(machine, name="w")
    broker.run()
    log.producer().send(record("unsent"))

    log.crash()
    broker.run()
    broker.append(record("later"))
    broker.run()

    assert machine.closed == 0
    assert machine.seen == []
    assert isinstance(running.failed(), ProcessCrashed)
    assert values(broker.records("inbox")) == ["later"]
    with pytest.raises(ProcessCrashed):
        log.topics()


@pytest.mark.asyncio
async def test_stopping_closes_after_the_turn_and_can_be_waited_for() -> None:
    """Closed exactly once, however often it is stopped."""
    broker = new_broker()
    log = MemoryLog(broker)
    machine = Waiting(log)
    running = log.drive(machine, name="w")
    running.stop()
    running.stop()

    await running.wait()
    await running.wait()

    assert machine.closed == 1
    assert running.failed() is None
    assert running.thread_id == threading.get_ident()


@pytest.mark.asyncio
async def test_what_ends_a_machine_is_told_to_who_waits() -> None:
    """It is closed all the same."""

    class Failing(Waiting):
        def turn(self) -> int | None:
            raise LogError("broken")

    log = MemoryLog(new_broker())
    machine = Failing(log)
    running: Running = log.drive(machine, name="w")

    with pytest.raises(LogError, match="broken"):
        await running.wait()

    assert machine.closed == 1


@pytest.mark.asyncio
async def test_sends_and_wake_ups_come_from_any_thread() -> None:
    """They hop onto the loop; nothing of the log is touched elsewhere."""
    broker = new_broker()
    log = MemoryLog(broker)
    machine = Waiting(log)
    log.drive(machine, name="w")
    await asyncio.sleep(0)
    producer = log.producer()
    told: asyncio.Queue[LogError | None] = asyncio.Queue()
    threads: list[int] = []

    def done(error: LogError | None) -> None:
        threads.append(threading.get_ident())
        told.put_nowait(error)

    def elsewhere() -> None:
        producer.send(record("a"), done)
        producer.send(record("x", "typo"), done)
        producer.flush(5_000)
        assert machine.source is not None
        machine.source.wake()

    await asyncio.to_thread(elsewhere)

    assert await told.get() is None
    assert isinstance(await told.get(), LogError)
    await asyncio.sleep(0)
    assert machine.seen == ["a"]
    assert set(threads) == {threading.get_ident()}


def test_a_tail_delivers_what_becomes_visible_after_it_began() -> None:
    """In order, not before it is committed, and nothing after it is closed."""
    broker = new_broker()
    log = MemoryLog(broker)
    broker.append(record("before"))
    got: list[str] = []
    tail = log.tail(P0, lambda records: got.extend(values(records)))
    broker.append(record("a"))
    assert got == []
    broker.run()
    broker.append(record("b"))
    broker.append(record("c"))
    broker.run()
    assert got == ["a", "b", "c"]

    tail.close()
    broker.append(record("d"))
    broker.run()
    assert got == ["a", "b", "c"]


def test_closing_a_log_sends_what_is_unsent_and_ends_its_tails() -> None:
    """Closed in good order, nothing is lost; nothing more is delivered."""
    broker = new_broker()
    log = MemoryLog(broker)
    got: list[str] = []
    log.tail(P0, lambda records: got.extend(values(records)))
    log.producer().send(record("unsent"))

    log.close()
    broker.run()

    assert values(broker.records("inbox")) == ["unsent"]
    assert got == []


def test_a_delay_is_of_the_log_s_time_and_can_be_cancelled() -> None:
    """Called once, when its time has come."""
    clock = VirtualClock()
    broker = new_broker(clock=clock)
    log = MemoryLog(broker)
    called: list[str] = []
    log.delay(1.5, lambda: called.append("a"))
    cancel = log.delay(1.5, lambda: called.append("b"))
    clock.advance(1_499)
    broker.run()
    assert called == []

    cancel()
    clock.advance(1)
    broker.run()

    assert called == ["a"]


def test_two_processes_share_the_work_and_one_takes_over_when_the_other_dies() -> None:
    """Exactly once, over a crash in the middle of a commit."""
    clock = VirtualClock()
    broker = new_broker(partitions=4, clock=clock)
    logs = {name: MemoryLog(broker, name) for name in "ab"}
    for name, log in logs.items():
        log.drive(Echo(log, name), name=name)
    broker.run()
    for n in range(40):
        broker.append(record(str(n), partition=n % 4))
    broker.faults.crash_at("a", logs["a"].process.calls + 4)
    broker.run()
    assert logs["a"].process.dead

    for _ in range(4_000):
        clock.advance(5)
        broker.run()

    assert sorted(values(broker.records("out")), key=int) == [str(n) for n in range(40)]
