"""Pages of a gateway that has no keys: a codec server decodes for it, and is told for whom."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import uvicorn

from examples.encryption.codec import EncryptionCodec
from streamflow.client import Client
from streamflow.contrib.remote_codec import Caller, RemoteCodec, codec_app
from streamflow.converter import DataConverter
from streamflow.gateway import application
from streamflow.gateway.access.identify import asking_user
from streamflow.gateway.server import _listening, _Server
from streamflow.ui import ui_routes
from tests.integration.cli.processes import Shell
from tests.ui.guarded_stage import TOKENS, GuardedStage, guarded_stage
from tests.ui.shop import QUEUE

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[GuardedStage]:
    async with guarded_stage(tmp_path) as stage:
        yield stage


async def test_a_page_shows_what_the_codec_server_decodes_for_this_person(
    stage: GuardedStage,
) -> None:
    """The gateway has no key; whom the server refuses sees that it did, and everything but the value."""
    keys = EncryptionCodec({"k": b"k" * 32}, "k")
    asked: list[Caller] = []

    async def allow(caller: Caller) -> bool:
        asked.append(caller)
        return caller.token == "of the gateway" and caller.user == "token:operator"

    encrypting = Client(
        stage.client.service_client,
        data_converter=replace(DataConverter.default, payload_codec=keys),
    )
    await encrypting.start_workflow("Ship", {"to": "Ada"}, id="ship-1", task_queue=QUEUE)
    remote = RemoteCodec(
        "http://codec",
        headers=lambda: {"authorization": "Bearer of the gateway", **asking_user()},
        transport=httpx.ASGITransport(codec_app(keys, allow=allow)),
    )
    keyless = Client(
        stage.client.service_client,
        data_converter=replace(DataConverter.default, payload_codec=remote),
    )
    app = application(
        {"default": keyless.transport},
        access=stage.access,
        extra_routes=ui_routes({"default": keyless}, stage.access),
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        path = "/ui/default/workflow?id=ship-1"
        seen = await http.get(path, headers=stage.bearer("operator"))
        refused = await http.get(path, headers=stage.bearer("viewer"))

    assert "Ada" in seen.text
    assert refused.status_code == 200
    assert "Ada" not in refused.text
    assert "found 403" in refused.text
    assert {caller.user for caller in asked} == {"token:operator", "token:viewer"}


async def test_commands_send_their_token_and_ask_the_codec_server(
    stage: GuardedStage, tmp_path: Path
) -> None:
    """Both from the environment; without a token the command says what is needed."""
    keys = EncryptionCodec({"k": b"k" * 32}, "k")

    async def allow(caller: Caller) -> bool:
        return caller.token == "of the command"

    listening = _listening("127.0.0.1", 0)
    app = codec_app(keys, allow=allow)
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    shell = Shell(tmp_path)
    shell.environment |= {
        "STREAMFLOW_ADDRESS": stage.url,
        "STREAMFLOW_CODEC_ENDPOINT": f"http://127.0.0.1:{listening.getsockname()[1]}",
        "STREAMFLOW_CODEC_TOKEN": "of the command",
    }
    words = ("workflow", "start", "Ship", "-q", QUEUE, "--id", "ship-1", "-i", '{"to": "Ada"}')
    nobody = await asyncio.to_thread(shell.run, *words)
    shell.environment["STREAMFLOW_API_KEY"] = TOKENS["operator"]
    started = await asyncio.to_thread(shell.run, *words)
    history = await asyncio.to_thread(shell.run, "workflow", "history", "ship-1")
    server.should_exit = True
    await serving
    listening.close()

    assert nobody.returncode == 1
    assert "Expected Authorization: Bearer TOKEN, found nobody" in nobody.stderr
    assert started.returncode == 0, started.stderr
    stored = await stage.api("GET", "/namespaces/default/workflows/ship-1/history", "viewer")
    assert base64.b64encode(b"binary/encrypted").decode() in stored.text
    assert history.returncode == 0, history.stderr
