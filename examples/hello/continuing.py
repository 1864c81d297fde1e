"""A workflow that never ends begins anew from time to time, with what it must remember, so that its history stays short."""

from __future__ import annotations

from examples.hello import QUEUE, run
from streamflow import workflow
from streamflow.client import Client
from streamflow.worker import Worker

A_RUN = 10
"""How many rounds one run makes."""


@workflow.defn
class Counting:
    @workflow.run
    async def run(self, total: int, so_far: int = 0) -> str:
        for _ in range(A_RUN):
            if so_far == total:
                return f"{so_far} in the run after {workflow.info().continued_run_id is not None}"
            await workflow.sleep(0.001)
            so_far += 1
        workflow.continue_as_new(args=[total, so_far])


async def main(client: Client) -> str:
    async with Worker(client, task_queue=QUEUE, workflows=[Counting]):
        return await client.execute_workflow(
            Counting.run, args=[25, 0], id="hello-continuing", task_queue=QUEUE
        )


if __name__ == "__main__":
    run(main)
