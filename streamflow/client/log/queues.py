"""What a client knows of the queues that it speaks to: where their inboxes are, and who is there to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from streamflow import topology
from streamflow.client.log.asked_once import AskedOnce
from streamflow.client.log.patience import blocking
from streamflow.client.transport import DEADLINE_S
from streamflow.model.queues import QueueEntry
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.model.ids import WorkflowId
    from streamflow.ports import Log

LIVENESS_FRESH_S = 1.0
"""For so long, what was seen of a queue's processors is believed by all requests that ask."""


class Route(NamedTuple):
    """The inbox of a queue."""

    topic: str
    partitions: int

    def partition_of(self, workflow_id: WorkflowId) -> int:
        return topology.partition_for(workflow_id, self.partitions)


class Queues:
    """The queues of one namespace, as one client has come to know them."""

    def __init__(self, log: Log, namespace: str) -> None:
        self._log = log
        self._namespace = namespace
        self._entries: dict[str, QueueEntry] = {}
        self._routes: dict[str, Route] = {}
        self._live: dict[str, tuple[float, frozenset[str]]] = {}
        self._asking_members = AskedOnce[frozenset[str]]()

    async def all(self) -> Mapping[str, QueueEntry]:
        """Every queue of the namespace, read now."""
        found = await blocking(self._log, lambda: topology.read_queues(self._log, self._namespace))
        self._entries = dict(found)
        return self._entries

    async def route(self, queue: str, *, create: bool) -> Route:
        """Where the queue's commands go. Raises `RPCError` (NOT_FOUND) if it is not there and not to be made."""
        route = self._routes.get(queue)
        if route is None:
            route = self._routes[queue] = await self._find(queue, create=create)
        return route

    async def _find(self, queue: str, *, create: bool) -> Route:
        entry = self._entries.get(queue)
        if entry is None:
            entry = await blocking(
                self._log, lambda: self._ensure(queue, create=create), patience_s=DEADLINE_S
            )
            self._entries[queue] = entry
        if entry.kind != "workflow":
            raise RPCError(
                f"Expected a queue for workflows, found {queue!r} to be for activities only",
                RPCStatusCode.INVALID_ARGUMENT,
            )
        return Route(topology.inbox_topic(self._namespace, queue), entry.partitions)

    def _ensure(self, queue: str, *, create: bool) -> QueueEntry:
        try:
            return topology.ensure_queue(
                self._log, self._namespace, queue, kind="workflow", create=create
            )
        except topology.QueueMissing as error:
            raise RPCError(str(error), RPCStatusCode.NOT_FOUND) from error

    async def live_members(self, queue: str) -> frozenset[str]:
        """Names of the processors of a queue, as their coordinator saw them within the last second."""
        loop = asyncio.get_running_loop()
        seen_at, names = self._live.get(queue, (float("-inf"), frozenset()))
        if loop.time() - seen_at <= LIVENESS_FRESH_S:
            return names
        return await self._asking_members(queue, lambda: self._ask_members(queue))

    async def _ask_members(self, queue: str) -> frozenset[str]:
        group = topology.processor_group(self._namespace, queue)
        names = await blocking(self._log, lambda: self._log.live_members(group))
        self._live[queue] = (asyncio.get_running_loop().time(), names)
        return names

    def close(self) -> None:
        """Questions under way are given up."""
        self._asking_members.cancel()
