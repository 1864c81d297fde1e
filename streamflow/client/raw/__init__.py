"""Answers to requests of the model's raw services: one function for each call, of its name.

Payloads go as they are: no converter and no codec has to do with them. Not here: which calls there are
(`streamflow.service.raw`), and the messages (`streamflow.api`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from streamflow.api.message import Message
from streamflow.client.raw import attributes, places, runs, schedules, sending, steering
from streamflow.client.raw.asked import Asked, asked
from streamflow.service import ServiceClient

ANSWERS: dict[str, Callable[[Asked, Any], Awaitable[Message]]] = {
    function.__name__: function
    for function in (
        *attributes.ANSWERS,
        *places.ANSWERS,
        *runs.ANSWERS,
        *schedules.ANSWERS,
        *sending.ANSWERS,
        *steering.ANSWERS,
    )
}
"""By the names of their calls."""


async def answer(
    connection: ServiceClient,
    name: str,
    request: Message,
    timeout: timedelta | None,  # noqa: ASYNC109  # the model's name
) -> Message:
    """What the call of this name answers. Raises: RPCError."""
    return await ANSWERS[name](asked(connection, request, timeout), request)
