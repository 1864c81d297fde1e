"""Makes sure that somebody runs schedules before one is spoken to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from streamflow.schedules import SCHEDULES_QUEUE
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.client.log.transport import LogTransport
    from streamflow.schedules.hosting import Host


class ScheduleHosting:
    """Of one transport. Where topics are made on demand, so is the host, in this process."""

    def __init__(self, transport: LogTransport) -> None:
        self._transport = transport
        self._starting = asyncio.Lock()
        self._host: Host | None = None

    async def ensure(self) -> None:
        """Raises `RPCError` if nobody runs schedules, and it is not for this client to begin.

        A host elsewhere is looked for each time: it may have ended.
        """
        async with self._starting:
            if self._host is None:
                await self._find_or_start()

    async def _find_or_start(self) -> None:
        transport = self._transport
        if await transport.live_members(SCHEDULES_QUEUE):
            return
        if not transport.create_topics:
            raise RPCError(
                f"Expected a process that runs the schedules of namespace {transport.namespace!r}, found none: start one "
                "with `streamflow schedule serve`",
                RPCStatusCode.FAILED_PRECONDITION,
            )
        # Not at the top: a client is made of a transport.
        from streamflow.client.client import Client
        from streamflow.schedules.hosting import start_host

        self._host = await start_host(Client(transport))

    async def stop(self) -> None:
        if self._host is not None:
            await self._host.stop()
            self._host = None
