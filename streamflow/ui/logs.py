"""What pages ask of the log itself, where this process has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from streamflow.client import connecting
from streamflow.client.log.patience import blocking
from streamflow.ports import Log
from streamflow.ui.site import Problem, Visit

T = TypeVar("T")


async def asked(visit: Visit, what: str, ask: Callable[[Log], T]) -> T:
    """The log's answer. Raises `Problem` where there is no log: ``what`` says what is read from it."""
    try:
        log = connecting.log_of(visit.client.transport)
    except ValueError as error:
        raise Problem(
            409, f"{what} are read from the log, and this process has none of its own"
        ) from error
    await visit.client.transport.open()
    return await blocking(log, lambda: ask(log))
