"""What workflow code catches when a local activity, or any other, does not end well."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from streamflow import activity, workflow
from streamflow.client import Client, WorkflowFailureError
from streamflow.common import RetryPolicy
from streamflow.exceptions import ActivityError, ApplicationError, FailureError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Replayer, Worker

pytestmark = pytest.mark.asyncio

SHORT = timedelta(milliseconds=50)
LONG = timedelta(minutes=1)
ONCE = RetryPolicy(maximum_attempts=1)


@activity.defn
async def refuse(how: str) -> None:
    if how == "slow":
        await asyncio.sleep(60)
    if how == "own":
        raise ApplicationError("closed today", 7, type="Closed", non_retryable=True)
    raise ValueError("no such shop")


@workflow.defn
class Local:
    """Says how its activity ended: classes and messages, from the outermost error inwards."""

    @workflow.run
    async def run(self, how: str) -> list[str]:
        limit = SHORT if how == "slow" else LONG
        try:
            await workflow.execute_local_activity(
                refuse, how, start_to_close_timeout=limit, retry_policy=ONCE
            )
        except FailureError as error:
            return told(error)
        return []


@workflow.defn
class Remote:
    @workflow.run
    async def run(self, how: str) -> list[str]:
        limit = SHORT if how == "slow" else LONG
        try:
            await workflow.execute_activity(
                refuse, how, start_to_close_timeout=limit, retry_policy=ONCE
            )
        except FailureError as error:
            return told(error)
        return []


@workflow.defn
class Canceling:
    @workflow.run
    async def run(self) -> list[str]:
        handle = workflow.start_local_activity(refuse, "slow", start_to_close_timeout=LONG)
        await asyncio.sleep(0.01)
        handle.cancel()
        try:
            await handle
        except ActivityError as error:
            return told(error)
        return []


@workflow.defn
class Uncaught:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_local_activity(refuse, "own", start_to_close_timeout=LONG)


def told(error: BaseException | None) -> list[str]:
    if not isinstance(error, FailureError):
        return []
    return [f"{type(error).__name__}: {error.message}", *told(error.cause)]


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with (
        await WorkflowEnvironment.start_local() as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Local, Remote, Canceling, Uncaught],
            activities=[refuse],
        ),
    ):
        yield env.client


async def outcome(client: Client, workflow: str, *args: str) -> list[str]:
    handle = await client.start_workflow(
        workflow, args=args, id=str(uuid.uuid4()), task_queue="q", result_type=list[str]
    )
    found: list[str] = await handle.result()
    await Replayer(workflows=[Local, Remote, Canceling]).replay_workflow(
        await handle.fetch_history()
    )
    return found


async def test_what_a_local_activity_raised_arrives_as_it_is(client: Client) -> None:
    assert await outcome(client, "Local", "own") == ["ApplicationError: closed today"]
    assert await outcome(client, "Local", "other") == ["ApplicationError: no such shop"]


async def test_what_an_activity_raised_is_the_cause_of_an_activity_error(client: Client) -> None:
    assert await outcome(client, "Remote", "own") == [
        "ActivityError: Activity task failed",
        "ApplicationError: closed today",
    ]


async def test_a_timeout_is_the_cause_of_an_activity_error_in_both(client: Client) -> None:
    for kind, message in [
        ("Local", "Local Activity timed out"),
        ("Remote", "Activity task timed out"),
    ]:
        outer, inner = await outcome(client, kind, "slow")
        assert outer == f"ActivityError: {message}"
        assert inner.startswith("TimeoutError: ")


async def test_cancelling_a_local_activity_is_an_activity_error(client: Client) -> None:
    outer, inner = await outcome(client, "Canceling")

    assert outer == "ActivityError: Local Activity cancelled"
    assert inner.startswith("CancelledError: ")


async def test_an_uncaught_failure_of_a_local_activity_is_the_workflows_cause(
    client: Client,
) -> None:
    with pytest.raises(WorkflowFailureError) as caught:
        await client.execute_workflow("Uncaught", id=str(uuid.uuid4()), task_queue="q")

    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.details, cause.non_retryable) == ("Closed", (7,), True)
