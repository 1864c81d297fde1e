"""The processes on a memory log, and the queue of calls that they are about to make.

All of them live in one real process, on one event loop. A call made "soon" goes through that loop; where there is none
(tests that turn machines by hand) it waits for `Agenda.run`. What a process is doing when it is paused waits; what a
dead one was doing never happens.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final


class ProcessCrashed(BaseException):
    """Raised out of a port call of a process that is dead. Not an `Exception`: the dead handle nothing."""


class Agenda:
    """Calls to be made soon, in the order asked for."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._by_hand: deque[Callable[[], None]] = deque()

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop in use; a running one takes the place of one that was closed."""
        running = _running_loop()
        if self._loop is None or self._loop.is_closed():
            self._loop = running
        assert running in (None, self._loop), (
            "Expected one event loop on a memory log, found a second; use a broker for each loop"
        )
        return self._loop

    def soon(self, call: Callable[[], None], context: contextvars.Context) -> None:
        """Callable from any thread."""
        loop = self._loop if self._loop is not None and not self._loop.is_closed() else None
        running = _running_loop()
        if running is not None and (loop is None or loop is running):
            self._loop = running
            while self._by_hand:  # asked for before the loop ran
                running.call_soon(self._by_hand.popleft())
            running.call_soon(call, context=context)
        elif loop is not None:
            loop.call_soon_threadsafe(call, context=context)
        else:
            self._by_hand.append(lambda: context.run(call))

    def run(self) -> int:
        """Makes the calls that wait for want of a loop, and those that they bring about; returns how many."""
        made = 0
        while self._by_hand:
            self._by_hand.popleft()()
            made += 1
        return made

    def on_loop(self) -> bool:
        """Whether the caller may touch the log directly: on its loop's thread, or when there is no loop."""
        loop = self._loop
        return loop is None or loop.is_closed() or not loop.is_running() or _running_loop() is loop


class Process:
    """A process that can be paused, resumed and killed. A restarted one is a new `Process` of the same name."""

    def __init__(self, name: str, agenda: Agenda) -> None:
        self.name = name
        self.calls = 0
        self.paused = False
        self.dead = False
        self.agenda = agenda
        self.context = contextvars.copy_context()
        self.context.run(PROCESS.set, self)
        self._waiting: deque[Callable[[], None]] = deque()

    def soon(self, call: Callable[[], None]) -> None:
        """Makes the call on the loop, in this process's context. Callable from any thread."""
        if not self.dead:
            self.agenda.soon(lambda: self._make(call), self.context)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        while self._waiting:
            self.soon(self._waiting.popleft())

    def kill(self) -> None:
        self.dead = True
        self._waiting.clear()

    def _make(self, call: Callable[[], None]) -> None:
        if self.dead:
            return
        if self.paused:
            self._waiting.append(call)
            return
        with suppress(ProcessCrashed):  # it died of this call, which is all there is to it
            call()


# Which process a callback belongs to; tasks inherit it from whoever creates them.
PROCESS: Final[contextvars.ContextVar[Process | None]] = contextvars.ContextVar(
    "streamflow_process", default=None
)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
