"""Machines turned by threads, and calls made later."""

from __future__ import annotations

import asyncio
import threading

import pytest

from streamflow.threads import COMPACT_FROM, Delays, MachineThread


class Told:
    """A machine that notes what is done to it, and fails where it is told to."""

    def __init__(self, fail_in: str = "", failure: BaseException | None = None) -> None:
        self.calls: list[str] = []
        self.threads: set[int] = set()
        self.turned = threading.Event()
        self._fail_in = fail_in
        self._failure = failure or RuntimeError("as planned")

    def open(self) -> None:
        self._note("open")

    def turn(self) -> int | None:
        if "turn" not in self.calls:
            self._note("turn")
        self.turned.set()
        return None

    def close(self) -> None:
        self._note("close")

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.threads.add(threading.get_ident())
        if call == self._fail_in:
            raise self._failure


@pytest.mark.asyncio
async def test_a_machine_is_opened_turned_and_closed_on_one_thread() -> None:
    """And the driver says which thread that is."""
    machine = Told()
    running = MachineThread(machine, "machine")
    assert await asyncio.to_thread(machine.turned.wait, 10)

    running.stop()
    await running.wait()

    assert machine.calls == ["open", "turn", "close"]
    assert machine.threads == {running.thread_id}
    assert running.failed() is None


@pytest.mark.asyncio
@pytest.mark.parametrize("where", ["open", "turn", "close"])
async def test_what_ends_a_machine_reaches_whoever_waits(where: str) -> None:
    """It is closed all the same, once; the first failure counts."""
    machine = Told(fail_in=where)
    running = MachineThread(machine, "machine")
    assert where != "close" or await asyncio.to_thread(machine.turned.wait, 10)
    running.stop()

    with pytest.raises(RuntimeError, match="as planned"):
        await running.wait()

    assert machine.calls.count("close") == 1
    assert isinstance(running.failed(), RuntimeError)


@pytest.mark.asyncio
async def test_a_waiter_that_gives_up_does_not_end_the_others() -> None:
    """Cancelling one wait leaves the machine and the other waits alone."""
    machine = Told()
    running = MachineThread(machine, "machine")
    impatient = asyncio.ensure_future(running.wait())
    await asyncio.sleep(0)

    impatient.cancel()
    running.stop()
    await running.wait()

    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert running.failed() is None


def test_delayed_calls_come_in_the_order_of_their_times() -> None:
    """Cancelled ones never come, and one that fails hurts no other."""

    def fail() -> None:
        raise RuntimeError("as planned")

    delays = Delays()
    heard: list[str] = []
    last = threading.Event()

    delays.after(0.03, last.set)
    delays.after(0.02, lambda: heard.append("second"))
    delays.after(0.0, fail)
    cancel = delays.after(0.01, lambda: heard.append("never"))
    delays.after(0.0, lambda: heard.append("first"))
    cancel()
    assert last.wait(10)
    delays.close()

    assert heard == ["first", "second"]


def test_what_is_not_due_when_the_log_closes_is_dropped() -> None:
    """Closing does not wait for it."""
    delays = Delays()
    delays.after(600, lambda: pytest.fail("never due"))

    delays.close()


def test_cancelled_calls_are_not_kept_until_their_time() -> None:
    """A wait that was answered leaves nothing behind for the hour that it would have lasted."""
    delays = Delays()
    delays.after(3600, lambda: None)

    for _ in range(10 * COMPACT_FROM):
        delays.after(3600, lambda: None)()
    kept = len(delays)
    delays.close()

    assert kept <= COMPACT_FROM + 1


def test_cancelling_what_has_run_does_nothing() -> None:
    delays = Delays()
    ran = threading.Event()
    cancel = delays.after(0, ran.set)
    assert ran.wait(10)

    cancel()
    again = threading.Event()
    delays.after(0, again.set)

    assert again.wait(10)
    delays.close()
