"""`streamflow batch`: each operation on every workflow that a filter finds, and on no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from streamflow.client import Client, WorkflowExecutionStatus
from tests.integration.cli.processes import Dev, Shell
from tests.integration.cli.shop import QUEUE, Greet

pytestmark = pytest.mark.timeout(180)

FOUND = "WorkflowId STARTS_WITH 'a-'"


def there(dev: Dev, call: Callable[[Client], Awaitable[Any]]) -> Any:
    async def with_client() -> Any:
        async with await Client.connect(dev.address) as client:
            return await call(client)

    return asyncio.run(with_client())


def statuses(dev: Dev) -> dict[str, list[str]]:
    """Of all runs of each workflow, the latest first; an open one says what its code is held back by."""

    async def call(client: Client) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        async for run in client.list_workflows("WorkflowType = 'Greet'"):
            is_open = run.status is WorkflowExecutionStatus.RUNNING
            handle = client.get_workflow_handle(run.id, run_id=run.run_id)
            trouble = (await handle.describe()).trouble if is_open else None
            said = trouble.kind if trouble else run.status.name.lower()
            found.setdefault(run.id, []).append(said)
        return found

    told: dict[str, list[str]] = there(dev, call)
    return told


def batch(shell: Shell, *words: str, query: str = FOUND) -> tuple[int, int, int]:
    """Its exit code, and how many were done and were not."""
    done = shell.run("batch", *words, "--query", query, "--yes", "-o", "json")
    counts = json.loads(done.stdout)
    return done.returncode, counts["succeeded"], counts["failed"]


def test_workflows_are_paused_reset_and_deleted_together(served: tuple[Shell, Dev]) -> None:
    shell, dev = served

    async def start(client: Client) -> None:
        for one in ("a-1", "a-2", "b"):
            await client.start_workflow(Greet.run, "Moon", id=one, task_queue=QUEUE)

    there(dev, start)

    assert batch(shell, "pause", "--reason", "recall") == (0, 2, 0)
    assert statuses(dev) == {"a-1": ["paused"], "a-2": ["paused"], "b": ["running"]}
    assert batch(shell, "unpause") == (0, 2, 0)
    assert statuses(dev) == {"a-1": ["running"], "a-2": ["running"], "b": ["running"]}

    assert batch(shell, "reset", "--to", "first-step") == (0, 2, 0)
    again = ["running", "terminated"]
    assert statuses(dev) == {"a-1": again, "a-2": again, "b": ["running"]}

    assert batch(shell, "delete") == (1, 2, 2)
    assert statuses(dev) == {"a-1": ["running"], "a-2": ["running"], "b": ["running"]}


def test_the_last_step_of_closed_workflows_is_made_anew(served: tuple[Shell, Dev]) -> None:
    """What came before it stays as it was: its activity is not run again."""
    shell, dev = served

    async def finished(client: Client) -> None:
        handle = await client.start_workflow(Greet.run, "Sun", id="over", task_queue=QUEUE)
        await handle.signal(Greet.finish)
        await handle.result()

    there(dev, finished)

    assert batch(shell, "reset", "--to", "last-step", query="WorkflowId = 'over'") == (0, 1, 0)

    async def result(client: Client) -> tuple[str, int]:
        handle = client.get_workflow_handle_for(Greet.run, "over")
        said = await handle.result()
        events = (await handle.fetch_history()).recorded
        return said, sum(type(one.event).__name__ == "ActivityCompleted" for one in events)

    assert there(dev, result) == ("Hello, Sun!", 1)
    assert statuses(dev)["over"] == ["completed", "completed"]
