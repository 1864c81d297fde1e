"""A schedule on a real broker: made, triggered, deleted, with what its runs hand on to each other."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from streamflow import workflow
from streamflow.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleSpec,
)
from streamflow.common import Priority
from streamflow.worker import Worker

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

QUEUE = "scheduled"


@workflow.defn
class Counts:
    @workflow.run
    async def run(self) -> int:
        await workflow.sleep(timedelta(milliseconds=10))
        return (workflow.get_last_completion_result(int) or 0) + 1


async def result_of_next(client: Client, handle: ScheduleHandle) -> int:
    before = (await handle.describe()).info.num_actions
    await handle.trigger()
    while True:
        recent = (await handle.describe()).info.recent_actions
        if len(recent) > before:
            action = recent[-1].action
            assert isinstance(action, ScheduleActionExecutionStartWorkflow)
            started = client.get_workflow_handle_for(Counts.run, action.workflow_id)
            return await started.result(rpc_timeout=timedelta(seconds=60))
        await asyncio.sleep(0.05)


async def test_runs_of_a_schedule_hand_on_their_results(kafka_bootstrap: str) -> None:
    """Through the starts of children that another queue's processor runs."""
    namespace = f"t-{uuid.uuid4().hex[:10]}"
    client = await Client.connect(kafka_bootstrap, namespace=namespace, create_topics=True)
    async with client, Worker(client, task_queue=QUEUE, workflows=[Counts]):
        action = ScheduleActionStartWorkflow(
            Counts.run, id="counts", task_queue=QUEUE, priority=Priority(priority_key=4)
        )
        handle = await client.create_schedule("s", Schedule(action, ScheduleSpec()))

        results = [await result_of_next(client, handle) for _ in range(3)]
        await handle.delete()

    assert results == [1, 2, 3]
