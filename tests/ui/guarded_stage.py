"""The UI and the API behind a login: tokens, a provider, and people with several roles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from streamflow.client import Client
from streamflow.gateway import Gateway
from streamflow.gateway.access import Access, AccessSettings, Grant, Role
from streamflow.gateway.access.settings import OIDC, Token, hashed
from streamflow.gateway.server import _listening, _Server
from streamflow.testing import WorkflowEnvironment
from streamflow.timetravel import Travels
from streamflow.ui import ui_routes
from tests.openid import CLIENT, SECRET, OpenIDProvider
from tests.ui.shop import app
from tests.ui.stage import Stage

TOKENS = {
    name: f"{name}-token-{'x' * 20}"
    for name in ("viewer", "operator", "admin", "shipper", "nobody")
}
PEOPLE = {
    "ada": {"email": "ada@shop.example", "email_verified": True, "groups": ["on-call"]},
    "bo": {"email": "bo@shop.example", "email_verified": True, "groups": ["staff"]},
    "mallory": {"email": "ada@shop.example", "email_verified": False, "groups": []},
}
GRANTS = (
    Grant(role=Role.VIEWER, to=("token:viewer", "group:staff", "user:ada@shop.example")),
    Grant(role=Role.OPERATOR, to=("token:operator", "group:on-call")),
    Grant(role=Role.ADMIN, to=("token:admin",)),
    Grant(role=Role.OPERATOR, to=("token:shipper",), workflow_types=("Ship",)),
)


@dataclass(frozen=True)
class GuardedStage(Stage):
    """A stage whose ``http`` has no token and no session yet."""

    access: Access
    provider: OpenIDProvider

    def bearer(self, name: str) -> dict[str, str]:
        return {"authorization": f"Bearer {TOKENS.get(name, name)}"}

    async def api(
        self, method: str, path: str, who: str, body: object = None, **headers: str
    ) -> httpx.Response:
        """A call as a program makes it: without an origin, and without this stage's cookies."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as http:
            return await http.request(
                method,
                f"/api/v1{path}",
                json=body,
                headers={**(self.bearer(who) if who else {}), **headers},
            )

    async def log_in(self, name: str) -> httpx.Response:
        return await self.http.post("/auth/login", data={"token": TOKENS[name]})

    async def come_back_as(self, person: str) -> httpx.Response:
        """Through the provider, with redirects followed by hand, as a browser would."""
        sent = await self.http.get("/auth/oidc?next=/ui/default/queues")
        assert sent.status_code == 303, sent.text
        async with httpx.AsyncClient(timeout=30) as elsewhere:
            chosen = await elsewhere.get(f"{sent.headers['location']}&person={person}")
        return await self.http.get(chosen.headers["location"])


@asynccontextmanager
async def guarded_stage(folder: Path) -> AsyncIterator[GuardedStage]:
    listening = _listening("127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    provider = OpenIDProvider(issuer, PEOPLE)
    config = uvicorn.Config(provider.app(), log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    settings = AccessSettings(
        tokens=tuple(Token(name=name, sha256=hashed(token)) for name, token in TOKENS.items()),
        oidc=OIDC(
            issuer=issuer,
            client_id=CLIENT,
            client_secret=SECRET,
            audiences=(CLIENT, "shop-api"),
            label="the shop",
        ),
        grants=GRANTS,
        session_secret=b"s" * 32,
    )
    access = Access(settings)
    async with await WorkflowEnvironment.start_local() as environment:
        client: Client = environment.client
        travels = Travels([app.code()])
        gateway = Gateway(
            {client.namespace: client.transport},
            access=access,
            extra_routes=ui_routes({client.namespace: client}, access, travels=travels),
        )
        async with app.worker(client, state_dir=folder, partitions=1), gateway:
            headers = {"origin": gateway.url}
            async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=30) as http:
                yield GuardedStage(gateway.url, client, http, access, provider)
        await travels.close()
        await access.close()
    server.should_exit = True
    await serving
    listening.close()
