"""What ended runs leave in memory. Cycles would have to be found by the collector, which stops every thread for that."""

from __future__ import annotations

import gc
from datetime import timedelta

import pytest

from streamflow import activity, workflow
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

RUNS = 20
IN_ALL_MAX = 5 * RUNS
"""Some objects of other parts may come together by chance; each run used to leave about 90."""


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@workflow.defn
class Doubling:
    @workflow.run
    async def run(self, number: int) -> int:
        limit = timedelta(minutes=1)
        number = await workflow.execute_activity(double, number, start_to_close_timeout=limit)
        return await workflow.execute_local_activity(double, number, start_to_close_timeout=limit)


@pytest.mark.asyncio
async def test_a_run_that_has_ended_leaves_nothing_to_the_garbage_collector() -> None:
    async def runs(name: str) -> None:
        for number in range(RUNS):
            await environment.client.execute_workflow(
                Doubling.run, number, id=f"{name}-{number}", task_queue="garbage"
            )

    async with (
        await WorkflowEnvironment.start_time_skipping() as environment,
        Worker(
            environment.client,
            task_queue="garbage",
            workflows=[Doubling],
            activities=[double],
        ),
    ):
        await runs("warm")
        gc.collect()
        gc.disable()
        try:
            await runs("measured")
            found = gc.collect()
        finally:
            gc.enable()

    assert found <= IN_ALL_MAX, found
