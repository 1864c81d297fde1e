"""Calls of a log that may wait for a broker, made from an event loop."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from streamflow import topology
from streamflow.ports import LogError, Unavailable
from streamflow.service import RPCError, RPCStatusCode
from streamflow.threads import off_the_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamflow.ports import Log

T = TypeVar("T")

AGAIN_AFTER_S = 0.2


async def blocking(log: Log, call: Callable[[], T], *, patience_s: float = 0) -> T:
    """Makes a call of the log `off_the_loop`, and says what goes wrong as a client's callers know it.

    With patience, a call that cannot be answered now is made again: new topics have no leader for a moment.

    Raises:
        RPCError: UNAVAILABLE for what the log cannot answer, FAILED_PRECONDITION for topics that are not as they
            should be.
    """
    began = time.monotonic()
    while True:
        try:
            return await off_the_loop(log, call)
        except Unavailable as error:
            if time.monotonic() - began + AGAIN_AFTER_S > patience_s:
                raise RPCError(str(error), RPCStatusCode.UNAVAILABLE) from error
        except LogError as error:
            raise RPCError(str(error), RPCStatusCode.UNAVAILABLE) from error
        except (topology.QueueMismatch, topology.PlanRefused) as error:
            raise RPCError(str(error), RPCStatusCode.FAILED_PRECONDITION) from error
        await asyncio.sleep(AGAIN_AFTER_S)
