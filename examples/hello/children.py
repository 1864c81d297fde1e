"""A workflow begins others and waits for them; each has its own history, and may run for as long as it likes."""

from __future__ import annotations

import asyncio

from examples.hello import QUEUE, run
from streamflow import workflow
from streamflow.client import Client
from streamflow.worker import Worker


@workflow.defn
class Chapter:
    @workflow.run
    async def run(self, number: int) -> str:
        await workflow.sleep(0.01)
        return f"chapter {number}"


@workflow.defn
class Book:
    @workflow.run
    async def run(self, chapters: int) -> list[str]:
        return await asyncio.gather(
            *[
                workflow.execute_child_workflow(
                    Chapter.run, number, id=f"{workflow.info().workflow_id}/{number}"
                )
                for number in range(1, chapters + 1)
            ]
        )


async def main(client: Client) -> list[str]:
    async with Worker(client, task_queue=QUEUE, workflows=[Book, Chapter]):
        return await client.execute_workflow(Book.run, 3, id="hello-children", task_queue=QUEUE)


if __name__ == "__main__":
    run(main)
