"""A program that knows Kafka alone places orders, drives them, and another follows them."""

from __future__ import annotations

import ast
import asyncio
import sys
from functools import partial
from pathlib import Path

import pytest

from examples.food_delivery.app import app
from examples.food_delivery.orders import State, Status
from examples.food_delivery.workflows import OrderWorkflow
from streamflow.client import Client
from tests.examples.stage import until

FOLDER = Path(__file__).parents[2] / "examples/inbox_producer"
ORDERS = 3


@pytest.mark.parametrize("script", ["place_orders.py", "follow_orders.py"])
def test_the_scripts_know_nothing_of_streamflow(script: str) -> None:
    """They import a Kafka client, an Avro reader at most, and the standard library."""
    tree = ast.parse((FOLDER / script).read_text())
    imported = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }

    assert imported - set(sys.stdlib_module_names) <= {"confluent_kafka", "fastavro"}


async def run(script: str, *arguments: str) -> list[str]:
    """The lines that a script prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(FOLDER / script),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()


@pytest.mark.kafka
@pytest.mark.asyncio
async def test_orders_published_to_the_inbox_are_delivered(
    kafka_bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    """JSON with the workflow ID as key starts and signals workflows, and the feed of executions names them."""
    common = (kafka_bootstrap, "--namespace", namespace)
    async with (
        await Client.connect(kafka_bootstrap, namespace=namespace, create_topics=True) as client,
        app.worker(client, state_dir=tmp_path, name="examples", partitions=3),
    ):
        order_ids = await run("place_orders.py", *common, "--orders", str(ORDERS), "--pause", "0")

        assert len(order_ids) == ORDERS
        for order_id in order_ids:
            order = client.get_workflow_handle_for(OrderWorkflow.run, order_id)
            status = await until(partial(order.query, OrderWorkflow.status), is_delivered)
            assert status.error is None
        followed = await run("follow_orders.py", *common, "--workflows", str(ORDERS))
    assert {line.split()[0] for line in followed} == set(order_ids)
    assert {line.split()[2] for line in followed} == {"running"}


def is_delivered(status: Status) -> bool:
    return status.state is State.DELIVERED
