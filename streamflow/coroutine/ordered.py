"""Futures and tasks whose hash is the order of their creation, so that sets of them iterate alike on every replay.

asyncio keeps tasks in sets (`TaskGroup`, `wait`); ordinary hashes are addresses, which no history records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


class WorkflowFuture(asyncio.Future[T]):
    """A future of a workflow's loop, which must be set by the one that makes it: `WorkflowLoop.new_future`."""

    __slots__ = ("order",)

    def __init__(self, *, loop: asyncio.AbstractEventLoop, order: int) -> None:
        self.order = order
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.order


class WorkflowTask(asyncio.Task[T]):
    """A task of a workflow's loop."""

    __slots__ = ("context", "order")

    def __init__(
        self,
        coroutine: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        loop: asyncio.AbstractEventLoop,
        order: int,
        name: str,
        context: Context,
    ) -> None:
        self.order = order
        self.context = context
        super().__init__(coroutine, loop=loop, name=name, context=context)
        # asyncio keeps every task of the process in one set: equal hashes from many runs would make it slow.
        asyncio._unregister_task(self)

    def __hash__(self) -> int:
        return self.order
