"""Metrics of workflow and activity code, in the runtime's meter."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.common import MetricMeter
from streamflow.coroutine.traits import Traits
from streamflow.runtime import MetricBuffer, Runtime, TelemetryConfig
from streamflow.testing import ActivityEnvironment, WorkflowEnvironment
from streamflow.worker import Worker
from tests.unit.coroutine.world import World, driven


def buffered() -> tuple[Runtime, MetricBuffer]:
    buffer = MetricBuffer(1_000)
    return Runtime(telemetry=TelemetryConfig(metrics=buffer)), buffer


async def counts() -> None:
    meter = workflow.metric_meter()
    assert meter is workflow.metric_meter()
    counter = meter.create_counter("steps", "taken", "step")
    counter.add(1)
    await workflow.sleep(1)
    counter.add(2, {"late": True})
    meter.create_histogram_timedelta("took").record(timedelta(seconds=1))


def test_replayed_steps_record_nothing_again() -> None:
    runtime, buffer = buffered()
    world = World(driven(counts), traits=Traits(meter=lambda: runtime.metric_meter))
    world.step()
    world.rebuild().fire(1).step()
    world.rebuild()

    updates = buffer.retrieve_updates()
    assert [update.value for update in updates] == [1, 2, 1000]
    assert {"namespace": "default", "task_queue": "q", "workflow_type": "Driven"}.items() <= (
        updates[0].attributes.items()
    )
    assert updates[1].attributes["late"] is True


def test_without_a_runtime_they_go_nowhere() -> None:
    world = World(driven(counts))
    world.step()
    world.fire(1).step()

    assert world.instance.done


@activity.defn
async def work() -> str:
    activity.metric_meter().create_counter("works").add(1)
    return "done"


@workflow.defn
class Counts:
    @workflow.run
    async def run(self) -> str:
        workflow.metric_meter().create_counter("runs").add(1)
        return await workflow.execute_activity(work, start_to_close_timeout=timedelta(minutes=1))

    @workflow.query
    def asked(self) -> None:
        workflow.metric_meter().create_counter("asked").add(1)


@pytest.mark.asyncio
async def test_a_workers_metrics_go_to_its_clients_runtime() -> None:
    """Of workflows, activities and queries, with what they belong to."""
    runtime, buffer = buffered()
    async with await WorkflowEnvironment.start_time_skipping() as env:
        config = env.client.service_client.config
        config.runtime = runtime
        async with Worker(
            env.client,
            task_queue="q",
            workflows=[Counts],
            activities=[work],
            max_cached_workflows=0,
        ):
            handle = await env.client.start_workflow(Counts.run, id="w", task_queue="q")
            assert await handle.result() == "done"
            await handle.query(Counts.asked)

    found = {
        update.metric.name: (update.value, update.attributes)
        for update in buffer.retrieve_updates()
    }
    assert [found[name][0] for name in ("runs", "works", "asked")] == [1, 1, 1]
    assert found["works"][1]["activity_type"] == "work"
    latency = found["streamflow_workflow_task_execution_latency"][1]
    assert (latency["workflow_type"], latency["task_queue"]) == ("Counts", "q")


def test_the_environment_of_activities_takes_metrics() -> None:
    runtime, buffer = buffered()
    env = ActivityEnvironment()
    assert env.metric_meter is MetricMeter.noop
    env.metric_meter = runtime.metric_meter

    def sync() -> None:
        activity.metric_meter().create_gauge("level").set(3)

    env.run(sync)

    assert [update.value for update in buffer.retrieve_updates()] == [3]
    assert Client is not None
