"""Updates on a real broker: their order, their deduplication, and what a takeover leaves of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from streamflow.common import WorkflowIDConflictPolicy
from streamflow.worker import Worker

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]
QUEUE = "updates"


@workflow.defn
class Stock:
    """Counts what is in it."""

    def __init__(self) -> None:
        self.count = 0
        self.closed = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.closed)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.count

    @workflow.update
    def take(self, number: int) -> int:
        self.count -= number
        return self.count

    @take.validator
    def _enough(self, number: int) -> None:
        if number > self.count:
            raise ValueError("not enough")

    @workflow.update
    def put(self, number: int) -> int:
        self.count += number
        return self.count

    @workflow.update
    async def await_count(self, number: int) -> str:
        await workflow.wait_condition(lambda: self.count >= number)
        return f"there are {self.count}"

    @workflow.signal
    def close(self) -> None:
        self.closed = True


@pytest_asyncio.fixture
async def client(kafka_bootstrap: str) -> AsyncIterator[Client]:
    namespace = f"t-{uuid.uuid4().hex[:10]}"
    client = await Client.connect(kafka_bootstrap, namespace=namespace, create_topics=True)
    async with client:
        yield client


def serving(client: Client, folder: Path) -> Worker:
    """One that keeps no run: each batch replays."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Stock],
        max_cached_workflows=0,
        partitions=2,
        state_dir=folder,
    )


async def test_validators_see_what_was_accepted_before(client: Client, tmp_path: Path) -> None:
    """However many updates come at once: there is never less than nothing."""
    async with serving(client, tmp_path):
        handle = await client.start_workflow(Stock.run, id="w", task_queue=QUEUE)
        await handle.execute_update(Stock.put, 10)

        async def take() -> bool:
            try:
                return await handle.execute_update(Stock.take, 1) >= 0
            except WorkflowUpdateFailedError:
                return False

        taken = await asyncio.gather(*(take() for _ in range(30)))

        assert taken.count(True) == 10
        await handle.signal(Stock.close)
        assert await handle.result() == 0


async def test_an_update_outlives_its_worker(client: Client, tmp_path: Path) -> None:
    """Its caller waits on, and the next worker answers; a copy of the update is not done again."""
    operation = WithStartWorkflowOperation(
        Stock.run, id="w", task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    async with serving(client, tmp_path / "one"):
        update = await client.start_update_with_start_workflow(
            Stock.await_count,
            5,
            id="wait",
            start_workflow_operation=operation,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        )
        handle = await operation.workflow_handle()
        assert await handle.execute_update(Stock.put, 3, id="three") == 3
        waiting = asyncio.create_task(update.result())
    between = asyncio.create_task(handle.execute_update(Stock.put, 2, id="two"))
    await asyncio.sleep(0.5)

    async with serving(client, tmp_path / "two"):
        assert await between == 5
        assert await waiting == "there are 5"
        assert await handle.execute_update(Stock.put, 100, id="three") == 3
        await handle.signal(Stock.close)
        assert await handle.result() == 5
