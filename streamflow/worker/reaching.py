"""Waiting for a log that is away as a worker starts: an outage that lasts minutes needs nobody who starts it again.

What ends in another error than `Unavailable` (credentials, grants, unsafe topics) would not get better by waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from streamflow.observability import get_logger
from streamflow.ports import Unavailable
from streamflow.service import RPCError

_log = get_logger("worker")
_T = TypeVar("_T")

AWAITED_S = 300.0
"""After so long the worker ends with what the log's client said: whoever runs it may know better."""

FIRST_WAIT_S = 0.5
WAIT_S_MAX = 10.0


class StoppedWaiting(Exception):
    """The worker was told to stop before the log could be reached."""


async def once_reached(
    call: Callable[[], Awaitable[_T]], address: str, *, stopping: asyncio.Event | None = None
) -> _T:
    """What the call returns, made again with growing pauses as long as the log is away. ``address`` is for the warnings.

    Raises:
        Unavailable: the log was away for `AWAITED_S`; of a client's call: RPCError.
        StoppedWaiting: ``stopping`` was set meanwhile.
    """
    clock = asyncio.get_running_loop()
    began, wait_s = clock.time(), FIRST_WAIT_S
    while True:
        try:
            return await call()
        except (Unavailable, RPCError) as error:
            left_s = AWAITED_S - (clock.time() - began)
            if not _is_away(error) or left_s <= 0:
                raise
            wait_s = min(wait_s, left_s)
            _log.warning(
                "log_unavailable",
                address=address,
                reason=str(error),
                again_in_s=round(wait_s, 1),
                gives_up_in_s=round(left_s),
                advice="Nothing is wrong if the log is just restarting. Otherwise look at the address.",
            )
        await _pause(wait_s, stopping)
        wait_s = min(2 * wait_s, WAIT_S_MAX)


def _is_away(error: Unavailable | RPCError) -> bool:
    """A client's call wraps what the log said."""
    return isinstance(error, Unavailable) or isinstance(error.__cause__, Unavailable)


async def _pause(seconds: float, stopping: asyncio.Event | None) -> None:
    if stopping is None:
        await asyncio.sleep(seconds)
        return
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
    if stopping.is_set():
        raise StoppedWaiting
