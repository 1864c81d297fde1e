"""Users' own tests on a real Kafka, with nothing but what `streamflow.testing.kafka` offers."""

from __future__ import annotations

import pytest

from streamflow import workflow
from streamflow.testing.kafka import kafka_environment
from streamflow.worker import Worker

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}!"


async def test_a_workflow_runs_on_topics_of_its_own(kafka_bootstrap: str) -> None:
    """Each environment has a namespace of its own, whose topics are made as they are needed."""
    async with (
        kafka_environment(kafka_bootstrap) as env,
        kafka_environment(kafka_bootstrap) as other,
        Worker(env.client, task_queue="q", workflows=[Greet]),
    ):
        greeting = await env.client.execute_workflow(Greet.run, "Kafka", id="g", task_queue="q")

        assert greeting == "Hello, Kafka!"
        assert env.client.namespace != other.client.namespace
        assert await other.client.transport.queues() == {}
