"""The API over a log in memory, behind tokens of each role, and what its audit topic says afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from streamflow import audit, topology
from streamflow.client.log.transport import LogTransport
from streamflow.gateway import application
from streamflow.gateway.access import Access, AccessSettings, Grant, Role
from streamflow.gateway.access.identify import SESSION
from streamflow.gateway.access.settings import Token, hashed
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.model.audit import AuditEntry

BASE = "http://127.0.0.1"
NAMES = ("viewer", "operator", "admin", "shopkeeper", "shipper")
GRANTS = (
    Grant(role=Role.VIEWER, to=("token:viewer",)),
    Grant(role=Role.OPERATOR, to=("token:operator",)),
    Grant(role=Role.ADMIN, to=("token:admin",)),
    Grant(role=Role.ADMIN, to=("token:shopkeeper",), namespaces=("shop",)),
    Grant(role=Role.OPERATOR, to=("token:shipper",), workflow_types=("Ship",)),
)


@dataclass(frozen=True)
class Guarded:
    """Callers by the names of their tokens; ``log`` is what the gateway has behind it."""

    http: httpx.AsyncClient
    log: MemoryLog
    access: Access

    async def call(
        self, method: str, path: str, who: str, body: object = None, **headers: str
    ) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who:
            sent["authorization"] = f"Bearer {token(who)}"
        return await self.http.request(method, f"/api/v1{path}", json=body, headers=sent)

    async def refused(
        self, method: str, path: str, who: str, body: object = None, *, status: int
    ) -> str:
        """Why, of what is refused with this status."""
        answer = await self.call(method, path, who, body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        detail: str = answer.json()["detail"]
        return detail

    async def given(
        self, method: str, path: str, who: str, body: object = None, **headers: str
    ) -> Mapping[str, Any]:
        answer = await self.call(method, path, who, body, **headers)
        assert answer.status_code == 200, answer.text
        found: Mapping[str, Any] = answer.json()
        return found

    def session(self, who: str) -> str:
        """The cookie of who has logged in with a browser."""
        value = self.access.session_of_token(token(who))
        return f"{self.access.cookie_name(SESSION)}={value}"

    def audited(self, namespace: str = "default") -> Sequence[AuditEntry]:
        """Oldest first."""
        page = audit.newest(self.log, namespace, audit.Filter(), limit=1_000)
        return [one.entry for one in reversed(page.entries)]


def token(who: str) -> str:
    return f"{who}-token-{'x' * 20}"


@asynccontextmanager
async def guarded(namespaces: Sequence[str] = ("default", "shop")) -> AsyncIterator[Guarded]:
    """Each namespace with a queue ``orders`` of 2 partitions."""
    broker = MemoryBroker()
    log = MemoryLog(broker, "gateway")
    for name in namespaces:
        declared = topology.declare(name, [topology.Queue(name="orders", partitions=2)], dev=True)
        topology.apply(log, topology.plan(log, declared))
    tokens = tuple(Token(name=name, sha256=hashed(token(name))) for name in NAMES)
    access = Access(AccessSettings(tokens=tokens, grants=GRANTS, session_secret=b"s" * 32))
    transports = {name: LogTransport(MemoryLog(broker, name), name) for name in namespaces}
    app = application(transports, access=access)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as http:
        yield Guarded(http, log, access)
    await access.close()
    for transport in transports.values():
        await transport.close()
    log.close()
