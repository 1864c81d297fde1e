"""Namespaces over a gateway that serves them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from streamflow.client.http import api_v1_namespaces as api
from streamflow.client.http.transport import HttpTransport
from streamflow.client.http.words import given, quoted
from streamflow.client.transport import DEADLINE_S
from streamflow.topology import NamespaceChange, NamespaceFacts, NamespaceSummary

MAKE_S = 60.0
"""Topics are made one after the other."""


class HttpNamespaces:
    """Every method raises `RPCError`, NOT_FOUND for a namespace that the gateway does not serve."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def all(self) -> Sequence[NamespaceSummary]:
        found = await self._transport.get("/namespaces", {}, api.NamespacesBody, DEADLINE_S)
        return given(found).namespaces

    async def one(self, name: str) -> NamespaceFacts:
        return given(await self._transport.get(_path(name), {}, NamespaceFacts, DEADLINE_S))

    async def create(
        self,
        name: str,
        description: str,
        owner: str,
        *,
        replication_factor: int | None,
        dev: bool,
    ) -> None:
        body = api.CreateNamespaceBody(
            description=description, owner=owner, replication_factor=replication_factor, dev=dev
        )
        await self._post(_path(name), body)

    async def change(self, name: str, change: NamespaceChange) -> None:
        await self._post(f"{_path(name)}/update", api.ChangeNamespaceBody.of(change))

    async def _post(self, path: str, body: object) -> None:
        message_id = secrets.token_hex(16)
        answer = await self._transport.post(path, {}, body, NamespaceFacts, MAKE_S, message_id)
        given(answer)


def _path(name: str) -> str:
    return f"/namespaces/{quoted(name)}"
