"""What stands above a connection and makes it work: the client, which knows transports and calls.

A connection does not know its client, so what the model's names need of it (`ServiceClient.connect`, raw requests) is found by
its name when it is first asked for.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from streamflow.api.message import Message
    from streamflow.service.connection import ServiceClient
    from streamflow.service.options import ConnectConfig

_CONNECTS = "streamflow.client.connecting"
_ANSWERS = "streamflow.client.raw"


async def connect(config: ConnectConfig) -> ServiceClient:
    above: Any = import_module(_CONNECTS)
    return cast("ServiceClient", await above.connect(config))


async def answer(
    connection: ServiceClient, name: str, request: Message, patience: timedelta | None
) -> Message:
    """What the client's own calls make of a raw request."""
    above: Any = import_module(_ANSWERS)
    return cast("Message", await above.answer(connection, name, request, patience))
