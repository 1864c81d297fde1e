"""Histories of real runs are kept beside the tests and replayed with each change: a change that old runs could not bear
fails before it is deployed."""

from __future__ import annotations

from datetime import timedelta

from examples.hello import run
from streamflow import activity, workflow
from streamflow.client import Client, WorkflowHistory
from streamflow.worker import Replayer, Worker

QUEUE = "replays"
LIMIT = timedelta(seconds=10)


@activity.defn
async def weigh(parcel: str) -> int:
    return len(parcel)


@workflow.defn(name="Ship")
class Ship:
    @workflow.run
    async def run(self, parcel: str) -> int:
        grams = await workflow.execute_activity(weigh, parcel, start_to_close_timeout=LIMIT)
        await workflow.sleep(0.01)
        return grams


@workflow.defn(name="Ship")
class ShipTooSoon:
    """Sleeps first: a run that has weighed its parcel already could not go on here."""

    @workflow.run
    async def run(self, parcel: str) -> int:
        await workflow.sleep(0.01)
        return await workflow.execute_activity(weigh, parcel, start_to_close_timeout=LIMIT)


async def main(client: Client) -> list[object]:
    """Whether the code replays its own history, and what the other code is told."""
    async with Worker(client, task_queue=QUEUE, workflows=[Ship], activities=[weigh]):
        handle = await client.start_workflow(Ship.run, "books", id="ship-1", task_queue=QUEUE)
        await handle.result()
        kept = (await handle.fetch_history()).to_json()
    history = WorkflowHistory.from_json("ship-1", kept)
    good = await Replayer(workflows=[Ship]).replay_workflow(history)
    bad = await Replayer(workflows=[ShipTooSoon]).replay_workflow(
        history, raise_on_replay_failure=False
    )
    return [good.replay_failure, type(bad.replay_failure).__name__]


if __name__ == "__main__":
    run(main)
