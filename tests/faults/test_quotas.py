"""A namespace's quota on a real Kafka: it outlives its processor's end, and the disk with what was counted."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from streamflow import topology, wiring
from streamflow.client import Client, RPCError, RPCStatusCode
from streamflow.model.settings import NamespaceEntry
from tests.faults.deployment import PARTITIONS, QUEUE, Deployment

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio, pytest.mark.timeout(120)]

PATIENT = timedelta(seconds=60)
SHORT = timedelta(seconds=2)
"""After which the client gives a refused start up."""


def names_of_one_partition() -> itertools.filterfalse[str]:
    names = (f"fragile-{number}" for number in itertools.count())
    return itertools.filterfalse(lambda name: topology.partition_for(name, PARTITIONS), names)


@pytest.mark.parametrize("disk", ["kept", "lost"])
async def test_open_runs_are_counted_through_a_kill(deployment: Deployment, disk: str) -> None:
    """The partition's share is one open workflow: a second is refused before and after, and taken once the first has ended."""
    log = wiring.open_log(deployment.bootstrap)
    try:
        entry = NamespaceEntry(name=deployment.namespace, open_workflows_max=PARTITIONS)
        topology.write_namespace(log, entry)
    finally:
        log.close()
    node = deployment.both("app", "--module=tests.faults.code.sick_machine").start()
    first, second, third = itertools.islice(names_of_one_partition(), 3)

    async with await Client.connect(deployment.bootstrap, namespace=deployment.namespace) as client:

        async def refused(name: str) -> RPCStatusCode:
            with pytest.raises(RPCError, match="open_workflows_max") as caught:
                await client.start_workflow("Fragile", id=name, task_queue=QUEUE, rpc_timeout=SHORT)
            return caught.value.status

        handle = await client.start_workflow("Fragile", id=first, task_queue=QUEUE)
        # While nobody serves the queue, a start is done when it is durable.
        await handle.describe(rpc_timeout=PATIENT)
        assert await refused(second) is RPCStatusCode.RESOURCE_EXHAUSTED

        node.kill()
        if disk == "lost":
            node.forget_state()
        node.start()
        await handle.signal("hear", "a")
        await handle.describe(rpc_timeout=PATIENT)

        assert await refused(third) is RPCStatusCode.RESOURCE_EXHAUSTED
        await handle.signal("hear", "b")
        assert await handle.result() == ["a", "b"]
        await client.start_workflow("Fragile", id=f"{third}-again", task_queue=QUEUE)
    node.stop()
