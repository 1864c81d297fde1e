"""Short work that needs no worker of its own runs inside the step, and is committed together with it."""

from __future__ import annotations

from datetime import timedelta

from examples.hello import QUEUE, run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.worker import Worker


@activity.defn
async def price_of(item: str) -> int:
    return {"pizza": 1200, "salad": 800}.get(item, 500)


@workflow.defn
class Basket:
    @workflow.run
    async def run(self, items: list[str]) -> int:
        total = 0
        for item in items:
            total += await workflow.execute_local_activity(
                price_of, item, start_to_close_timeout=timedelta(seconds=5)
            )
        return total


async def main(client: Client) -> int:
    async with Worker(client, task_queue=QUEUE, workflows=[Basket], activities=[price_of]):
        return await client.execute_workflow(
            Basket.run, ["pizza", "salad"], id="hello-local", task_queue=QUEUE
        )


if __name__ == "__main__":
    run(main)
