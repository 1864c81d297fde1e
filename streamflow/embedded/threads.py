"""Real time and real threads: a thread for each machine, and one for all delays."""

from __future__ import annotations

import asyncio
import concurrent.futures
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from time import monotonic_ns, time_ns

from streamflow.observability import get_logger
from streamflow.ports import Machine

_log = get_logger("embedded")


class RealClock:
    """A `Clock`."""

    def now_ms(self) -> int:
        return time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        return monotonic_ns() // 1_000_000


class MachineThread:
    """A `Running`: turns a machine until it is stopped or fails."""

    def __init__(
        self,
        machine: Machine,
        name: str,
        *,
        wake: Callable[[int], None],
        ended: Callable[[int], None],
    ) -> None:
        """``wake`` ends the waiting polls of the thread that it is given; ``ended`` is told of it when it ends."""
        self._machine = machine
        self._wake = wake
        self._told_end = ended
        self._stopping = False
        self._ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._ended.set_running_or_notify_cancel()
        # A daemon: an interpreter that ends does not wait for machines. Being killed is what they are made for.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        if self._thread.ident is not None:
            self._wake(self._thread.ident)

    async def wait(self) -> None:
        await asyncio.shield(asyncio.wrap_future(self._ended))

    def join(self, timeout_s: float) -> None:
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def failed(self) -> BaseException | None:
        return self._ended.exception() if self._ended.done() else None

    @property
    def ended(self) -> bool:
        return self._ended.done()

    @property
    def thread_id(self) -> int | None:
        return self._thread.ident

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
            failure = failure or error
        self._told_end(threading.get_ident())
        if failure is None:
            self._ended.set_result(None)
        else:
            _log.error("machine_failed", machine=self._thread.name, exc_info=failure)
            self._ended.set_exception(failure)


class Delays:
    """Calls after a delay, on one thread of their own, which starts with the first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Delayed]] = []
        self._order = itertools.count()
        self._closing = False
        self._thread: threading.Thread | None = None

    def add(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Returns how to cancel it."""
        delayed = Delayed(call)
        with self._changed:
            due = time.monotonic() + seconds
            heapq.heappush(self._heap, (due, next(self._order), delayed))
            self._start()
            self._changed.notify()
        return delayed.cancel

    def close(self) -> None:
        """Calls nothing any more."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None and not self._closing:
            self._thread = threading.Thread(target=self._run, name="streamflow-delays", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (delayed := self._next()) is not None:
            delayed.make()

    def _next(self) -> Delayed | None:
        with self._changed:
            while not self._closing:
                wait_s = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait_s is not None and wait_s <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(wait_s)
        return None


class Delayed:
    """A call that can be cancelled; a cancelled one keeps its place but nothing else."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self._call = None

    def make(self) -> None:
        call, self._call = self._call, None
        if call is None:
            return
        try:
            call()
        except Exception:
            # One caller's fault must not stop the delays of all others.
            _log.exception("delayed_call_failed")
