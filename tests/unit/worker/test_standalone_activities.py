"""Activities that a client starts without a workflow: made, retried, cancelled, described, completed from outside."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity
from streamflow.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
    Client,
    PendingActivityState,
    RPCError,
    RPCStatusCode,
)
from streamflow.common import ActivityIDConflictPolicy, ActivityIDReusePolicy, RetryPolicy
from streamflow.exceptions import (
    ActivityAlreadyStartedError,
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio
LIMIT: dict[str, Any] = {"start_to_close_timeout": timedelta(seconds=60)}


@activity.defn
async def add(left: int, right: int) -> int:
    return left + right


@activity.defn
async def third_time() -> int:
    if activity.info().attempt < 3:
        raise ApplicationError("not yet")
    return activity.info().attempt


@activity.defn
async def refuse() -> None:
    raise ApplicationError("No", "why", type="Refused", non_retryable=True)


@activity.defn
async def wait() -> str:
    try:
        await asyncio.Event().wait()
    finally:
        activity.heartbeat("stopping")
    raise AssertionError("never")


@activity.defn
async def tell() -> list[Any]:
    info = activity.info()
    return [
        info.activity_id,
        info.workflow_id,
        info.workflow_run_id,
        info.workflow_type,
        info.in_workflow,
        info.activity_run_id,
    ]


@activity.defn
async def leave() -> str:
    activity.raise_complete_async()


class Shop:
    @activity.defn
    async def price(self, item: str) -> int:
        return len(item)


@activity.defn
class Double:
    def __call__(self, value: int) -> int:
        return value * 2


@asynccontextmanager
async def serving(queue: str) -> AsyncIterator[WorkflowEnvironment]:
    activities: list[Callable[..., Any]] = [
        add,
        third_time,
        refuse,
        wait,
        tell,
        leave,
        Shop().price,
        Double(),
    ]
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue=queue,
            activities=activities,
            activity_executor=ThreadPoolExecutor(),
        ),
    ):
        yield env


@pytest.fixture
def queue() -> str:
    return f"q-{uuid.uuid4().hex[:8]}"


async def until_begun(client: Client, activity_id: str) -> None:
    for _ in range(500):
        described = await client.get_activity_handle(activity_id).describe()
        if described.run_state is PendingActivityState.STARTED:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("Expected the activity to begin")


async def test_a_client_has_an_activity_made(queue: str) -> None:
    """By its function, a method, a callable class or its name."""
    async with serving(queue) as env:
        client, where = env.client, {"task_queue": queue, **LIMIT}

        assert await client.execute_activity(add, args=[40, 2], id="a", **where) == 42
        assert await client.execute_activity("add", args=[1, 2], id="b", **where) == 3
        assert await client.execute_activity_class(Double, 21, id="c", **where) == 42
        method: Any = Shop.price
        assert await client.execute_activity_method(method, "tea", id="d", **where) == 3


async def test_it_knows_that_no_workflow_asked_for_it(queue: str) -> None:
    async with serving(queue) as env:
        handle = await env.client.start_activity(tell, id="alone", task_queue=queue, **LIMIT)

        assert await handle.result() == ["alone", None, None, None, False, handle.run_id]


async def test_it_is_retried_as_its_policy_says(queue: str) -> None:
    """Time skips over the waits; its description tells the attempt."""
    async with serving(queue) as env:
        handle = await env.client.start_activity(
            third_time,
            id="stubborn",
            task_queue=queue,
            retry_policy=RetryPolicy(initial_interval=timedelta(hours=1)),
            **LIMIT,
        )

        assert await handle.result() == 3
        described = await handle.describe(include_last_failure=True)
        assert described.status is ActivityExecutionStatus.COMPLETED
        assert (described.activity_type, described.attempt) == ("third_time", 3)
        assert described.run_state is None
        assert await described.result() == 3


async def test_its_failure_is_the_callers(queue: str) -> None:
    """What it raised is the cause, and a description keeps it."""
    async with serving(queue) as env:
        handle = await env.client.start_activity(refuse, id="no", task_queue=queue, **LIMIT)
        with pytest.raises(ActivityFailureError) as failed:
            await handle.result()
        described = await handle.describe(include_last_failure=True)

    assert isinstance(failed.value.cause, ApplicationError)
    assert (failed.value.cause.type, list(failed.value.cause.details)) == ("Refused", ["why"])
    assert described.status is ActivityExecutionStatus.FAILED
    assert isinstance(await described.outcome_failure(), ApplicationError)
    assert isinstance(await described.last_failure(), ApplicationError)


async def test_it_is_cancelled(queue: str) -> None:
    async with serving(queue) as env:
        handle = await env.client.start_activity(wait, id="w", task_queue=queue, **LIMIT)
        with env.auto_time_skipping_disabled():
            await until_begun(env.client, "w")
            await handle.cancel(reason="enough")
            with pytest.raises(ActivityFailureError) as failed:
                await handle.result()
        described = await handle.describe(include_last_failure=True)

    assert isinstance(failed.value.cause, CancelledError)
    assert described.status is ActivityExecutionStatus.CANCELED
    assert described.canceled_reason == "enough"


async def test_it_is_terminated(queue: str) -> None:
    async with serving(queue) as env:
        handle = await env.client.start_activity(wait, id="w", task_queue=queue, **LIMIT)
        await handle.terminate(reason="gone")
        with pytest.raises(ActivityFailureError) as failed:
            await handle.result()

    assert isinstance(failed.value.cause, TerminatedError)


async def test_it_times_out_on_a_queue_without_workers(queue: str) -> None:
    async with serving(queue) as env:
        with pytest.raises(ActivityFailureError) as failed:
            await env.client.execute_activity(
                add,
                args=[1, 2],
                id="lost",
                task_queue="nobody",
                schedule_to_start_timeout=timedelta(hours=1),
                **LIMIT,
            )

    assert isinstance(failed.value.cause, TimeoutError)
    assert failed.value.cause.type is TimeoutType.SCHEDULE_TO_START


async def test_an_id_in_use_is_refused_or_shared(queue: str) -> None:
    async with serving(queue) as env:
        client, where = env.client, {"id": "one", "task_queue": queue, **LIMIT}
        first = await client.start_activity(leave, **where)
        with pytest.raises(ActivityAlreadyStartedError) as refused:
            await client.start_activity(leave, **where)
        shared = await client.start_activity(
            leave, id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING, **where
        )
        await client.get_async_activity_handle(activity_id="one").complete("done")
        again = client.start_activity(
            leave, id_reuse_policy=ActivityIDReusePolicy.REJECT_DUPLICATE, **where
        )

        assert refused.value.activity_id == "one"
        assert shared.run_id == first.run_id == refused.value.run_id
        assert await shared.result() == "done"
        with pytest.raises(ActivityAlreadyStartedError):
            await again


async def test_what_is_not_there_or_not_bounded_says_so(queue: str) -> None:
    async with serving(queue) as env:
        client = env.client
        await client.execute_activity(add, args=[1, 2], id="a", task_queue=queue, **LIMIT)
        with pytest.raises(RPCError) as missing:
            await client.get_activity_handle("nobody").result()
        with pytest.raises(ValueError, match="must have start_to_close_timeout or schedule_to_"):
            await client.start_activity(add, args=[1, 2], id="b", task_queue=queue)

    assert missing.value.status is RPCStatusCode.NOT_FOUND


async def test_it_is_paused_and_goes_on(queue: str) -> None:
    """What is paused is not made; it is made at once when it may go on."""
    async with serving(queue) as env:
        options: dict[str, Any] = {"id": "a", "schedule_to_close_timeout": timedelta(days=1)}
        handle = await env.client.start_activity(third_time, task_queue="later", **options)
        await handle.pause(reason="lunch")
        paused = await handle.describe()
        async with Worker(env.client, task_queue="later", activities=[third_time]):
            await env.sleep(timedelta(hours=1))
            later = await handle.describe()
            await handle.unpause()
            assert await handle.result() == 3

    assert paused.status is later.status is ActivityExecutionStatus.PAUSED
    assert later.attempt == 1


async def test_activities_are_listed_and_counted_by_themselves(queue: str) -> None:
    """By their ID, type, status and task queue; lists of workflows do not have them."""
    async with serving(queue) as env:
        client, where = env.client, {"task_queue": queue, **LIMIT}
        await client.execute_activity(add, args=[1, 2], id="a", **where)
        await client.execute_activity(add, args=[1, 2], id="b", **where)
        await client.start_activity(leave, id="c", **where)

        async def found(filter: str) -> list[str]:
            return sorted([it.activity_id async for it in client.list_activities(filter)])

        assert await found("") == ["a", "b", "c"]
        assert await found(f"ActivityType = 'add' AND TaskQueue = '{queue}'") == ["a", "b"]
        assert await found("ExecutionStatus = 'Running' OR ActivityId = 'a'") == ["a", "c"]
        assert await found("ActivityId = 'b' ORDER BY StartTime") == ["b"]
        [running] = [it async for it in client.list_activities("ActivityId = 'c'", limit=1)]
        assert (running.activity_type, running.task_queue) == ("leave", queue)
        assert running.status is ActivityExecutionStatus.RUNNING
        assert (await client.count_activities("ActivityType = 'add'")).count == 2
        grouped = await client.count_activities("GROUP BY ExecutionStatus")
        assert {(*group.group_values, group.count) for group in grouped.groups} == {
            ("Completed", 2),
            ("Running", 1),
        }
        assert [it.id async for it in client.list_workflows()] == []
        with pytest.raises(RPCError) as refused:
            await found("ActivityId = ")
        assert refused.value.status is RPCStatusCode.INVALID_ARGUMENT
