"""Makes sure that somebody keeps the activities that clients start, on a log that lives within this process.

Elsewhere the activity workers do (`streamflow.worker.hosts.standalone`), and what is asked before there is one waits in the log. A
log in memory or in a folder stands in for the whole deployment: there an activity can be described, listed, cancelled and
refused a second time before the first worker comes, and after the last has gone.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from streamflow.client.log.patience import blocking
from streamflow.model import standalone
from streamflow.model.commands import Command, ControlActivity, StartWorkflow
from streamflow.topology import ensure_queue

if TYPE_CHECKING:
    from streamflow.client.log.transport import LogTransport

_HOST = "streamflow.worker.hosts.standalone_host"
"""A Worker stands above clients, so it is found by its name."""


QUEUES_KNOWN_MAX = 1_000
"""Queues that are not looked for again; those beyond are, each time."""


class Host(Protocol):
    """Who keeps them."""

    async def stop(self) -> None: ...


class ActivityHosting:
    """Of one transport, and begun at most once for each log and namespace of a process."""

    def __init__(self, transport: LogTransport) -> None:
        self._transport = transport
        self._starting = asyncio.Lock()
        self._host: Host | None = None
        self._queues: set[str] = set()

    async def ensure(self, command: Command) -> None:
        """Before the command is sent. The queue of an activity's tasks is made too: its worker may come later."""
        transport = self._transport
        if not transport.create_topics or not getattr(transport.log, "within_process", False):
            return
        async with self._starting:
            if self._host is None:
                # Not at the top: a client is made of a transport.
                from streamflow.client.client import Client

                module: Any = import_module(_HOST)
                self._host = cast("Host | None", await module.start(Client(transport)))
            if isinstance(command, StartWorkflow):
                await self._ensure_queue(standalone.decode_spec(command.args[0]).queue)
            elif isinstance(command, ControlActivity) and command.options is not None:
                await self._ensure_queue(command.options.to.queue)

    async def _ensure_queue(self, queue: str) -> None:
        log, namespace = self._transport.log, self._transport.namespace
        if not queue or queue in self._queues:
            return
        await blocking(
            log, lambda: ensure_queue(log, namespace, queue, kind="activity", create=True)
        )
        if len(self._queues) < QUEUES_KNOWN_MAX:
            self._queues.add(queue)

    async def stop(self) -> None:
        if self._host is not None:
            await self._host.stop()
            self._host = None
