"""A local activity that its workflow no longer waits for goes on with the run, and no longer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from streamflow import activity, workflow
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio
SOON_S = 5.0


class Waiter:
    def __init__(self) -> None:
        self.begun, self.cancelled = asyncio.Event(), asyncio.Event()

    @activity.defn
    async def wait(self) -> None:
        self.begun.set()
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@workflow.defn
class Abandons:
    def __init__(self) -> None:
        self._gave_up = False

    @workflow.run
    async def run(self) -> None:
        waiting = workflow.start_local_activity_method(
            Waiter.wait,
            schedule_to_close_timeout=timedelta(hours=1),
            cancellation_type=workflow.ActivityCancellationType.ABANDON,
        )
        await asyncio.sleep(0.01)
        waiting.cancel()
        self._gave_up = True
        await asyncio.Future()

    @workflow.update
    async def gave_up(self) -> None:
        await workflow.wait_condition(lambda: self._gave_up)


async def test_an_abandoned_local_activity_is_cancelled_when_its_run_closes() -> None:
    waiter = Waiter()
    async with (
        await WorkflowEnvironment.start_local() as env,
        Worker(env.client, task_queue="q", workflows=[Abandons], activities=[waiter.wait]),
    ):
        handle = await env.client.start_workflow(Abandons.run, id="w", task_queue="q")
        await waiter.begun.wait()
        await handle.execute_update(Abandons.gave_up)
        assert not waiter.cancelled.is_set()

        await handle.cancel()

        await asyncio.wait_for(waiter.cancelled.wait(), SOON_S)
