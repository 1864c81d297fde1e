"""Lists, steering and schedules on a real broker."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from streamflow import workflow
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from streamflow.worker import Worker

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

QUEUE = "listed"


@workflow.defn
class Listed:
    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self, number: int) -> int:
        await workflow.wait_condition(lambda: self.told or number % 2 == 0)
        return number

    @workflow.signal
    def tell(self) -> None:
        self.told = True


@pytest.mark.timeout(180)
async def test_the_whole_of_it_on_kafka(kafka_bootstrap: str, tmp_path: Path) -> None:
    """A list is never behind, whichever store it comes from; runs are paused, deleted and gone back with; a schedule acts."""
    namespace = f"t-{uuid.uuid4().hex[:10]}"
    async with (
        await Client.connect(kafka_bootstrap, namespace=namespace, create_topics=True) as client,
        Worker(
            client, task_queue=QUEUE, workflows=[Listed], state_dir=tmp_path / "w", partitions=3
        ),
    ):
        handles = [
            await client.start_workflow(Listed.run, number, id=f"w-{number}", task_queue=QUEUE)
            for number in range(6)
        ]
        for handle in handles[::2]:
            await handle.result()
        found = await client.count_workflows("WorkflowType = 'Listed' GROUP BY ExecutionStatus")
        assert [(group.count, list(group.group_values)) for group in found.groups] == [
            (3, ["Completed"]),
            (3, ["Running"]),
        ]

        await handles[1].pause(reason="look")
        told = await client.batch(
            "ExecutionStatus = 'Running'", lambda handle: handle.signal(Listed.tell)
        )
        assert (told.succeeded, told.failed) == (3, 0)
        assert await handles[3].result() == 3
        assert (await handles[1].describe()).status.name == "RUNNING"
        await handles[1].unpause()
        assert await handles[1].result() == 1
        assert await (await handles[3].reset(event_id=1)).result() == 3
        await handles[0].delete()

        url = f"sqlite:///{tmp_path / 'lists.sqlite'}"
        async with await Client.connect(
            kafka_bootstrap, namespace=namespace, visibility=url
        ) as other:
            assert (await other.count_workflows()).count == 6
            ids = [run.id async for run in other.list_workflows("ORDER BY WorkflowId", page_size=2)]
            assert ids == ["w-1", "w-2", "w-3", "w-3", "w-4", "w-5"]
            # Nobody runs schedules yet, and this client makes no topics.
            with pytest.raises(RPCError) as caught:
                await other.create_schedule("s", _schedule())
            assert caught.value.status is RPCStatusCode.FAILED_PRECONDITION
            assert "streamflow schedule serve" in caught.value.message

        schedule = await client.create_schedule("s", _schedule())
        for _ in range(120):
            if (await schedule.describe()).info.num_actions >= 2:
                break
            await asyncio.sleep(0.5)
        last = (await schedule.describe()).info.recent_actions[-1].action
        assert isinstance(last, ScheduleActionExecutionStartWorkflow)
        assert await client.get_workflow_handle(last.workflow_id).result() == 2
        await schedule.delete()
        with pytest.raises(RPCError) as caught:
            await schedule.describe()
        assert caught.value.status is RPCStatusCode.NOT_FOUND


def _schedule() -> Schedule:
    return Schedule(
        ScheduleActionStartWorkflow(Listed.run, 2, id="scheduled", task_queue=QUEUE),
        ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=2))]),
    )
