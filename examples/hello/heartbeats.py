"""A long activity says how far it came, so that its next attempt goes on from there; and it hears that it is cancelled."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from examples.hello import QUEUE, run
from streamflow import activity, workflow
from streamflow.client import Client, WorkflowFailureError
from streamflow.common import RetryPolicy
from streamflow.worker import Worker
from streamflow.workflow import ActivityCancellationType

done: list[int] = []
"""Parts that were carried out, and once more for each time that one was."""


@activity.defn
async def copy_parts(count: int) -> int:
    """Fails once in the middle; what was reported before is not done again."""
    first = activity.info().heartbeat_details[0] if activity.info().heartbeat_details else 0
    for part in range(first, count):
        done.append(part)
        activity.heartbeat(part + 1)
        if part == count // 2 and activity.info().attempt == 1:
            raise RuntimeError("The disk stumbled")
    return len(done)


@activity.defn
async def wait_for_ever() -> None:
    try:
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)
    finally:
        activity.logger.info("Putting everything back in order")


@workflow.defn
class Copying:
    @workflow.run
    async def run(self, count: int) -> int:
        return await workflow.execute_activity(
            copy_parts,
            count,
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10)),
        )


@workflow.defn
class Waiting:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            wait_for_ever,
            start_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=timedelta(seconds=1),
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


async def main(client: Client) -> list[str]:
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Copying, Waiting],
        activities=[copy_parts, wait_for_ever],
    ):
        done.clear()
        count = await client.execute_workflow(
            Copying.run, 10, id="hello-heartbeats", task_queue=QUEUE
        )
        handle = await client.start_workflow(Waiting.run, id="hello-cancellation", task_queue=QUEUE)
        await handle.cancel()
        try:
            await handle.result()
        except WorkflowFailureError as error:
            return [f"{count} parts", type(error.cause).__name__]
        raise AssertionError("Expected the workflow to end as cancelled")


if __name__ == "__main__":
    run(main)
