"""A workflow has its work done by an activity: async, in a thread, a method, and several at a time."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from examples.hello import QUEUE, run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.worker import Worker

LIMIT = timedelta(seconds=10)


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@activity.defn
def greet_slowly(name: str) -> str:
    """A plain function runs in a thread, and may block."""
    time.sleep(0.01)
    return f"Hello at last, {name}!"


class Phrases:
    """What activities need is given to their object when the worker is made."""

    def __init__(self, farewell: str) -> None:
        self.farewell = farewell

    @activity.defn
    async def say_goodbye(self, name: str) -> str:
        return f"{self.farewell}, {name}."


@workflow.defn
class Greetings:
    @workflow.run
    async def run(self, name: str) -> list[str]:
        said = await asyncio.gather(
            workflow.execute_activity(greet, name, start_to_close_timeout=LIMIT),
            workflow.execute_activity(greet_slowly, name, start_to_close_timeout=LIMIT),
            workflow.execute_activity_method(
                Phrases.say_goodbye, name, start_to_close_timeout=LIMIT
            ),
        )
        return list(said)


async def main(client: Client) -> list[str]:
    with ThreadPoolExecutor(10) as threads:
        async with Worker(
            client,
            task_queue=QUEUE,
            workflows=[Greetings],
            activities=[greet, greet_slowly, Phrases("Farewell").say_goodbye],
            activity_executor=threads,
        ):
            return await client.execute_workflow(
                Greetings.run, "Ada", id="hello-activities", task_queue=QUEUE
            )


if __name__ == "__main__":
    run(main)
