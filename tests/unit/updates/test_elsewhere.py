"""Updates through the HTTP API and from a shell, and on the embedded log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.cli.shared.exits import ExitCode, run
from streamflow.client import (
    Client,
    RPCError,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from streamflow.client.http.transport import HttpTransport
from streamflow.common import WorkflowIDConflictPolicy
from streamflow.exceptions import ApplicationError, WorkflowAlreadyStartedError
from streamflow.gateway import Gateway, application
from streamflow.testing import WorkflowEnvironment
from tests.unit.updates.stage import QUEUE, serving, worker

pytestmark = pytest.mark.asyncio


@workflow.defn
class Box:
    def __init__(self) -> None:
        self.things: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: "end" in self.things)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.things

    @workflow.update
    async def put(self, thing: str, wait_for: str = "") -> int:
        self.things.append(thing)
        await workflow.wait_condition(lambda: not wait_for or wait_for in self.things)
        return len(self.things)

    @put.validator
    def _refuse(self, thing: str, wait_for: str = "") -> None:
        if thing == "bomb":
            raise ApplicationError("no bombs", type="Bomb")


@pytest_asyncio.fixture(params=["http", "local"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """Through the HTTP API, and on the embedded log."""
    if request.param == "local":
        async with (
            await WorkflowEnvironment.start_local() as env,
            serving(env.client, [Box], cached=1_000),
        ):
            yield env.client
        return
    async with worker([Box]) as direct:
        asgi = httpx.ASGITransport(application({"default": direct.transport}))
        async with Client(HttpTransport("http://localhost", "default", transport=asgi)) as client:
            yield client


async def test_updates_are_sent_awaited_and_refused(client: Client) -> None:
    handle = await client.start_workflow(Box.run, id="w", task_queue=QUEUE)
    assert await handle.execute_update("put", "pen") == 1

    waiting = await handle.start_update(
        "put", args=["cup", "lid"], id="a/b %", wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
        await waiting.result(rpc_timeout=timedelta(milliseconds=50))
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update("put", "bomb")
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "Bomb"
    same = asyncio.create_task(handle.get_update_handle("a/b %").result())
    assert await handle.execute_update("put", "lid") == 3
    assert await waiting.result() == await same == 3
    with pytest.raises(RPCError, match="never accepted"):
        await handle.get_update_handle("other").result()

    await handle.execute_update("put", "end")
    assert await handle.result() == ["pen", "cup", "lid", "end"]


async def test_an_update_brings_its_start(client: Client) -> None:
    def begin() -> WithStartWorkflowOperation[Box, list[str]]:
        return WithStartWorkflowOperation(
            Box.run, id="w", task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
        )

    operation = begin()
    put = client.execute_update_with_start_workflow(
        "put", "pen", start_workflow_operation=operation
    )
    assert await put == 1
    assert (await operation.workflow_handle()).first_execution_run_id

    with pytest.raises(WorkflowAlreadyStartedError):
        await client.execute_update_with_start_workflow(
            "put", "pen", start_workflow_operation=begin()
        )


async def test_updates_from_a_shell(capsys: pytest.CaptureFixture[str]) -> None:
    """The result is JSON; a refusal exits with 1 and says why."""
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        serving(env.client, [Box], cached=1_000),
        Gateway({"default": env.client.transport}) as gateway,
    ):
        await env.client.start_workflow(Box.run, id="w", task_queue=QUEUE)

        async def shell(*arguments: str) -> int:
            command = ["workflow", "update", "w", "put", *arguments, "--address", gateway.url]
            return await asyncio.to_thread(run, command)

        assert await shell("--input", '"pen"') == ExitCode.OK
        assert json.loads(capsys.readouterr().out) == 1
        assert await shell("--input", '"cup"', "--no-wait", "--output", "json") == ExitCode.OK
        assert json.loads(capsys.readouterr().out)["update_id"]
        assert await shell("--input", '"bomb"') == ExitCode.FAILED
        assert "no bombs" in capsys.readouterr().err
