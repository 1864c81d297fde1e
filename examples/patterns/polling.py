"""Waiting for something that only answers when asked: often inside an activity, seldom by its retries."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from examples.hello import run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.common import RetryPolicy
from streamflow.worker import Worker

QUEUE = "polling"


@dataclass
class Report:
    """Somebody else's job: ready after it was asked for so many times."""

    ready_after: int
    asked: int = 0

    def ask(self) -> bool:
        self.asked += 1
        return self.asked > self.ready_after


class Poller:
    def __init__(self, report: Report) -> None:
        self.report = report

    @activity.defn
    async def poll_often(self) -> int:
        """Every 10 ms. Heartbeats tell that it lives, and tell it of a cancellation."""
        while not self.report.ask():
            activity.heartbeat()
            await asyncio.sleep(0.01)
        return self.report.asked

    @activity.defn
    async def poll_once(self) -> int:
        """Each attempt asks once; the retry policy is the interval, and no worker is busy between."""
        if not self.report.ask():
            raise RuntimeError("The report is not ready yet")
        return self.report.asked


@workflow.defn
class WaitForReport:
    @workflow.run
    async def run(self, pause: timedelta) -> list[int]:
        often = await workflow.execute_activity_method(
            Poller.poll_often,
            start_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=timedelta(seconds=10),
        )
        seldom = await workflow.execute_activity_method(
            Poller.poll_once,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=pause, backoff_coefficient=1.0),
        )
        return [often, seldom]


async def main(client: Client, pause: timedelta = timedelta(seconds=1)) -> list[int]:
    """How often each was asked."""
    poller = Poller(Report(ready_after=3))
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[WaitForReport],
        activities=[poller.poll_often, poller.poll_once],
    ):
        return await client.execute_workflow(
            WaitForReport.run, pause, id="polling", task_queue=QUEUE
        )


if __name__ == "__main__":
    run(main)
