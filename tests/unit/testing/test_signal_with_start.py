"""Workflows that signal a workflow which is started for it if it is not open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.client import Client
from streamflow.common import WorkflowIDReusePolicy
from streamflow.exceptions import WorkflowAlreadyStartedError
from tests.unit.testing.again import CACHED, THERE, two_queues
from tests.unit.testing.test_messages_between_workflows import Listener, refused, run

pytestmark = pytest.mark.asyncio


@workflow.defn
class Waker:
    """Signals a listener that is begun for it if need be."""

    @workflow.run
    async def run(self, words: list[str], how: str) -> list[str | None]:
        options: dict[str, Any] = {}
        if how == "once":
            options["id_reuse_policy"] = WorkflowIDReusePolicy.REJECT_DUPLICATE
        seen: list[str | None] = []
        for word in words:
            try:
                handle = await workflow.signal_with_start_workflow(
                    Listener.run,
                    id="listener",
                    task_queue="nowhere" if how == "nowhere" else THERE,
                    signal=Listener.hear,
                    signal_args=word,
                    **options,
                )
            except WorkflowAlreadyStartedError as error:
                seen.append(f"{error.workflow_id} is taken")
            else:
                seen.append(handle.run_id)
        return seen


WORKFLOWS = [Listener, Waker]


@pytest_asyncio.fixture(params=CACHED, ids=["cached", "replayed"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with two_queues(WORKFLOWS, request.param) as client:
        yield client


async def test_a_signal_with_a_start_begins_a_workflow_or_meets_it(client: Client) -> None:
    first, second = await run(client, Waker.run, ["one", "stop"], "", id="waker")

    listener = client.get_workflow_handle("listener", task_queue=THERE)
    described = await listener.describe()
    assert first == second == described.run_id
    assert described.parent_id is None
    assert await listener.result() == ["one", "stop"]


async def test_a_signal_with_a_start_begins_the_next_run_of_a_closed_workflow(
    client: Client,
) -> None:
    first, second = await run(client, Waker.run, ["stop", "stop"], "", id="waker")
    assert first != second

    [taken] = await run(client, Waker.run, ["stop"], "once", id="second")
    assert taken == "listener is taken"


async def test_a_signal_with_a_start_needs_a_queue(client: Client) -> None:
    error = await refused(client, Waker.run, ["one"], "nowhere")

    assert error.type == "TaskQueueNotFound"
