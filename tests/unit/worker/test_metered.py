"""Where a runtime keeps metrics, calls, activities and ends of workflows are counted, each once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from streamflow import activity, workflow
from streamflow.client import RPCError, WorkflowFailureError
from streamflow.common import RetryPolicy
from streamflow.exceptions import ApplicationError, ApplicationErrorCategory
from streamflow.runtime import MetricBuffer, Runtime, TelemetryConfig
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio
MINUTE = timedelta(minutes=1)
ONCE = RetryPolicy(maximum_attempts=1)


@activity.defn
async def work(fails: bool) -> None:
    if fails and activity.info().attempt == 1:
        raise ApplicationError("not the first time")


@workflow.defn
class Works:
    @workflow.run
    async def run(self, how: str) -> None:
        policy = RetryPolicy(initial_interval=timedelta(seconds=1))
        await workflow.execute_activity(
            work, how == "retry", start_to_close_timeout=MINUTE, retry_policy=policy
        )
        await workflow.execute_local_activity(work, False, start_to_close_timeout=MINUTE)
        if how == "again":
            workflow.continue_as_new("retry")
        if how == "fail":
            raise ApplicationError("as told")
        if how == "wait":
            await workflow.wait_condition(lambda: False)


@pytest.mark.parametrize("cached", [100, 0])
async def test_calls_activities_and_ends_are_counted_once(cached: int) -> None:
    buffer = MetricBuffer(10_000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    async with (
        await WorkflowEnvironment.start_time_skipping(runtime=runtime) as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Works],
            activities=[work],
            max_cached_workflows=cached,
        ),
    ):
        await env.client.execute_workflow(Works.run, "again", id="a", task_queue="q")
        with pytest.raises(WorkflowFailureError):
            await env.client.execute_workflow(Works.run, "fail", id="b", task_queue="q")
        handle = await env.client.start_workflow(Works.run, "wait", id="c", task_queue="q")
        await env.sleep(5)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        with pytest.raises(RPCError):
            await env.client.get_workflow_handle("nobody").describe()

    updates = buffer.retrieve_updates()
    sums: Counter[str] = Counter()
    for update in updates:
        if update.metric.name.endswith("latency"):
            sums[update.metric.name] += 1
        else:
            sums[update.metric.name] += int(update.value)
    assert sums["streamflow_request"] == 5
    assert sums["streamflow_request_failure"] == 1
    assert sums["streamflow_request_latency"] == 5
    assert sums["streamflow_workflow_completed"] == 1
    assert sums["streamflow_workflow_continue_as_new"] == 1
    assert sums["streamflow_workflow_failed"] == 1
    assert sums["streamflow_workflow_canceled"] == 1
    assert sums["streamflow_workflow_endtoend_latency"] == 4
    assert sums["streamflow_activity_execution_latency"] == 5
    assert sums["streamflow_activity_execution_failed"] == 1
    assert sums["streamflow_local_activity_execution_latency"] == 4
    refused = next(u for u in updates if u.metric.name == "streamflow_request_failure")
    assert refused.attributes["operation"] == "describe_workflow"
    assert refused.attributes["status_code"] == "NOT_FOUND"
    ended = next(u for u in updates if u.metric.name == "streamflow_workflow_failed")
    assert ended.attributes["workflow_type"] == "Works"
    assert ended.attributes["task_queue"] == "q"


@activity.defn
async def ends(how: str) -> None:
    if how == "elsewhere":
        activity.raise_complete_async()
    raise ApplicationError("as expected", category=ApplicationErrorCategory.BENIGN)


@workflow.defn
class Expected:
    @workflow.run
    async def run(self, how: str) -> None:
        try:
            await workflow.execute_activity(
                ends, how, activity_id="a", start_to_close_timeout=MINUTE, retry_policy=ONCE
            )
        finally:
            raise ApplicationError("as expected", category=ApplicationErrorCategory.BENIGN)


async def test_what_was_expected_and_what_ends_elsewhere_are_no_failures() -> None:
    """Neither of an activity nor of a workflow; how long they took is recorded."""
    buffer = MetricBuffer(10_000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    async with (
        await WorkflowEnvironment.start_time_skipping(runtime=runtime) as env,
        Worker(env.client, task_queue="q", workflows=[Expected], activities=[ends]),
    ):
        with pytest.raises(WorkflowFailureError):
            await env.client.execute_workflow(Expected.run, "here", id="a", task_queue="q")
        handle = await env.client.start_workflow(Expected.run, "elsewhere", id="b", task_queue="q")
        with env.auto_time_skipping_disabled():
            while not (await handle.describe()).raw_description.pending_activities:
                await env.sleep(1)
            reference = env.client.get_async_activity_handle(
                workflow_id="b", run_id=None, activity_id="a"
            )
            await reference.complete()
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    names = Counter(update.metric.name for update in buffer.retrieve_updates())
    ours = ("streamflow_activity", "streamflow_workflow")
    assert [n for n in names if n.startswith(ours) and n.endswith("failed")] == []
    assert names["streamflow_activity_execution_latency"] == 2
    assert names["streamflow_workflow_endtoend_latency"] == 2
