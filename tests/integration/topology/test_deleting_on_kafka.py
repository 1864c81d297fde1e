"""A namespace is deleted on a real broker, and made again."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from streamflow import topology, workflow
from streamflow.client import Client
from streamflow.ports import Log, TopicPartition, TopicSpec
from streamflow.topology import NamespaceInUse
from streamflow.worker import Worker

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

QUEUE = "orders"


@workflow.defn
class Count:
    @workflow.run
    async def run(self, number: int) -> int:
        return number + 1


@pytest.mark.timeout(180)
async def test_a_namespace_goes_and_comes_again_as_a_new_one(
    kafka_bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    """Not while a worker is alive; then its topics and positions go, what was not stamped stays, and the same process,
    with local state of the old one on its disk, serves the new one from nothing."""
    foreign, other = f"{namespace}.reports", f"{namespace}-2"
    lists = f"sqlite:///{tmp_path / 'lists.sqlite'}"
    async with (
        await Client.connect(
            kafka_bootstrap, namespace=namespace, create_topics=True, visibility=lists
        ) as client,
        await Client.connect(kafka_bootstrap, namespace=other, create_topics=True) as neighbour,
    ):
        log = client.log
        await asyncio.to_thread(
            log.create_topics, [TopicSpec(name=foreign, partitions=1, replication_factor=1)]
        )
        async with _worker(neighbour, tmp_path / "b"):
            await neighbour.execute_workflow(Count.run, 1, id="w", task_queue=QUEUE)
        async with _worker(client, tmp_path / "a"):
            for number in range(20):
                await client.execute_workflow(Count.run, number, id=f"w-{number}", task_queue=QUEUE)
            assert (await client.count_workflows()).count == 20
            with pytest.raises(NamespaceInUse, match=f"{namespace}.{QUEUE}.processor"):
                await asyncio.to_thread(topology.delete_namespace, log, namespace)
            assert (await client.count_workflows()).count == 20

        group = topology.processor_group(namespace, QUEUE)
        inbox = [TopicPartition(topology.inbox_topic(namespace, QUEUE), n) for n in range(2)]
        await asyncio.to_thread(_until_empty, log, group)
        assert any((await asyncio.to_thread(log.positions, group, inbox)).values())

        done = await asyncio.to_thread(topology.delete_namespace, log, namespace)

        present = await asyncio.to_thread(log.topics)
        assert [name for name in present if name.startswith(f"{namespace}.")] == [foreign]
        assert done.kept == (foreign,)
        declared = topology.declare(other, [topology.Queue(name=QUEUE)], dev=True).topics
        assert {spec.name for spec in declared} <= present.keys()
        assert (await client.count_workflows()).count == 0

    async with (
        await Client.connect(
            kafka_bootstrap, namespace=namespace, create_topics=True, visibility=lists
        ) as client,
        _worker(client, tmp_path / "a"),
    ):
        handle = await client.start_workflow(Count.run, 41, id="w-0", task_queue=QUEUE)
        assert await handle.result() == 42
        described = await handle.describe()
        assert [run.run_id async for run in client.list_workflows()] == [described.run_id]


def _worker(client: Client, state: Path) -> Worker:
    return Worker(client, task_queue=QUEUE, workflows=[Count], partitions=2, state_dir=state)


def _until_empty(log: Log, group: str) -> None:
    """A static member keeps its place until its session is over."""
    deadline = time.monotonic() + 60
    while log.live_members(group):
        assert time.monotonic() < deadline
        time.sleep(0.2)
