"""An activity hands its token to somebody else, who ends it later: a person, another service, another process."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from examples.hello import QUEUE, run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.worker import Worker


class Desk:
    """Where questions lie until somebody answers them."""

    def __init__(self) -> None:
        self.tokens: asyncio.Queue[bytes] = asyncio.Queue()

    @activity.defn
    async def ask(self, question: str) -> str:
        await self.tokens.put(activity.info().task_token)
        activity.raise_complete_async()


@workflow.defn
class Asking:
    @workflow.run
    async def run(self, question: str) -> str:
        return await workflow.execute_activity_method(
            Desk.ask, question, start_to_close_timeout=timedelta(days=3)
        )


async def main(client: Client) -> str:
    desk = Desk()
    async with Worker(client, task_queue=QUEUE, workflows=[Asking], activities=[desk.ask]):
        handle = await client.start_workflow(
            Asking.run, "May I?", id="hello-elsewhere", task_queue=QUEUE
        )
        token = await desk.tokens.get()
        await client.get_async_activity_handle(task_token=token).complete("You may.")
        return await handle.result()


if __name__ == "__main__":
    run(main)
