"""`as_completed` without a set: awaitables become tasks in the order given, and are handed out as they end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from streamflow.coroutine.loop import TimerHandle, WorkflowLoop

T = TypeVar("T")


def in_order_of_completion(
    loop: WorkflowLoop, awaitables: Iterable[Awaitable[T]], timeout: float | None
) -> Iterator[Coroutine[Any, Any, T]]:
    """As many coroutines as awaitables; each gives the next result, or raises asyncio.TimeoutError after the timeout."""
    if isinstance(awaitables, asyncio.Future | Coroutine):
        raise TypeError("Expected an iterable of awaitables, found one awaitable")
    futures: list[asyncio.Future[Any]] = [
        asyncio.ensure_future(awaitable, loop=loop) for awaitable in dict.fromkeys(awaitables)
    ]
    return _Completion(loop, futures, timeout).results()


class _Completion:
    def __init__(
        self, loop: WorkflowLoop, futures: list[asyncio.Future[Any]], timeout: float | None
    ) -> None:
        self._loop = loop
        self._pending = dict.fromkeys(futures)
        self._done: deque[asyncio.Future[Any]] = deque()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._timed_out = False
        self._timer: TimerHandle | None = None
        for future in futures:
            future.add_done_callback(self._completed)
        if futures and timeout is not None:
            self._timer = loop.call_after(timeout, self._time_out)

    def results(self) -> Iterator[Coroutine[Any, Any, Any]]:
        for _ in range(len(self._pending) + len(self._done)):
            yield self._next()

    async def _next(self) -> Any:
        while not self._done:
            if self._timed_out:
                raise TimeoutError
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        return self._done.popleft().result()

    def _completed(self, future: asyncio.Future[Any]) -> None:
        if self._timed_out:
            return
        del self._pending[future]
        self._done.append(future)
        if not self._pending and self._timer is not None:
            self._timer.cancel()
        self._wake()

    def _time_out(self) -> None:
        self._timed_out = True
        for future in self._pending:
            future.remove_done_callback(self._completed)
        while self._waiters:
            self._wake()

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
