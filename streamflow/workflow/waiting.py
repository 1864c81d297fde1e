"""Waiting for time, for a condition, or for several things at once, in an order that replays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from streamflow.coroutine.completion import in_order_of_completion
from streamflow.coroutine.context import current
from streamflow.workflow.durations import seconds

T = TypeVar("T")
FutureT = TypeVar("FutureT", bound="asyncio.Future[Any]")


async def sleep(duration: float | timedelta, *, summary: str | None = None) -> None:
    """Returns after this time (seconds or a timedelta), however often the program is restarted meanwhile."""
    instance = current()
    delay_s = seconds(duration)
    if delay_s <= 0:
        await asyncio.sleep(0)  # gives others their turn; no timer
        return
    future = instance.loop.create_future()
    timer = instance.loop.call_after(delay_s, _wake, future, summary=summary or "")
    try:
        await future
    finally:
        timer.cancel()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def wait_condition(
    fn: Callable[[], bool],
    *,
    timeout: timedelta | float | None = None,  # noqa: ASYNC109  # a durable one
    timeout_summary: str | None = None,
) -> None:
    """Returns when ``fn()`` is true. It is asked whenever the run's code has come to rest.

    Raises:
        asyncio.TimeoutError: it was not within the timeout.
    """
    limit = None if timeout is None else seconds(timeout)
    instance = current()
    if instance.loop.evicting:
        # Left waiting rather than refused: code that swallows the refusal and waits again would never come back.
        await instance.loop.create_future()
    instance.refuse_changes("wait for a condition")
    await instance.conditions.wait(fn, limit, timeout_summary or "")


async def wait(
    fs: Iterable[FutureT],
    *,
    timeout: float | None = None,  # noqa: ASYNC109  # a durable one
    return_when: str = asyncio.ALL_COMPLETED,
) -> tuple[list[FutureT], list[FutureT]]:
    """Like `asyncio.wait`, with lists in the order given in place of sets: (done, pending)."""
    futures = list(dict.fromkeys(fs))
    if any(asyncio.iscoroutine(future) for future in futures):
        raise TypeError(
            "Expected tasks or futures, found a coroutine; wrap it in asyncio.create_task"
        )
    if not futures:
        raise ValueError("Expected at least one task or future, found none")
    await asyncio.wait(futures, timeout=timeout, return_when=return_when)
    done = [future for future in futures if future.done()]
    return done, [future for future in futures if not future.done()]


def as_completed(
    fs: Iterable[Awaitable[T]], *, timeout: float | None = None
) -> Iterator[Coroutine[Any, Any, T]]:
    """Like `asyncio.as_completed`, in an order that replays: coroutines that give the results as they come."""
    return in_order_of_completion(current().loop, fs, timeout)
