"""How a running attempt is told to stop, from any thread, and told once.

    requested --async--> the task is cancelled (by the executor, who listens)
              --sync---> CancelledError is raised into the thread, unless it is shielded or has finished

Raising into a thread happens at most once, and only by whoever holds the *permit*: a list of one element, since taking
the last element of a list is one step for every thread. The raiser takes it before it raises; the thread takes it while
it is shielded and when it has finished. No lock is involved: an exception raised into a thread may strike between
taking a lock and the block that would release it.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from streamflow.exceptions import CancelledError
from streamflow.thread_identity import thread_ident


@dataclass(frozen=True)
class ActivityCancellationDetails:
    """Why an attempt is to stop."""

    not_found: bool = False
    """The attempt is not wanted any more: it was retried, has timed out, or its run has closed."""
    cancel_requested: bool = False
    paused: bool = False
    reset: bool = False
    timed_out: bool = False
    worker_shutdown: bool = False


class SharedCancellation:
    """A cancellation that another process sees: whether it was requested, but not why. Nobody is called at the request."""

    __slots__ = ("_event",)

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    @property
    def details(self) -> ActivityCancellationDetails | None:
        return ActivityCancellationDetails(cancel_requested=True) if self.requested else None

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def listen(self, listener: Callable[[], None]) -> None:
        raise RuntimeError(
            "Expected a sync activity to wait by the function that ends in _sync, found an async one in another process"
        )

    def ignore(self, listener: Callable[[], None]) -> None:
        """There are no listeners."""

    def wait(self, timeout_s: float | None) -> None:
        self._event.wait(timeout_s)


class Cancellation:
    """Whether one attempt is to stop. The first request counts."""

    __slots__ = ("_listeners", "details")

    def __init__(self) -> None:
        self.details: ActivityCancellationDetails | None = None
        self._listeners: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        return self.details is not None

    def request(self, details: ActivityCancellationDetails) -> bool:
        """Whether this was the first request. Listeners are called on this thread."""
        if self.details is not None:
            return False
        self.details = details
        while self._listeners:
            self._call(self._listeners)
        return True

    def listen(self, listener: Callable[[], None]) -> None:
        """``listener`` is called once, at the request or now if there was one; it must not block."""
        self._listeners.append(listener)
        # Asked after adding: whichever of the two threads comes second finds the listener.
        if self.details is not None:
            self._call(self._listeners)

    def ignore(self, listener: Callable[[], None]) -> None:
        with suppress(ValueError):  # called already, or about to be
            self._listeners.remove(listener)

    def wait(self, timeout_s: float | None) -> None:
        """Blocks this thread until the request, or until the time is up."""
        happened = threading.Event()
        self.listen(happened.set)
        try:
            happened.wait(timeout_s)
        finally:
            self.ignore(happened.set)

    @staticmethod
    def _call(listeners: list[Callable[[], None]]) -> None:
        try:
            listener = listeners.pop()
        except IndexError:
            return  # the other thread took it
        listener()


class ThreadInterrupt:
    """Raises `CancelledError` into the thread that runs a sync activity. Made and finished on that thread."""

    __slots__ = ("_cancellation", "_depth", "_finished", "_permit", "_sent", "_thread_id")

    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation
        self._thread_id = thread_ident()
        self._permit = [True]
        self._sent = False
        self._depth = 0
        self._finished = False
        cancellation.listen(self._interrupt)

    def _interrupt(self) -> None:
        if self._take():
            _raise_into(self._thread_id, CancelledError)
            self._sent = True

    def finish(self) -> None:
        """After it, nothing is raised any more. May itself be struck once, and is then called again."""
        self._cancellation.ignore(self._interrupt)
        if not self._finished and not self._take():
            # Raised, or about to be: it strikes while we wait here, or is taken back, or has struck before.
            self._wait_until_sent()
            _raise_into(self._thread_id, None)
        self._finished = True

    def _wait_until_sent(self) -> None:
        while not self._sent:
            time.sleep(0.0005)

    def _take(self) -> bool:
        try:
            return self._permit.pop()
        except IndexError:
            return False

    @contextmanager
    def shield(self) -> Generator[None, None, None]:
        """Within it nothing is raised; what was requested meanwhile is raised at its end."""
        if self._depth == 0 and not self._take():
            # Raised already: it strikes here, before the block begins, or has struck before and is spent.
            self._wait_until_sent()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and not self._sent:
                self._permit.append(True)
                if self._cancellation.requested and self._take():
                    self._sent = True
                    raise CancelledError("Cancelled")


def _raise_into(thread_id: int, error: type[BaseException] | None) -> None:
    """``None`` takes back what has not struck yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread_id), None if error is None else ctypes.py_object(error)
    )
