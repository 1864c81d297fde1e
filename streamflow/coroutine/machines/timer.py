"""A durable timer: what `sleep`, `wait_condition`, `asyncio.timeout` and every other delay become.

    CREATED --SENT--> STARTED --FIRED--> DONE
       |                 |
     CANCEL            CANCEL (intent: cancel timer)
       v                 v
    DROPPED          CANCELED

A timer that has fired may still be cancelled by asyncio, which cancels what it no longer needs: nothing happens. One that was
cancelled may still fire, while its intent waits in a full step's outbox: nothing happens either.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final

from streamflow.coroutine.loop import TimerHandle, WorkflowLoop
from streamflow.coroutine.machines.transitions import misfit, next_state
from streamflow.coroutine.operations import Operations, Resolution
from streamflow.coroutine.source import Place
from streamflow.model.events import TimerFired
from streamflow.model.ids import Op
from streamflow.model.intents import CancelTimer, StartTimer

DELAY_S_MAX: Final = 4e15
"""Over a hundred million years: a longer timer, such as of `sys.maxsize`, is as good as this one, whose end has room in 64 bits."""


class State(IntEnum):
    CREATED = 1
    STARTED = 2
    DONE = 3
    DROPPED = 4
    CANCELED = 5


class Cue(IntEnum):
    SENT = 1
    FIRED = 2
    CANCEL = 3


TABLE: dict[tuple[State, Cue], State] = {
    (State.CREATED, Cue.SENT): State.STARTED,
    (State.CREATED, Cue.CANCEL): State.DROPPED,
    (State.STARTED, Cue.FIRED): State.DONE,
    (State.STARTED, Cue.CANCEL): State.CANCELED,
    (State.DONE, Cue.CANCEL): State.DONE,
    (State.DROPPED, Cue.CANCEL): State.DROPPED,
    (State.CANCELED, Cue.CANCEL): State.CANCELED,
    (State.CANCELED, Cue.FIRED): State.CANCELED,
}
_ENDED = frozenset({State.DONE, State.DROPPED, State.CANCELED})


class TimerMachine:
    """One timer and the delayed call that it makes."""

    __slots__ = (
        "_duration_ms",
        "_handle",
        "_loop",
        "_operations",
        "_summary",
        "op",
        "place",
        "state",
    )

    def __init__(
        self,
        operations: Operations,
        loop: WorkflowLoop,
        handle: TimerHandle,
        *,
        delay_s: float,
        summary: str = "",
    ) -> None:
        self.op = Op(0)
        self.place: Place | None = None
        self.state = State.CREATED
        self._operations = operations
        self._loop = loop
        self._handle: TimerHandle | None = handle
        """``None`` once it has been made or is not wanted."""
        # Rounded to a hundredth first: 0.1 s in binary is a little more than 100 ms.
        duration_ms = math.ceil(round(min(delay_s, DELAY_S_MAX) * 1_000, 2))
        self._duration_ms = max(1, duration_ms)
        self._summary = summary
        operations.begin(self)

    @property
    def dropped(self) -> bool:
        return self.state is State.DROPPED

    @property
    def ended(self) -> bool:
        return self.state in _ENDED

    def intent(self) -> StartTimer:
        self._step(Cue.SENT)
        return StartTimer(op=self.op, duration_ms=self._duration_ms, summary=self._summary)

    def cancel_intent(self) -> CancelTimer:
        return CancelTimer(op=self.op)

    def part(self) -> None:
        self._handle = None

    def cancel(self) -> None:
        before = self.state
        self._step(Cue.CANCEL)
        self.part()
        if before is State.STARTED:
            self._operations.cancel(self)

    def resolve(self, event: Resolution) -> None:
        if type(event) is not TimerFired:
            raise misfit(event, self, self.place)
        self._step(Cue.FIRED)
        if self._handle is not None:
            self._loop.fire(self._handle)
            self.part()

    def _step(self, cue: Cue) -> None:
        self.state = next_state(TABLE, self.state, cue, self, self.place)

    def __str__(self) -> str:
        return f"timer {self.op} of {self._duration_ms} ms"
