"""Real time and real threads, for the logs that have them: a thread for each machine, and one for all delayed calls."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

# Taken at import, before the guard of workflow code wraps the module.
from time import monotonic_ns, time_ns
from typing import TypeVar

from streamflow.observability import get_logger
from streamflow.ports import Log, Machine

_log = get_logger("threads")
_T = TypeVar("_T")

COMPACT_FROM = 64
"""So many cancelled calls may wait for their time before they are looked at at all."""


async def off_the_loop(log: Log, call: Callable[[], _T]) -> _T:
    """Makes a call that may wait for a broker or a disk, from an event loop: on a thread, unless it is a log that never waits
    and has none."""
    return await asyncio.to_thread(call) if log.threaded else call()


class SystemClock:
    """This machine's time. A `Clock`."""

    def now_ms(self) -> int:
        return time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        return monotonic_ns() // 1_000_000


class MachineThread:
    """A `Running`: opens a machine, turns it again at once as long as nobody stops it, and closes it, all on one thread."""

    def __init__(
        self,
        machine: Machine,
        name: str,
        *,
        wake: Callable[[int], None] | None = None,
        ended: Callable[[int], None] | None = None,
    ) -> None:
        """``wake`` ends the waiting polls of the thread that it is given; ``ended`` is told of it when it ends."""
        self._machine = machine
        self._wake = wake
        self._told_end = ended
        self._stopping = False
        self._ended: Future[None] = Future()
        # Running, so that a waiter that is cancelled does not cancel it for the others.
        self._ended.set_running_or_notify_cancel()
        # A daemon: an interpreter that ends does not wait for machines. Being killed is what they are made for.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def thread_id(self) -> int | None:
        return self._thread.ident

    @property
    def ended(self) -> bool:
        return self._ended.done()

    def stop(self) -> None:
        self._stopping = True
        if self._wake is not None and self._thread.ident is not None:
            self._wake(self._thread.ident)

    def failed(self) -> BaseException | None:
        return self._ended.exception() if self._ended.done() else None

    async def wait(self) -> None:
        """Returns when the machine has closed. Raises what ended it; the first failure counts."""
        await asyncio.shield(asyncio.wrap_future(self._ended))

    def join(self, timeout_s: float) -> None:
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        failure: BaseException | None = None
        try:
            self._machine.open()
            while not self._stopping:
                self._machine.turn()
        except BaseException as error:  # told to whoever waits
            failure = error
        try:
            self._machine.close()
        except BaseException as error:
            _log.error("machine_close_failed", machine=self._thread.name, error=repr(error))
            failure = failure or error
        if self._told_end is not None:
            self._told_end(threading.get_ident())
        if failure is None:
            self._ended.set_result(None)
        else:
            _log.error("machine_failed", machine=self._thread.name, exc_info=failure)
            self._ended.set_exception(failure)


class Delays:
    """Calls made once after a time, by one thread, which starts with the first and ends with `close`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, _Delayed]] = []
        self._order = itertools.count()
        self._canceled = 0
        self._thread: threading.Thread | None = None
        self._closing = False

    def __len__(self) -> int:
        """How many are kept, the cancelled among them."""
        return len(self._heap)

    def after(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Returns how to cancel; cancelling what has run does nothing. After `close` nothing is called any more."""
        delayed = _Delayed(call)
        with self._changed:
            due = time.monotonic() + seconds
            heapq.heappush(self._heap, (due, next(self._order), delayed))
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(
                    target=self._run, name="streamflow-delays", daemon=True
                )
                self._thread.start()
            self._changed.notify()
        return lambda: self._cancel(delayed)

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._heap.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _cancel(self, delayed: _Delayed) -> None:
        """What it would have called is let go at once, its place when so many are cancelled that it is worth the work."""
        with self._changed:
            if not delayed.cancel():
                return
            self._canceled += 1
            if self._canceled >= max(COMPACT_FROM, len(self._heap) // 2):
                self._heap = [entry for entry in self._heap if entry[2].pending]
                heapq.heapify(self._heap)
                self._canceled = 0

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:
                # One caller's fault must not stop the delays of all others, and it has gone on: the log is told.
                _log.exception("delayed_call_failed")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closing:
                wait_s = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait_s is None or wait_s > 0:
                    self._changed.wait(wait_s)
                    continue
                call = heapq.heappop(self._heap)[2].take()
                if call is not None:
                    return call
                self._canceled = max(0, self._canceled - 1)
        return None


class _Delayed:
    """A call that can be cancelled until it is taken. Guarded by the lock of `Delays`."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    @property
    def pending(self) -> bool:
        return self._call is not None

    def cancel(self) -> bool:
        """Whether there was something to cancel."""
        return self.take() is not None

    def take(self) -> Callable[[], None] | None:
        call, self._call = self._call, None
        return call
