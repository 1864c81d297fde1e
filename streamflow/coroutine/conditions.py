"""What code waits for to become true. Checked whenever nothing else can run, until nothing more comes of it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import NamedTuple

from streamflow.coroutine.loop import WorkflowLoop


class Waiting(NamedTuple):
    """A condition, and the future of whoever waits for it."""

    condition: Callable[[], bool]
    future: asyncio.Future[None]
    context: contextvars.Context


class Conditions:
    """The waiting conditions of one run, in the order in which they were begun."""

    def __init__(self, loop: WorkflowLoop) -> None:
        self._loop = loop
        self._waiting: list[Waiting] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def waiting(self) -> list[Waiting]:
        """In the order in which they were begun."""
        return [*self._waiting]

    async def wait(
        self, condition: Callable[[], bool], timeout_s: float | None, summary: str
    ) -> None:
        """Returns when the condition holds.

        Raises:
            asyncio.TimeoutError: it did not within the timeout.
        """
        if timeout_s is not None and timeout_s <= 0:
            if condition():
                return
            raise TimeoutError
        future = self._loop.create_future()
        waiting = Waiting(condition, future, contextvars.copy_context())
        if timeout_s is None:
            self._waiting.append(waiting)
            await future
            return
        timer = self._loop.call_after(timeout_s, _time_out, future, summary=summary)
        self._waiting.append(waiting)
        try:
            await future
        finally:
            timer.cancel()

    def check(self) -> bool:
        """Wakes whose condition holds; a condition that raises wakes its waiter with that. Whether any was woken."""
        still: list[Waiting] = []
        woken = False
        for waiting in self._waiting:
            condition, future, context = waiting
            if future.done():
                continue
            try:
                holds = context.run(condition)
            except Exception as error:
                future.set_exception(error)
                woken = True
                continue
            if holds:
                future.set_result(None)
                woken = True
            else:
                still.append(waiting)
        self._waiting = still
        return woken


def _time_out(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
