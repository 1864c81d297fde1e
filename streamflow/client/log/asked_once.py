"""Questions that many callers have at once, and that the log is asked once: they share the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

T = TypeVar("T")


class AskedOnce(Generic[T]):
    """Belongs to one event loop.

    A caller who is cancelled leaves the others their answer. What the question raises, each of them is told.
    """

    def __init__(self) -> None:
        self._asking: dict[Hashable, asyncio.Task[T]] = {}

    async def __call__(self, about: Hashable, ask: Callable[[], Coroutine[object, object, T]]) -> T:
        """The answer of ``ask()``, or of the one under way about the same thing."""
        task = self._asking.get(about)
        if task is None:
            task = self._asking[about] = asyncio.ensure_future(ask())

            def done(ended: asyncio.Task[T]) -> None:
                del self._asking[about]
                if not ended.cancelled():
                    ended.exception()  # perhaps nobody is left to be told of it

            task.add_done_callback(done)
        return await asyncio.shield(task)

    def cancel(self) -> None:
        """Nobody is to be answered any more."""
        for task in tuple(self._asking.values()):
            task.cancel()
