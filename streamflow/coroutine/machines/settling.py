"""An outcome on its way to the code that waits for it.

In the model an activity or a child is a task that waits for its result, so what it ended with reaches the code some turns of
the loop after the event, and a cancellation that comes meanwhile wins:

    event --> first turn --> second turn: the handle is done --> who awaits it goes on         activities, results of children
    event --> first turn: the future is done --> who awaits it goes on                         starts of children, signals

Runs that began before that was so are told at once (`flags.Flag.OUTCOMES_TAKE_TURNS`).
"""

from __future__ import annotations

import asyncio
from typing import Any

from streamflow.coroutine.loop import WorkflowLoop

TASK, DIRECT = 2, 1
"""Turns to a handle that is a task in the model, and to a future that the code itself awaits."""


class Settling:
    """Settles a future some turns later, unless it is cancelled before."""

    __slots__ = (
        "_cancelled",
        "_error",
        "_future",
        "_loop",
        "_message",
        "_passed",
        "_result",
        "_turns",
    )

    def __init__(
        self,
        loop: WorkflowLoop,
        future: asyncio.Future[Any],
        turns: int,
        *,
        result: Any = None,
        error: BaseException | None = None,
    ) -> None:
        self._loop = loop
        self._future: Any = future
        self._turns = turns
        self._result = result
        self._error = error
        self._passed = False
        self._cancelled = False
        self._message: Any = None
        loop.call_soon(self._first_turn)

    def cancel(self, message: Any | None) -> bool:
        """Lets the code hear of its cancellation instead, as soon as it would in the model."""
        if not self._cancelled:
            self._cancelled, self._message = True, message
            if self._turns == DIRECT:
                self._settle()
            elif not self._passed:
                self._loop.call_soon(self._settle)
        return True

    def _first_turn(self) -> None:
        self._passed = True
        if self._cancelled:
            return
        if self._turns == DIRECT:
            self._settle()
        else:
            self._loop.call_soon(self._settle)

    def _settle(self) -> None:
        # Without this cycle the future is freed as soon as the code lets go.
        self._future._machine = None
        if self._cancelled:
            # Not by the future's own class, which asks its machine.
            asyncio.Future[Any].cancel(self._future, self._message)
        elif self._error is not None:
            self._future.set_exception(self._error)
        else:
            self._future.set_result(self._result)
