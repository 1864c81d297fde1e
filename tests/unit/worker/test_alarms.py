"""What a processor counts is told to the runtime's metrics."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streamflow import workflow
from streamflow.client import WorkflowFailureError
from streamflow.model.commands import Envelope, SignalWorkflow
from streamflow.model.ids import MessageId, WorkflowId
from streamflow.processor.host.surroundings import Counters
from streamflow.runtime import MetricBuffer, Runtime, TelemetryConfig
from streamflow.testing import WorkflowEnvironment
from streamflow.topology import inbox_topic, partition_for
from streamflow.wire.inbox import to_inbox
from streamflow.worker import Worker
from streamflow.worker.alarms import COUNTED

_TEN = timedelta(seconds=10)


@workflow.defn
class Once:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(1)


@pytest.mark.asyncio
async def test_letters_and_transactions_are_counted_and_the_rest_is_there_at_zero() -> None:
    buffer = MetricBuffer(10_000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    async with (
        await WorkflowEnvironment.start_time_skipping(runtime=runtime) as env,
        Worker(env.client, task_queue="q", workflows=[Once]),
    ):
        await env.client.execute_workflow(Once.run, id="a", task_queue="q")
        nobody = SignalWorkflow(workflow_id=WorkflowId("nobody"), signal_name="s")
        partition = partition_for("nobody", 12)
        sent = Envelope(message_id=MessageId("m"))
        producer = env.client.log.producer()
        producer.send(to_inbox(inbox_topic("default", "q"), partition, nobody, sent))
        producer.flush(1_000)
        with pytest.raises(WorkflowFailureError):
            await env.client.execute_workflow("NotThere", id="b", task_queue="q", run_timeout=_TEN)

    counted: dict[str, float] = {}
    for update in buffer.retrieve_updates():
        if update.attributes.get("task_queue") == "q" and isinstance(update.value, int):
            name = update.metric.name.removeprefix("streamflow_")
            counted[name] = counted.get(name, 0) + update.value
    assert {name for name, _ in COUNTED.values()} <= counted.keys()
    assert counted["dead_letters"] == 1
    assert counted["stuck_steps"] >= 1
    assert counted["transactions"] > 3
    assert counted["torn_transactions"] == counted["history_gaps"] == 0


@pytest.mark.asyncio
async def test_a_standby_tells_how_many_partitions_it_follows_and_how_far_behind_it_is() -> None:
    """Two workers share the partitions, and each follows those of the other."""
    buffer = MetricBuffer(10_000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    async with (
        await WorkflowEnvironment.start_time_skipping(runtime=runtime) as env,
        Worker(env.client, task_queue="q", workflows=[Once], name="a", standby=1),
        Worker(env.client, task_queue="q", workflows=[Once], name="b", standby=1),
    ):
        await env.client.execute_workflow(Once.run, id="a", task_queue="q")
        await env.sleep(timedelta(seconds=20))

    told: dict[str, list[float]] = {}
    for update in buffer.retrieve_updates():
        if update.metric.name.startswith("streamflow_standby") and isinstance(update.value, int):
            told.setdefault(update.metric.name, []).append(update.value)
    assert 6 in told["streamflow_standby_partitions"]
    assert told["streamflow_standby_lag"][-1] == 0


def test_every_counter_that_is_told_is_one_of_the_processor() -> None:
    assert COUNTED.keys() <= set(Counters.__dataclass_fields__)
