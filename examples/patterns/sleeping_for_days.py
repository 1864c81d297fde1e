"""A reminder each month until somebody says stop, at least one. A sleeping workflow costs nothing but its rows on the disk."""

from __future__ import annotations

from datetime import timedelta

from examples.hello import run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.worker import Worker

QUEUE = "reminders"


@activity.defn
async def remind(number: int) -> str:
    return f"reminder {number}"


@workflow.defn
class Reminders:
    def __init__(self) -> None:
        self.stopped = False

    @workflow.run
    async def run(self, pause: timedelta) -> int:
        """How many reminders were sent."""
        sent = 0
        while True:
            await workflow.execute_activity(
                remind, sent + 1, start_to_close_timeout=timedelta(minutes=1)
            )
            sent += 1
            try:
                await workflow.wait_condition(lambda: self.stopped, timeout=pause)
            except TimeoutError:
                continue
            return sent

    @workflow.signal
    def stop(self) -> None:
        self.stopped = True


async def main(client: Client, pause: timedelta = timedelta(days=30)) -> int:
    async with Worker(client, task_queue=QUEUE, workflows=[Reminders], activities=[remind]):
        handle = await client.start_workflow(Reminders.run, pause, id="reminders", task_queue=QUEUE)
        await handle.signal(Reminders.stop)
        return await handle.result()


if __name__ == "__main__":
    run(main)
