"""A stream out of a running workflow: it and its activity publish, others read from wherever they stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from examples.hello import run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.contrib.workflow_streams import (
    WorkflowStream,
    WorkflowStreamClient,
    WorkflowStreamState,
)
from streamflow.worker import Worker

QUEUE = "bakery"
LIMIT = timedelta(seconds=10)


@dataclass
class Order:
    loaves: int
    stream: WorkflowStreamState | None = None
    """What the run before published; `None` at first."""


@activity.defn
async def bake(loaves: int) -> None:
    async with WorkflowStreamClient.from_within_activity() as stream:
        progress = stream.topic("progress", type=int)
        for loaf in range(1, loaves + 1):
            progress.publish(loaf)  # sent in batches, the last one on the way out


@workflow.defn
class Bakery:
    @workflow.init
    def __init__(self, order: Order) -> None:
        self.stream = WorkflowStream(order.stream)
        self.status = self.stream.topic("status", type=str)
        self.read = False

    @workflow.run
    async def run(self, order: Order) -> None:
        self.status.publish("baking")
        await workflow.execute_activity(bake, order.loaves, start_to_close_timeout=LIMIT)
        self.status.publish("ready")
        # Whoever reads is answered out of this run: it stays until they have read, and lets go of their polls.
        await workflow.wait_condition(lambda: self.read)
        self.stream.detach_pollers()
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.signal
    def was_read(self) -> None:
        self.read = True


async def main(client: Client) -> list[str]:
    read: list[str] = []
    async with Worker(client, task_queue=QUEUE, workflows=[Bakery], activities=[bake]):
        handle = await client.start_workflow(Bakery.run, Order(3), id="order", task_queue=QUEUE)
        stream = WorkflowStreamClient.create(client, "order")

        async for first in stream.subscribe("status", result_type=str):
            read.append(f"{first.offset} {first.data}")
            break
        # Another reader, at another time, goes on behind the last offset that it knows.
        async for item in stream.subscribe(from_offset=first.offset + 1):
            read.append(f"{item.offset} {item.topic} {item.data}")
            if item.data == "ready":
                break
        await handle.signal(Bakery.was_read)
        await handle.result()
    return read


if __name__ == "__main__":
    run(main)
