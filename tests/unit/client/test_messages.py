"""`raw_description` and `raw_info` have the shape of a server's messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from streamflow import activity, workflow
from streamflow.api.enums.v1 import (
    ParentClosePolicy,
    PendingActivityState,
    WorkflowExecutionStatus,
)
from streamflow.api.times import Timestamp
from streamflow.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from streamflow.client import WorkflowExecutionDescription, WorkflowHandle
from streamflow.common import RetryPolicy
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

QUEUE = "messages"
A_MINUTE = timedelta(minutes=1)


@activity.defn
async def refuse() -> None:
    raise RuntimeError("not now")


@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn
class Asks:
    @workflow.run
    async def run(self) -> None:
        await workflow.start_child_workflow(
            Waits.run,
            id=f"{workflow.info().workflow_id}-child",
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )
        await workflow.execute_activity(
            refuse,
            start_to_close_timeout=A_MINUTE,
            retry_policy=RetryPolicy(initial_interval=timedelta(days=1), maximum_attempts=7),
        )


async def _description_when(
    handle: WorkflowHandle[Any, Any],
    true: Callable[[DescribeWorkflowExecutionResponse], bool],
) -> WorkflowExecutionDescription:
    while True:
        found = await handle.describe()
        if true(found.raw_description):
            return found
        await asyncio.sleep(0.01)


def _failed_once(raw: DescribeWorkflowExecutionResponse) -> bool:
    return any(pending.HasField("last_failure") for pending in raw.pending_activities)


def test_a_description_says_what_the_run_waits_for() -> None:
    async def scene() -> None:
        async with (
            await WorkflowEnvironment.start_local() as environment,
            Worker(
                environment.client, task_queue=QUEUE, workflows=[Asks, Waits], activities=[refuse]
            ),
        ):
            handle = await environment.client.start_workflow(
                Asks.run,
                id="asks",
                task_queue=QUEUE,
                memo={"note": "small"},
                static_summary="What it asks",
            )
            found = await _description_when(handle, _failed_once)
            child = await environment.client.get_workflow_handle("asks-child").describe()

            raw = found.raw_description
            [pending] = raw.pending_activities
            assert pending.activity_type.name == "refuse"
            assert pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
            assert (pending.attempt, pending.maximum_attempts) == (2, 7)
            assert pending.last_failure.message == "not now"
            assert pending.last_failure.application_failure_info.type == "RuntimeError"
            assert pending.next_attempt_schedule_time.ToDatetime(UTC) > found.start_time
            [begun] = raw.pending_children
            assert (begun.workflow_id, begun.run_id) == ("asks-child", child.run_id)
            assert begun.workflow_type_name == "Waits"
            assert begun.parent_close_policy == ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON
            assert raw.execution_config.user_metadata.summary.data == b'"What it asks"'
            assert child.raw_info.parent_execution.workflow_id == "asks"
            info = raw.workflow_execution_info
            assert (info.execution.workflow_id, info.type.name) == ("asks", "Asks")
            assert info.start_time.ToDatetime(UTC) == found.start_time
            assert info.memo.fields["note"].data == b'"small"'
            assert not info.HasField("close_time")
            assert not info.HasField("parent_execution")
            assert DescribeWorkflowExecutionResponse.FromString(raw.SerializeToString()) == raw

    asyncio.run(scene())


def test_a_closed_run_says_how_and_when() -> None:
    async def scene() -> None:
        async with (
            await WorkflowEnvironment.start_time_skipping() as environment,
            Worker(environment.client, task_queue=QUEUE, workflows=[Waits]),
        ):
            handle = await environment.client.start_workflow(
                Waits.run, id="waits", task_queue=QUEUE
            )
            await environment.sleep(A_MINUTE)
            await handle.terminate()

            found = await handle.describe()

            info = found.raw_info
            assert info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED
            assert info.close_time.ToDatetime(UTC) == found.close_time
            assert info.execution_duration.ToTimedelta() >= A_MINUTE
            [row] = [
                each async for each in environment.client.list_workflows("WorkflowId = 'waits'")
            ]
            assert row.raw_info.execution.run_id == found.run_id

    asyncio.run(scene())


def test_a_run_whose_code_fails_has_a_step_to_make_again() -> None:
    async def scene() -> None:
        @workflow.defn(name="Waits")
        class Broken:
            @workflow.run
            async def run(self) -> None:
                raise RuntimeError("a fault of the code")

        async with (
            await WorkflowEnvironment.start_local() as environment,
            Worker(environment.client, task_queue=QUEUE, workflows=[Broken]),
        ):
            handle = await environment.client.start_workflow("Waits", id="waits", task_queue=QUEUE)
            found = await _description_when(
                handle, lambda raw: raw.HasField("pending_workflow_task")
            )

            assert found.raw_description.pending_workflow_task.attempt >= 2

    asyncio.run(scene())


def test_a_moment_is_read_in_any_zone() -> None:
    moment = datetime(2026, 5, 17, 12, 30, 1, 250_000, tzinfo=UTC)
    stamp = Timestamp()

    stamp.FromDatetime(moment)

    assert stamp.ToDatetime() == moment.replace(tzinfo=None)
    assert stamp.ToDatetime(UTC) == moment
    assert stamp.ToMilliseconds() == int(moment.timestamp() * 1000)
    assert stamp.ToJsonString() == "2026-05-17T12:30:01.250Z"
