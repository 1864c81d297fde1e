"""Turning a machine by callbacks on the event loop: one turn at a time, and none while nothing calls for it."""

from __future__ import annotations

import asyncio
import threading
from typing import Final

from streamflow.memory.clock import Timer
from streamflow.memory.connection import Connection
from streamflow.memory.processes import ProcessCrashed
from streamflow.ports import Machine

# On Kafka a call waits inside before it is `Unavailable`. Here the wait follows, or time would never pass for a machine
# that tries again at once.
UNAVAILABLE_WAIT_MS: Final = 10


class MemoryRunning:
    """A machine being turned: again at once when it says so, when one of its sources wakes it, or when its time comes.

    Between any two turns everything else on the loop has its chance.
    """

    def __init__(self, connection: Connection, machine: Machine, name: str) -> None:
        self.name = name
        self._connection = connection
        self._machine = machine
        self._opened = False
        self._stopping = False
        self._closed = False
        self._due = False
        self._alarm: Timer | None = None
        self._error: BaseException | None = None
        self._thread_id: int | None = None
        self._waiters: list[asyncio.Future[None]] = []
        connection.attach(self)
        self.wake()

    def stop(self) -> None:
        self._stopping = True
        self._connection.soon(self.wake)  # callable from any thread, so it goes through the loop

    async def wait(self) -> None:
        if not self._closed:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        if self._error is not None:
            raise self._error

    def failed(self) -> BaseException | None:
        return self._error

    @property
    def thread_id(self) -> int | None:
        return self._thread_id

    def wake(self) -> None:
        """Another turn soon; asked for during a turn, it comes right after."""
        if not self._due and not self._closed:
            self._due = True
            self._connection.soon(self._step)

    # -- its process

    def paused(self) -> None: ...

    def resumed(self) -> None: ...

    def disconnected(self) -> None: ...

    def crashed(self) -> None:
        self._end(ProcessCrashed(self._connection.process.name))

    # -- turning

    def _step(self) -> None:
        if self._closed:
            return
        self._due = False
        self._thread_id = threading.get_ident()
        self._cancel_alarm()
        self._connection.turning = self.wake
        self._connection.must_wait = False
        try:
            self._open_and_turn()
        except ProcessCrashed:
            raise
        except BaseException as error:
            self._close(error)
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
        finally:
            self._connection.turning = None

    def _open_and_turn(self) -> None:
        if not self._opened:
            self._opened = True
            self._machine.open()
        if self._stopping:
            self._close(None)
            return
        self._rest(self._machine.turn())

    def _rest(self, wait_ms: int | None) -> None:
        if wait_ms is None or self._due:
            return
        if self._connection.must_wait:
            wait_ms = max(wait_ms, UNAVAILABLE_WAIT_MS)
        if wait_ms <= 0:
            self.wake()
            return
        clock = self._connection.broker.clock
        self._alarm = clock.call_at(clock.now_ms() + wait_ms, self.wake)

    def _close(self, error: BaseException | None) -> None:
        try:
            self._machine.close()
        except ProcessCrashed:
            raise
        except BaseException as closing_error:
            error = error or closing_error
        self._connection.detach(self)
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        self._closed = True
        self._error = error
        self._cancel_alarm()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def _cancel_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
