"""Who asks for an eager start finds that it was one: no task of a workflow ever waits to be polled."""

from __future__ import annotations

import pytest

from streamflow import workflow
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio


@workflow.defn
class Nothing:
    @workflow.run
    async def run(self) -> str:
        return "done"


@pytest.mark.parametrize("asked", [True, False])
async def test_a_handle_says_whether_its_run_began_eagerly(asked: bool) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Nothing]),
    ):
        handle = await env.client.start_workflow(
            Nothing.run, id="w", task_queue="q", request_eager_start=asked
        )

        assert handle.__temporal_eagerly_started is asked  # type: ignore[attr-defined]
        assert await handle.result() == "done"
