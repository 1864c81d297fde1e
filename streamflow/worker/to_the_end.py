"""Work that a cancellation must not cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress


async def to_the_end(coroutine: Awaitable[None]) -> None:
    """Awaits it whatever happens: a second cancellation would leave groups and locks held."""
    task = asyncio.ensure_future(coroutine)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()
