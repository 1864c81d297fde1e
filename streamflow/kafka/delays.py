"""Calls made once after a time, from one thread for all of them."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

from streamflow.observability import get_logger

_log = get_logger("kafka")


class Delays:
    """A heap of due calls. Its thread begins with the first call and ends with `close`, which drops what is left."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._closing = False

    def after(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Returns how to cancel; cancelling what has run does nothing."""
        number = next(self._numbers)
        with self._changed:
            assert not self._closing, "the log is closed"
            heapq.heappush(self._due, (time.monotonic() + seconds, number, call))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="streamflow-delays", daemon=True
                )
                self._thread.start()
            self._changed.notify()
        return lambda: self._cancel(number)

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._due.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _cancel(self, number: int) -> None:
        with self._changed:
            self._due = [entry for entry in self._due if entry[1] != number]
            heapq.heapify(self._due)

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:
                # The caller has gone on; the log is all that is left to tell.
                _log.exception("delayed_call_failed")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closing:
                if not self._due:
                    self._changed.wait()
                    continue
                wait_s = self._due[0][0] - time.monotonic()
                if wait_s <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait_s)
        return None
