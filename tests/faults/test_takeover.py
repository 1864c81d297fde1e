"""Beginnings under bad conditions: offsets gone, a clock that is wrong, nobody there."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streamflow.client import Client
from streamflow.service import RPCError
from streamflow.topology import activity_group, processor_group
from tests.faults.conftest import ORDERS
from tests.faults.deployment import QUEUE, Deployment

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def test_deleted_group_offsets_and_an_empty_disk_lose_nothing(deployment: Deployment) -> None:
    """Brokers forget an idle group's offsets; the position record and the history know."""
    processor = deployment.processor("p").start()
    worker = deployment.worker("w").start()
    placed = deployment.order(ORDERS // 2)
    deployment.drive(placed, which=0)
    deployment.see_at_work([processor, worker])
    deployment.history.follow(2)
    processor.stop()
    worker.stop()

    _delete_groups(deployment)
    for node in (processor, worker):
        node.forget_state()
        node.start()

    deployment.drive(placed, which=1)
    deployment.drive(deployment.order(20))
    deployment.finish()


def _delete_groups(deployment: Deployment) -> None:
    """Deletes the groups with all that they committed, as soon as they are empty."""
    admin = AdminClient({"bootstrap.servers": deployment.bootstrap})
    namespace = deployment.namespace
    deadline = time.monotonic() + 20
    for group in (processor_group(namespace, QUEUE), activity_group(namespace, QUEUE)):
        while True:
            try:
                admin.delete_consumer_groups([group])[group].result()
                break
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def test_a_clock_a_minute_behind_turns_no_run_back(deployment: Deployment) -> None:
    """Such a machine takes over and records, fires no timer, and leaves those to one whose clock is right."""
    healthy = deployment.processor("p").start()
    deployment.worker("w").start()
    placed = deployment.order(ORDERS // 4)
    deployment.drive(placed, which=0)
    deployment.see_at_work([healthy])
    deployment.history.follow(1)
    healthy.kill()

    behind = deployment.processor("behind", "--clock-skew-ms=-60000").start()
    deployment.own("behind")
    deployment.drive(placed, which=1)
    deployment.history.follow(3)
    behind.kill()
    healthy.start()

    deployment.finish()


@pytest.mark.asyncio
async def test_a_start_without_a_processor_is_kept_and_a_query_says_that_nobody_is_there(
    deployment: Deployment,
) -> None:
    """A durable start is acknowledged; what needs an owner fails at its deadline with the reason."""
    async with await Client.connect(deployment.bootstrap, namespace=deployment.namespace) as client:
        deployment.numbers["order-3"] = 3

        handle = await client.start_workflow("Order", 3, id="order-3", task_queue=QUEUE)
        with pytest.raises(RPCError, match=r"no live processor|no processor") as refused:
            await handle.query("status", rpc_timeout=timedelta(seconds=2))

        assert QUEUE in str(refused.value)
    deployment.both("app").start()
    deployment.finish()
