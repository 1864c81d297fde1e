"""What pages and operations ask of the log itself, where this process has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from streamflow.client import connecting
from streamflow.client.log.patience import blocking
from streamflow.client.transport import Transport
from streamflow.ports import Log, TopicMissing
from streamflow.service import RPCError, RPCStatusCode

T = TypeVar("T")


async def asked(
    transport: Transport, what: str, ask: Callable[[Log], T], *, opens: bool = True
) -> T:
    """The log's answer; ``opens`` makes the connection first, which takes a namespace that is there.

    Raises:
        RPCError: FAILED_PRECONDITION where there is no log (``what`` says what is read from it), NOT_FOUND for a topic that is
            not there.
    """

    def found() -> T:
        try:
            return ask(log)
        except TopicMissing as error:
            raise RPCError(str(error), RPCStatusCode.NOT_FOUND) from error

    try:
        log = connecting.log_of(transport)
    except ValueError as error:
        raise RPCError(
            f"{what} are read from the log, and this process has none of its own",
            RPCStatusCode.FAILED_PRECONDITION,
        ) from error
    if opens:
        await transport.open()
    return await blocking(log, found)
