"""How a running attempt is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from streamflow import activity
from streamflow.activity.cancellation import (
    ActivityCancellationDetails,
    Cancellation,
    ThreadInterrupt,
)
from streamflow.exceptions import CancelledError

DETAILS = ActivityCancellationDetails(cancel_requested=True)


def _in_thread(work: Callable[[], None]) -> list[BaseException]:
    """Runs it to its end and returns what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    return raised


def _spin_until(event: threading.Event) -> None:
    """Waits in small steps: what is raised into a thread strikes between two of them."""
    while not event.is_set():
        event.wait(0.001)


def test_the_first_request_counts() -> None:
    """A second reason does not replace the first, and listeners are told once."""
    cancellation = Cancellation()
    told: list[int] = []
    cancellation.listen(lambda: told.append(1))

    assert cancellation.request(DETAILS)
    assert not cancellation.request(ActivityCancellationDetails(timed_out=True))

    assert cancellation.details == DETAILS
    assert told == [1]


def test_who_listens_late_is_told_at_once() -> None:
    """There is no gap between asking whether and waiting until."""
    cancellation = Cancellation()
    cancellation.request(DETAILS)
    told: list[int] = []

    cancellation.listen(lambda: told.append(1))

    assert told == [1]


def test_a_running_thread_is_interrupted() -> None:
    """A sync activity that only works on is stopped between two of its steps."""
    cancellation = Cancellation()
    never = threading.Event()

    def work() -> None:
        interrupt = ThreadInterrupt(cancellation)
        try:
            threading.Thread(target=lambda: cancellation.request(DETAILS)).start()
            _spin_until(never)
        finally:
            interrupt.finish()

    assert isinstance(_in_thread(work)[0], CancelledError)


def test_a_shielded_block_runs_to_its_end() -> None:
    """The request is raised when the block ends, not before."""
    cancellation = Cancellation()
    steps: list[str] = []

    def work() -> None:
        interrupt = ThreadInterrupt(cancellation)
        try:
            with interrupt.shield():
                requesting = threading.Thread(target=lambda: cancellation.request(DETAILS))
                requesting.start()
                requesting.join()
                steps.append("end of block")
            steps.append("after block")
        finally:
            interrupt.finish()

    raised = _in_thread(work)

    assert isinstance(raised[0], CancelledError)
    assert steps == ["end of block"]


def test_a_shield_without_a_request_changes_nothing() -> None:
    """After the block the thread can be interrupted again."""
    cancellation = Cancellation()
    never = threading.Event()

    def work() -> None:
        interrupt = ThreadInterrupt(cancellation)
        try:
            with interrupt.shield(), interrupt.shield():
                pass
            threading.Thread(target=lambda: cancellation.request(DETAILS)).start()
            _spin_until(never)
        finally:
            interrupt.finish()

    assert isinstance(_in_thread(work)[0], CancelledError)


def test_nothing_is_raised_after_the_end() -> None:
    """The pool's thread belongs to the next activity: a late request never strikes it."""
    cancellation = Cancellation()

    def work() -> None:
        interrupt = ThreadInterrupt(cancellation)
        interrupt.finish()
        cancellation.request(DETAILS)
        for _ in range(1_000):
            pass

    assert _in_thread(work) == []


@pytest.mark.parametrize("attempt", range(30))
def test_a_race_between_end_and_request_is_clean(attempt: int) -> None:
    """However they meet, the thread is either interrupted before its end or not at all."""
    cancellation = Cancellation()
    after: list[str] = []

    def work() -> None:
        interrupt = ThreadInterrupt(cancellation)
        try:
            try:
                threading.Thread(target=lambda: cancellation.request(DETAILS)).start()
                for _ in range(attempt * 50):
                    pass
            finally:
                interrupt.finish()
        except CancelledError:
            interrupt.finish()
        for _ in range(5_000):
            pass
        after.append("untouched")

    assert _in_thread(work) == []
    assert after == ["untouched"]


@pytest.mark.parametrize(
    "call",
    [activity.info, activity.heartbeat, activity.is_cancelled, activity.payload_converter],
)
def test_outside_of_an_activity_there_is_nothing_to_ask(call: Callable[[], object]) -> None:
    """The error says that no activity is running here."""
    assert not activity.in_activity()
    with pytest.raises(RuntimeError, match="Not in activity context"):
        call()
