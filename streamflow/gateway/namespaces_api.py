"""Namespaces that a gateway serves, over HTTP: seen by their viewers, made and changed by their admins.

None is deleted: what a gateway serves is in use.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
from starlette.requests import Request

from streamflow import topology
from streamflow.client.http import api_v1_namespaces as api
from streamflow.client.transport import Transport
from streamflow.gateway import logs
from streamflow.gateway.access.guarded import may, noting, require
from streamflow.gateway.access.roles import Role
from streamflow.gateway.operations import Operations, Reply
from streamflow.gateway.requests import BadRequest, read
from streamflow.gateway.routing import NAMESPACE, Route
from streamflow.ports import Log
from streamflow.service import RPCError, RPCStatusCode
from streamflow.topology import NamespaceFacts, NamespaceSummary

T = TypeVar("T")


async def list_namespaces(operations: Operations, request: Request) -> Reply:
    """Those that were made. Whoever is granted some workflow types alone is not told what a namespace is for."""
    found: list[NamespaceSummary] = []
    for transport in operations.seen(request):
        one = await _asked(transport, partial(_summary, name=transport.namespace))
        if one is None:
            continue
        if not may(transport, Role.VIEWER):
            one = msgspec.structs.replace(one, description="")
        found.append(one)
    return api.NamespacesBody(namespaces=tuple(found))


def _summary(log: Log, name: str) -> NamespaceSummary | None:
    if not topology.is_there(log, topology.settings_topic(name)):
        return None
    return topology.summary_of(log, name)


async def describe(operations: Operations, request: Request) -> Reply:
    transport = operations.transport(request)
    require(transport, Role.VIEWER)
    return await _described(transport)


async def create(operations: Operations, request: Request) -> Reply:
    body = await read(request, api.CreateNamespaceBody)
    transport = operations.transport(request)
    try:
        declared = topology.declare(
            transport.namespace, replication_factor=body.replication_factor, dev=body.dev
        )
    except ValueError as error:
        raise BadRequest(str(error)) from error

    def make(log: Log) -> None:
        topology.make_namespace(log, declared, description=body.description, owner=body.owner)

    async def work() -> Reply:
        async with noting(
            transport,
            "CreateNamespace",
            Role.ADMIN,
            description=body.description,
            owner=body.owner,
        ):
            await _asked(transport, make)
        return await _described(transport)

    return await operations.once(request, work)


async def change(operations: Operations, request: Request) -> Reply:
    body = await read(request, api.ChangeNamespaceBody)
    transport = operations.transport(request)
    try:
        wanted = body.change()
    except ValueError as error:
        raise BadRequest(str(error)) from error
    details = {**({"queue": wanted.queue} if wanted.queue else {}), **wanted.quota, **wanted.notes}

    async def work() -> Reply:
        async with noting(transport, "ChangeNamespace", Role.ADMIN, **details):
            await _asked(
                transport, lambda log: topology.change_namespace(log, transport.namespace, wanted)
            )
        return await _described(transport)

    return await operations.once(request, work)


async def _described(transport: Transport) -> NamespaceFacts:
    return await _asked(
        transport, lambda log: topology.describe_namespace(log, transport.namespace)
    )


async def _asked(transport: Transport, ask: Callable[[Log], T]) -> T:
    """Without opening the transport, which fails where the namespace is still to be made."""

    def found(log: Log) -> T:
        try:
            return ask(log)
        except topology.NamespaceMissing as error:
            raise RPCError(str(error), RPCStatusCode.NOT_FOUND) from error

    return await logs.asked(transport, "Namespaces", found, opens=False)


NAMESPACE_ROUTES: tuple[Route, ...] = (
    Route(
        name="list_namespaces",
        method="GET",
        path="/namespaces",
        about="The namespaces that this gateway serves, as far as the caller may see them.",
        operation=list_namespaces,
        answers=(api.NamespacesBody,),
    ),
    Route(
        name="describe_namespace",
        method="GET",
        path=NAMESPACE,
        about="A namespace: its queues, topics, quotas, and the search attributes that it declares.",
        operation=describe,
        answers=(NamespaceFacts,),
    ),
    Route(
        name="create_namespace",
        method="POST",
        path=NAMESPACE,
        about="Makes the topics that a namespace of this gateway lacks, and notes what it is for.",
        operation=create,
        body=api.CreateNamespaceBody,
        answers=(NamespaceFacts,),
    ),
    Route(
        name="change_namespace",
        method="POST",
        path=NAMESPACE + "/update",
        about="Changes a namespace's quotas and notes.",
        operation=change,
        body=api.ChangeNamespaceBody,
        answers=(NamespaceFacts,),
    ),
)
