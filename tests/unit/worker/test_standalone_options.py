"""Options of an activity that a client started, changed while it waits or runs; and its start delay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity
from streamflow.client import (
    ActivityExecutionStatus,
    ActivityHandle,
    ActivityOptionsKeys,
    Client,
    Interceptor,
    OutboundInterceptor,
    PendingActivityState,
    RPCError,
    RPCStatusCode,
    UpdateActivityOptionsInput,
)
from streamflow.common import Priority, RetryPolicy
from streamflow.exceptions import ApplicationError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@activity.defn
async def say_where() -> str:
    return activity.info().task_queue


@activity.defn
async def fail_twice() -> int:
    if activity.info().attempt < 3:
        raise ApplicationError("not yet")
    return activity.info().attempt


async def delayed(client: Client, **options: Any) -> ActivityHandle[str]:
    """Held back for an hour."""
    return await client.start_activity(
        say_where,
        id="a",
        task_queue="first",
        start_to_close_timeout=MINUTE,
        start_delay=60 * MINUTE,
        **options,
    )


async def test_every_option_is_changed_before_the_first_attempt() -> None:
    """The answer has them as they are then, and so has a description."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await delayed(env.client)
        policy = RetryPolicy(initial_interval=2 * SECOND, maximum_attempts=7)

        now = await handle.update_options(
            [
                ActivityOptionsKeys.task_queue.value_set("second"),
                ActivityOptionsKeys.schedule_to_close_timeout.value_set(200 * SECOND),
                ActivityOptionsKeys.schedule_to_start_timeout.value_set(15 * SECOND),
                ActivityOptionsKeys.start_to_close_timeout.value_set(90 * SECOND),
                ActivityOptionsKeys.heartbeat_timeout.value_set(25 * SECOND),
                ActivityOptionsKeys.retry_policy.value_set(policy),
                ActivityOptionsKeys.priority.value_set(Priority(priority_key=3)),
                ActivityOptionsKeys.start_delay.value_set(120 * MINUTE),
            ]
        )
        described = await handle.describe()

    assert (now.task_queue, now.start_delay) == ("second", 120 * MINUTE)
    assert now.schedule_to_close_timeout == 200 * SECOND
    assert now.schedule_to_start_timeout == 15 * SECOND
    assert (now.start_to_close_timeout, now.heartbeat_timeout) == (90 * SECOND, 25 * SECOND)
    assert (now.retry_policy.maximum_attempts, now.priority.priority_key) == (7, 3)
    assert (described.task_queue, described.start_delay) == ("second", 120 * MINUTE)
    assert described.heartbeat_timeout == 25 * SECOND
    assert described.execution_time == described.schedule_time + 120 * MINUTE


async def test_it_is_made_by_the_new_queue_after_the_new_delay() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await delayed(env.client)
        delay = ActivityOptionsKeys.start_delay.value_set(5 * MINUTE)
        await handle.update_options([ActivityOptionsKeys.task_queue.value_set("second"), delay])
        begun = await env.get_current_time()
        async with Worker(env.client, task_queue="second", activities=[say_where]):
            where = await handle.result()
        took = await env.get_current_time() - begun

    assert where == "second"
    assert 4 * MINUTE < took < 6 * MINUTE


async def test_a_start_delay_does_not_count_for_the_limits() -> None:
    """All limits begin where it ends."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await delayed(
            env.client, schedule_to_close_timeout=MINUTE, schedule_to_start_timeout=MINUTE
        )
        async with Worker(env.client, task_queue="first", activities=[say_where]):
            assert await handle.result() == "first"


async def test_what_is_held_back_is_paused_and_goes_on_when_its_time_has_come() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await delayed(env.client)
        await handle.pause(reason="hold")
        paused = await handle.describe()
        await handle.unpause()
        again = await handle.describe()

    assert paused.status is ActivityExecutionStatus.PAUSED
    assert paused.run_state is PendingActivityState.PAUSED
    assert again.run_state is PendingActivityState.SCHEDULED
    assert again.last_started_time is None


async def test_a_reset_takes_changes_back_if_it_is_told_to() -> None:
    """And sends what waits at once."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await delayed(env.client)
        await handle.update_options([ActivityOptionsKeys.task_queue.value_set("second")])
        await handle.reset(restore_original_options=True)
        async with Worker(env.client, task_queue="first", activities=[say_where]):
            assert await handle.result() == "first"


async def test_a_reset_counts_attempts_from_one() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await env.client.start_activity(
            fail_twice,
            id="a",
            task_queue="first",
            start_to_close_timeout=MINUTE,
            retry_policy=RetryPolicy(initial_interval=timedelta(days=1)),
        )
        async with Worker(env.client, task_queue="first", activities=[fail_twice]):
            with env.auto_time_skipping_disabled():
                while (await handle.describe()).attempt < 2:
                    await env.sleep(0.05)
                await handle.pause()
                await handle.reset(keep_paused=True)
                reset = await handle.describe()

    assert (reset.attempt, reset.paused) == (1, True)


async def test_original_options_come_back() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await delayed(env.client)
        unset = ActivityOptionsKeys.heartbeat_timeout.value_unset()
        longer = ActivityOptionsKeys.start_to_close_timeout.value_set(90 * SECOND)
        changed = await handle.update_options([longer, unset])
        restored = await handle.restore_original_options()

    assert changed.start_to_close_timeout == 90 * SECOND
    assert restored.start_to_close_timeout == MINUTE


async def test_of_several_changes_of_one_option_the_last_counts() -> None:
    key = ActivityOptionsKeys.heartbeat_timeout
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await delayed(env.client)
        now = await handle.update_options([key.value_set(5 * SECOND), key.value_unset()])

    assert now.heartbeat_timeout is None


async def test_what_cannot_be_says_why() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await delayed(env.client)
        with pytest.raises(ValueError, match="at least one update"):
            await handle.update_options([])
        with pytest.raises(TypeError, match="value_set"):
            await handle.update_options([5])  # type: ignore[list-item]  # that is the point
        with pytest.raises(RPCError, match="start_to_close_timeout") as unbounded:
            await handle.update_options([ActivityOptionsKeys.start_to_close_timeout.value_unset()])
        nobody = env.client.get_activity_handle("nobody")
        with pytest.raises(RPCError) as missing:
            await nobody.restore_original_options()

    assert unbounded.value.status is RPCStatusCode.INVALID_ARGUMENT
    assert missing.value.status is RPCStatusCode.NOT_FOUND


class Notes(Interceptor):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        notes = self

        class Noting(OutboundInterceptor):
            async def update_activity_options(self, input: UpdateActivityOptionsInput) -> Any:
                notes.seen.append(input)
                return await super().update_activity_options(input)

        return Noting(next)


async def test_an_interceptor_sees_changes_and_their_taking_back() -> None:
    """As one call, told apart by ``restore_original``, which goes with no change."""
    notes = Notes()
    async with await WorkflowEnvironment.start_time_skipping(interceptors=[notes]) as env:
        handle = await delayed(env.client)
        update = ActivityOptionsKeys.heartbeat_timeout.value_set(5 * SECOND)
        await handle.update_options([update])
        await handle.restore_original_options()
        both = UpdateActivityOptionsInput("a", None, [update], True, {}, None)
        with pytest.raises(ValueError, match="cannot be combined"):
            await env.client.outbound.update_activity_options(both)

    assert [(list(it.updates), it.restore_original) for it in notes.seen[:2]] == [
        ([update], False),
        ([], True),
    ]
