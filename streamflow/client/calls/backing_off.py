"""Starts that were refused for a quota are sent again for a while, as new messages: a refused one stays refused."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from streamflow.model.answers import Answer, Reason, Rejection

TOTAL_S: Final = 10.0
"""After so long, or the call's own deadline if that is sooner, the refusal is raised."""
FIRST_S: Final = 1.0
LONGEST_S: Final = 5.0
JITTER: Final = 0.2


async def until_taken(
    ask: Callable[[float | None], Awaitable[Answer]], deadline_s: float | None
) -> Answer:
    """The answer of the first attempt that no quota refuses, else the last refusal. ``ask`` is told the time it has left.

    Waits about 1 s before the second attempt and twice as long before each further one.
    """
    loop = asyncio.get_running_loop()
    began, wait_s, left_s = loop.time(), FIRST_S, deadline_s
    stop = began + (TOTAL_S if deadline_s is None else min(TOTAL_S, deadline_s))
    while True:
        answer = await ask(left_s)
        pause_s = wait_s * (1 + JITTER * (secrets.randbelow(2_001) - 1_000) / 1_000)
        refused = isinstance(answer, Rejection) and answer.reason is Reason.QUOTA_EXCEEDED
        if not refused or loop.time() + pause_s >= stop:
            return answer
        await asyncio.sleep(pause_s)
        wait_s = min(LONGEST_S, 2 * wait_s)
        left_s = None if deadline_s is None else began + deadline_s - loop.time()
