"""Runs until told to stop: signals become a shutdown, and an error of a worker its end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Coroutine
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Runs ``work``; SIGINT and SIGTERM cancel it, which is how it is told to shut down, and are no error.

    Only the first of them does: a second cancellation would cut the shutdown short. A second Ctrl-C ends the process
    at once, which loses nothing but the time of a restart.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if stopped:
            return
        stopped = True
        task.cancel()
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        await _settled(task)
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
    if not (stopped and task.cancelled()):
        task.result()


async def _settled(task: Awaitable[None]) -> None:
    assert isinstance(task, asyncio.Task)
    await asyncio.wait([task])
