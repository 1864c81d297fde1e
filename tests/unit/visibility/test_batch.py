"""Batch operations: each workflow that a filter finds, and what became of it."""

from __future__ import annotations

import pytest

from streamflow import workflow
from streamflow.client import RPCStatusCode
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.told)
        return "told"

    @workflow.signal
    def tell(self) -> None:
        self.told = True


async def test_every_workflow_found_is_told_and_refusals_are_itemised() -> None:
    """Those that have ended refuse, and the others go on."""
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Waits]),
    ):
        handles = [
            await env.client.start_workflow(Waits.run, id=f"w-{number}", task_queue="q")
            for number in range(4)
        ]
        await handles[0].terminate()

        result = await env.client.batch(
            "WorkflowType = 'Waits'", lambda handle: handle.signal(Waits.tell), concurrency=2
        )

        assert (result.succeeded, result.failed) == (3, 1)
        refused = next(item for item in result.items if item.error)
        assert refused.workflow_id == "w-0"
        assert refused.error is not None
        assert refused.error.status is RPCStatusCode.NOT_FOUND
        assert "workflow execution already completed" in refused.error.message
        assert [await handle.result() for handle in handles[1:]] == ["told"] * 3
        with pytest.raises(ValueError, match="found an empty one"):
            await env.client.batch(" ", lambda handle: handle.cancel())
