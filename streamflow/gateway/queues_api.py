"""Who serves a task queue, for viewers of its namespace: by the page and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from starlette.requests import Request

from streamflow.client.http import api_v1_queues as api
from streamflow.client.transport import Transport
from streamflow.gateway import logs
from streamflow.gateway.access.guarded import require
from streamflow.gateway.access.roles import Role
from streamflow.gateway.operations import Operations, Reply
from streamflow.gateway.routing import NAMESPACE, Route
from streamflow.model.processes import ProcessReport
from streamflow.model.queues import QueueEntry
from streamflow.ports import Log
from streamflow.service import RPCError, RPCStatusCode
from streamflow.topology import Share, fresh_reports, shares


async def entry_of(transport: Transport, queue: str) -> QueueEntry:
    """What the directory says of it. Raises `RPCError`: NOT_FOUND, or PERMISSION_DENIED to who is no viewer of the namespace."""
    require(transport, Role.VIEWER)
    entries = await transport.queues()
    entry = entries.get(queue)
    if entry is None:
        known = ", ".join(sorted(entries)) or "none"
        raise RPCError(
            f"Expected a task queue, found {queue!r}; there are: {known}", RPCStatusCode.NOT_FOUND
        )
    return entry


async def serving(
    transport: Transport, entry: QueueEntry
) -> tuple[list[Share], Mapping[str, ProcessReport]]:
    """Each partition as its group's coordinator sees it, and what its processors report of themselves."""
    require(transport, Role.VIEWER)
    namespace, now_ms = transport.namespace, transport.now_ms()

    def look(log: Log) -> tuple[list[Share], Mapping[str, ProcessReport]]:
        reports = fresh_reports(log, namespace, entry.name, now_ms=now_ms)
        return shares(log, namespace, entry), reports

    return await logs.asked(transport, "Partitions", look)


async def list_partitions(operations: Operations, request: Request) -> Reply:
    transport = operations.transport(request)
    entry = await entry_of(transport, unquote(request.path_params["queue"]))
    found, reports = await serving(transport, entry)
    return api.PartitionsBody(
        partitions=tuple(api.PartitionBody.of(share, reports) for share in found)
    )


QUEUE_ROUTES: tuple[Route, ...] = (
    Route(
        name="list_partitions",
        method="GET",
        path=NAMESPACE + "/queues/{queue}/partitions",
        about="Each partition of a task queue: who has it, how much is still to be read, how far it is restored, and who stands by.",
        operation=list_partitions,
        answers=(api.PartitionsBody,),
    ),
)
