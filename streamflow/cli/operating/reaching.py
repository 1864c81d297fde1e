"""Where an operator's command looks: in the log itself, or through a gateway."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import Parameter

from streamflow.cli.operating.topology import _with_log
from streamflow.cli.shared import dev_file
from streamflow.cli.shared.address import Connection, connected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from streamflow.client.http.transport import HttpTransport
    from streamflow.ports import Log

T = TypeVar("T")

_HTTP = ("http://", "https://")

Address = Annotated[
    str | None,
    Parameter(
        name=["--kafka", "--address"],
        help="HOST:PORT of Kafka, or http://HOST:PORT of a gateway. Default: STREAMFLOW_ADDRESS, the profile's, or the "
        "running `streamflow dev`.",
    ),
]


def asked(
    address: str | None,
    profile: str | None,
    namespace: str | None,
    of_log: Callable[[Log], T],
    of_gateway: Callable[[HttpTransport], Awaitable[T]],
) -> T:
    """What the log says, or a gateway that has it in hand, whichever is at the address. A gateway need not serve the namespace
    where that is ``None``.

    Raises:
        CommandError: no address is given anywhere, and no dev is running; or it is none.
        RPCError: the gateway refuses, or none is there.
    """
    target = _target(address, profile)
    if target is None or not target.startswith(_HTTP):
        return _with_log(target, profile, of_log)
    connection = Connection(address=target, namespace=namespace, profile=profile)

    async def ask() -> T:
        from streamflow.client.http.transport import HttpTransport
        from streamflow.client.wrapped import unwrapped

        async with connected(connection, lazy=namespace is None) as client:
            transport = unwrapped(client.transport)
            assert isinstance(transport, HttpTransport), target
            return await of_gateway(transport)

    return asyncio.run(ask())


def is_gateway(address: str | None, profile: str | None) -> bool:
    """Whether `asked` would ask a gateway."""
    return (_target(address, profile) or "").startswith(_HTTP)


def _target(address: str | None, profile: str | None) -> str | None:
    from streamflow.envconfig import ClientConfigProfile

    target = address or ClientConfigProfile.load(profile).address
    if target is None and (dev := dev_file.read()) is not None:
        target = dev.address
    return target
