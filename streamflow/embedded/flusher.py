"""The thread that syncs what nobody waits for, and reads old records to tails that begin in the past.

It lingers before it syncs: a result that was just sent usually leads to a transaction within a millisecond, whose own
sync then covers both. Where a tail waits for the record it does not linger.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Protocol

from streamflow.embedded.journal import Journal
from streamflow.observability import get_logger
from streamflow.ports import Fatal

LINGER_S = 0.001

_log = get_logger("embedded")


class CatchingUp(Protocol):
    def catch_up(self) -> bool:
        """Delivers one slice; whether there is more to catch up."""
        ...


class Flusher:
    """Asleep until woken. `wake` and `close` may be called from any thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._signal = threading.Lock()
        self._signal.acquire()
        self._resting = False
        """Whether the thread waits for the signal: asleep, or lingering when what comes is urgent."""
        self._lingering = False
        self._wanted = False
        self._urgent = False
        self._closing = False
        self._behind: deque[CatchingUp] = deque()
        self._thread = threading.Thread(target=self._run, name="streamflow-flusher", daemon=True)
        self._thread.start()

    def wake(self, *, urgent: bool) -> None:
        """With the journal's lock held: there is something to sync."""
        self._wanted = True
        self._urgent = self._urgent or urgent
        if self._resting and (urgent or not self._lingering):
            self._resting = False
            self._signal.release()

    def follow(self, tail: CatchingUp) -> None:
        with self._journal.lock:
            self._behind.append(tail)
            self.wake(urgent=True)

    def close(self) -> None:
        """Ends the thread. What is not yet synced is the journal's to settle."""
        with self._journal.lock:
            self._closing = True
            self.wake(urgent=True)
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            self._sleep()
            self._linger()
            self._flush()
            self._catch_up()

    def _sleep(self) -> None:
        with self._journal.lock:
            if self._wanted or self._behind:
                return
            self._resting = True
        self._signal.acquire()

    def _linger(self) -> None:
        with self._journal.lock:
            if self._urgent or self._behind:
                return
            self._resting = self._lingering = True
        woken = self._signal.acquire(timeout=LINGER_S)
        with self._journal.lock:
            released = not self._resting
            self._resting = self._lingering = False
        if released and not woken:
            self._signal.acquire()  # released in the moment between; the signal must be down again

    def _flush(self) -> None:
        with self._journal.lock:
            self._wanted = self._urgent = False
            broken = self._journal.broken is not None
            round_ = None if broken else self._journal.current()
        if round_ is None or round_.is_empty():
            return
        try:
            self._journal.sync(round_)
        except Fatal:
            # Those who asked to be told were told; the next call of anybody raises it.
            _log.exception("log_broken")

    def _catch_up(self) -> None:
        if self._behind:
            tail = self._behind.popleft()
            if tail.catch_up():
                self._behind.append(tail)
