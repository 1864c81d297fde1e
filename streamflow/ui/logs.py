"""What pages ask of the log itself, where this process has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from streamflow.gateway import logs
from streamflow.ports import Log
from streamflow.ui.site import Visit

T = TypeVar("T")


async def asked(visit: Visit, what: str, ask: Callable[[Log], T]) -> T:
    """The log's answer. Raises `RPCError` where there is no log: ``what`` says what is read from it."""
    return await logs.asked(visit.client.transport, what, ask)
