"""A wait whose end may be moved while it lasts."""

from __future__ import annotations

from datetime import datetime, timedelta

from examples.hello import run
from streamflow import workflow
from streamflow.client import Client
from streamflow.worker import Worker

QUEUE = "timers"


class UpdatableTimer:
    """To be used inside workflows: sleeps until a time that others may change."""

    def __init__(self, wake_at: datetime) -> None:
        self.wake_at = wake_at
        self._changed = False

    async def sleep(self) -> None:
        while (left := self.wake_at - workflow.now()) > timedelta():
            self._changed = False
            try:
                await workflow.wait_condition(lambda: self._changed, timeout=left)
            except TimeoutError:
                return

    def change(self, wake_at: datetime) -> None:
        self.wake_at = wake_at
        self._changed = True


@workflow.defn
class WakeUp:
    @workflow.init
    def __init__(self, wake_at: datetime) -> None:
        self.timer = UpdatableTimer(wake_at)

    @workflow.run
    async def run(self, wake_at: datetime) -> bool:
        """Whether it slept past the time first asked for."""
        await self.timer.sleep()
        return workflow.now() > wake_at

    @workflow.signal
    def change(self, wake_at: datetime) -> None:
        self.timer.change(wake_at)

    @workflow.query
    def wakes_at(self) -> datetime:
        return self.timer.wake_at


async def main(client: Client, now: datetime, first: timedelta, then: timedelta) -> bool:
    async with Worker(client, task_queue=QUEUE, workflows=[WakeUp]):
        handle = await client.start_workflow(
            WakeUp.run, now + first, id="wake-up", task_queue=QUEUE
        )
        await handle.signal(WakeUp.change, now + then)
        return await handle.result()


async def _now(client: Client) -> bool:
    second = timedelta(seconds=1)
    return await main(client, datetime.now().astimezone(), 60 * second, second)


if __name__ == "__main__":
    run(_now)
