"""Skipping time: when someone waits for a result and nothing is going on, the clock moves to the next timer.

Quiet means: nobody holds time still (an activity runs), and for some rounds of the event loop nothing but our own
callback was ready to run. No real sleeping is involved, and a test that merely has work scheduled is not quiet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from streamflow.memory.clock import MemoryClock
from streamflow.memory.processes import Agenda

# What arrives from other threads or sockets needs a round of the loop to show itself, and its answer another.
_QUIET_ROUNDS: Final = 3
# On a loop that hides its queue, rounds are all there is to go by.
_QUIET_ROUNDS_BLIND: Final = 50


class TimeSkipper:
    """Watches a broker's event loop, while asked to."""

    def __init__(self, clock: MemoryClock, agenda: Agenda) -> None:
        self._clock = clock
        self._agenda = agenda
        self._wanted = 0
        self._held = 0
        self._watching: asyncio.AbstractEventLoop | None = None
        self._quiet_rounds = 0
        clock.on_timer_set(self._look)

    @contextmanager
    def skipping(self) -> Generator[None]:
        """Somebody waits for something that only time brings."""
        self._wanted += 1
        self._look()
        try:
            yield
        finally:
            self._wanted -= 1

    @contextmanager
    def hold(self) -> Generator[None]:
        """Something is going on that takes real time: none is skipped meanwhile."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._look()

    def _look(self) -> None:
        if not self._wanted or self._held or self._clock.moves_itself:
            return
        loop = self._agenda.loop
        if loop is None or self._watching is loop:
            return
        self._watching, self._quiet_rounds = loop, 0
        if self._agenda.on_loop():
            loop.call_soon(self._round)
        else:
            loop.call_soon_threadsafe(self._round)

    def _round(self) -> None:
        loop, self._watching = self._watching, None
        assert loop is not None
        if not self._wanted or self._held:
            return
        ready = _ready_calls(loop)
        self._quiet_rounds = self._quiet_rounds + 1 if not ready else 0
        if self._quiet_rounds >= (_QUIET_ROUNDS_BLIND if ready is None else _QUIET_ROUNDS):
            self._quiet_rounds = 0
            due_ms = self._clock.next_due_ms()
            if due_ms is None:
                return  # setting a timer looks again
            self._clock.skip_to(due_ms)
        self._watching = loop
        loop.call_soon(self._round)


def _ready_calls(loop: asyncio.AbstractEventLoop) -> int | None:
    """How many calls are ready besides the running one; ``None`` if the loop does not tell."""
    ready = getattr(loop, "_ready", None)
    return None if ready is None else len(ready)
