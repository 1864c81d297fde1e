"""Machines and delays of an embedded log: real threads, started and ended for their owners."""

from __future__ import annotations

import threading
from queue import SimpleQueue

import pytest

from streamflow.embedded import EmbeddedLog
from tests.unit.embedded.member import Member, out, texts


class Echo:
    """Reads the inbox on its driver's thread, until it meets a record that it cannot bear."""

    def __init__(self, log: EmbeddedLog) -> None:
        self.log = log
        self.seen: SimpleQueue[str] = SimpleQueue()
        self.closed = 0

    def open(self) -> None:
        self.member = Member(self.log, "echo")

    def turn(self) -> int | None:
        for text in texts(self.member.source.poll(100, 60_000)):
            self.seen.put(text)
            if text == "poison":
                raise ValueError("unbearable")
        return None

    def close(self) -> None:
        self.closed += 1


@pytest.mark.asyncio
async def test_a_machine_is_turned_until_it_is_stopped(log: EmbeddedLog) -> None:
    """Stopping ends even a long wait inside a turn, and the machine is closed once."""
    machine = Echo(log)
    running = log.drive(machine, name="echo")
    log.producer().send(out("m"))
    assert machine.seen.get(timeout=5) == "m"
    assert running.thread_id not in (None, threading.get_ident())
    assert running.failed() is None

    running.stop()
    await running.wait()

    assert machine.closed == 1
    assert running.failed() is None


@pytest.mark.asyncio
async def test_a_failed_machine_tells_why_and_keeps_no_partitions(log: EmbeddedLog) -> None:
    """What it raised is raised to who waits; its sources are closed though it did not do so itself."""
    running = log.drive(Echo(log), name="echo")
    log.producer().send(out("poison"))

    with pytest.raises(ValueError, match="unbearable"):
        await running.wait()

    assert isinstance(running.failed(), ValueError)
    assert log.live_members("g") == frozenset()
    assert Member(log, "other").read(1) == ["poison"]


def test_a_log_that_closes_ends_its_machines(log: EmbeddedLog) -> None:
    """Closing stops them and waits for them."""
    machine = Echo(log)
    log.drive(machine, name="echo")

    log.close()

    assert machine.closed == 1


def test_delays_come_in_the_order_of_their_times(log: EmbeddedLog) -> None:
    """A shorter delay asked for later comes first; a cancelled one never, and a failing one hurts no other."""
    called: SimpleQueue[str] = SimpleQueue()

    def fail() -> None:
        raise ValueError("not yours")

    log.delay(0.06, lambda: called.put("late"))
    log.delay(0.03, lambda: called.put("early"))
    cancel = log.delay(0.01, lambda: called.put("never"))
    log.delay(0.02, fail)
    cancel()
    cancel()

    assert [called.get(timeout=5), called.get(timeout=5)] == ["early", "late"]
