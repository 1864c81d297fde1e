"""From a target to the transport that reaches it. Only here are the two transports named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from streamflow import wiring
from streamflow.client.transport import Transport
from streamflow.ports import LogError, StoreTaken
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.ports import Log


async def connect(
    target: str,
    *,
    namespace: str,
    create_topics: bool | None,
    config: Mapping[str, Any],
    visibility: str | None = None,
) -> Transport:
    """The transport for a target, not yet opened.

    Raises:
        ValueError: the target is none of the known forms.
        RPCError: the log cannot be opened.
    """
    if target.startswith(("http://", "https://")):
        from streamflow.client.http_transport import HttpTransport

        return HttpTransport(target, namespace)
    kind = wiring.kind_of(target)
    log = await open_log(target, config)
    from streamflow.client.log_transport import LogTransport

    creates = kind is not wiring.LogKind.KAFKA if create_topics is None else create_topics
    return LogTransport(log, namespace, create_topics=creates, visibility=visibility)


async def open_log(target: str, config: Mapping[str, Any]) -> Log:
    try:
        # Opening the embedded log reads its tail from disk.
        if wiring.kind_of(target) is wiring.LogKind.MEMORY:
            return wiring.open_log(target)
        return await asyncio.to_thread(lambda: wiring.open_log(target, config=config))
    except (LogError, StoreTaken) as error:
        raise RPCError(str(error), RPCStatusCode.UNAVAILABLE) from error


def log_of(transport: Transport) -> Log:
    from streamflow.client.log_transport import LogTransport

    if isinstance(transport, LogTransport):
        return transport.log
    raise ValueError(
        "Expected a client of a log (Kafka, embedded or memory), found one of a gateway: a Worker needs the log itself"
    )


def creates_topics(transport: Transport) -> bool:
    from streamflow.client.log_transport import LogTransport

    return isinstance(transport, LogTransport) and transport.create_topics
