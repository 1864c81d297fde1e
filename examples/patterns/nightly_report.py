"""A schedule starts a workflow at the times it names; it can be paused, changed and asked, and made to act at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from examples.hello import run
from streamflow import workflow
from streamflow.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
)
from streamflow.worker import Worker

QUEUE = "reports"


@workflow.defn
class Report:
    @workflow.run
    async def run(self, kind: str) -> str:
        return f"{kind} report"


async def main(client: Client) -> list[object]:
    async with Worker(client, task_queue=QUEUE, workflows=[Report]):
        schedule = await client.create_schedule(
            "nightly-report",
            Schedule(
                action=ScheduleActionStartWorkflow(
                    Report.run, "nightly", id="report", task_queue=QUEUE
                ),
                spec=ScheduleSpec(
                    calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(3)])],
                    intervals=[ScheduleIntervalSpec(every=timedelta(days=7))],
                ),
                state=ScheduleState(note="Every night at three, and once a week"),
            ),
        )
        await schedule.trigger()
        while not (await schedule.describe()).info.recent_actions:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        await schedule.pause(note="Holidays")
        description = await schedule.describe()
        await schedule.delete()
        return [description.schedule.state.note, description.info.num_actions]


if __name__ == "__main__":
    run(main)
