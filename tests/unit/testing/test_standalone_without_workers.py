"""A log within the process keeps the activities that clients start, whether there is a worker or not."""

from __future__ import annotations

import asyncio
import typing
from collections.abc import Sequence
from datetime import timedelta

import pytest

from streamflow import activity
from streamflow.activity.definition import definition_of
from streamflow.client import (
    ActivityExecutionCount,
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityHandle,
    Client,
    PendingActivityState,
)
from streamflow.common import ActivityIDConflictPolicy, RawValue
from streamflow.exceptions import ActivityAlreadyStartedError, CancelledError
from streamflow.service import RPCError, RPCStatusCode
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

SOON = timedelta(seconds=20)


@activity.defn
async def add_one(number: int) -> int:
    return number + 1


@activity.defn
async def left_open(number: int) -> None:
    activity.raise_complete_async()


async def _start_early(client: Client) -> ActivityHandle[int]:
    return await client.start_activity(
        add_one,
        1,
        id="early",
        task_queue="nobody-yet",
        schedule_to_close_timeout=SOON,
        id_conflict_policy=ActivityIDConflictPolicy.FAIL,
    )


def test_activity_is_described_listed_and_refused_twice_before_any_worker() -> None:
    async def scene() -> None:
        async with await WorkflowEnvironment.start_time_skipping() as env:
            handle = await _start_early(env.client)

            described = await handle.describe()
            assert described.status is ActivityExecutionStatus.RUNNING
            assert described.run_state is PendingActivityState.SCHEDULED
            assert (described.attempt, described.last_worker_identity) == (1, "")
            assert await env.client.count_activities(
                "ActivityId = 'early'"
            ) == ActivityExecutionCount(1, [])
            with pytest.raises(ActivityAlreadyStartedError):
                await _start_early(env.client)
            async with Worker(env.client, task_queue="nobody-yet", activities=[add_one]):
                assert await handle.result() == 2

    asyncio.run(scene())


def test_description_with_a_token_waits_for_the_next_change() -> None:
    async def scene() -> None:
        async with await WorkflowEnvironment.start_time_skipping() as env:
            handle = await env.client.start_activity(
                add_one, 1, id="watched", task_queue="later", schedule_to_close_timeout=SOON
            )
            first = await handle.describe()
            waiting = asyncio.create_task(handle.describe(long_poll_token=first.long_poll_token))
            async with Worker(env.client, task_queue="later", activities=[add_one]):
                second = await waiting
            assert first.state_transition_count is not None
            assert second.state_transition_count is not None
            assert second.state_transition_count > first.state_transition_count

    asyncio.run(scene())


async def _open_activity(client: Client) -> None:
    handle = client.get_activity_handle("open")
    found = await handle.describe()
    while found.last_started_time is None:
        found = await handle.describe(long_poll_token=found.long_poll_token)


def test_cancellation_is_reported_only_after_it_was_asked_for() -> None:
    async def scene() -> None:
        async with await WorkflowEnvironment.start_time_skipping() as env:
            client = env.client
            async with Worker(client, task_queue="jobs", activities=[left_open]):
                handle = await client.start_activity(
                    left_open, 1, id="open", task_queue="jobs", start_to_close_timeout=SOON
                )
                await _open_activity(client)
                outside = client.get_async_activity_handle(activity_id="open", run_id=handle.run_id)

                with pytest.raises(RPCError, match="invalid transition from Started") as early:
                    await outside.report_cancellation("too early")
                assert early.value.status is RPCStatusCode.FAILED_PRECONDITION

                await handle.cancel()
                await outside.report_cancellation("swept up")
                with pytest.raises(ActivityFailureError) as ended:
                    await handle.result()
                assert isinstance(ended.value.cause, CancelledError)
                assert list(ended.value.cause.details) == ["swept up"]

    asyncio.run(scene())


def test_dynamic_activity_may_be_typed_with_either_spelling_of_sequence() -> None:
    @activity.defn(dynamic=True)
    async def either(values: Sequence[RawValue]) -> None: ...

    async def old(values: list[RawValue]) -> None: ...

    old.__annotations__["values"] = typing.Sequence[RawValue]
    assert activity.defn(dynamic=True)(old) is old


def test_undecorated_activity_is_named_by_the_refusal() -> None:
    async def plain() -> None: ...

    with pytest.raises(TypeError, match="Activity plain missing attributes"):
        definition_of(plain)


def test_info_outside_of_an_activity_says_where_it_is_missing() -> None:
    assert not activity.in_activity()
    with pytest.raises(RuntimeError) as refused:
        activity.info()
    assert str(refused.value) == "Not in activity context"
