"""Activities that are completed from outside: by task token and by ID, with heartbeats, failures and cancellations."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.client import (
    AsyncActivityCancelledError,
    AsyncActivityHandle,
    Client,
    RPCError,
    WorkflowFailureError,
    WorkflowHandle,
)
from streamflow.common import RetryPolicy
from streamflow.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TimeoutError,
    TimeoutType,
)
from streamflow.model.events import ActivityCanceled
from streamflow.service import RPCStatusCode
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio


class Desk:
    """Begins activities that others end, and notes what each attempt was told of itself."""

    def __init__(self) -> None:
        self.infos: list[activity.Info] = []
        self.begun = asyncio.Event()

    @activity.defn
    async def approve(self) -> str:
        self.infos.append(activity.info())
        self.begun.set()
        activity.raise_complete_async()


@workflow.defn
class Approval:
    @workflow.run
    async def run(self, options: dict[str, Any]) -> str:
        activity_type: Any = Desk.approve
        result: str = await workflow.execute_activity_method(
            activity_type,
            start_to_close_timeout=timedelta(seconds=options.get("limit_s", 60)),
            heartbeat_timeout=(
                timedelta(seconds=options["heartbeat_s"]) if "heartbeat_s" in options else None
            ),
            activity_id="approval",
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=10),
                maximum_attempts=options.get("attempts", 1),
            ),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        return result


class Begun:
    """A workflow that waits for an approval, and the client that may give it."""

    def __init__(
        self, env: WorkflowEnvironment, desk: Desk, handle: WorkflowHandle[Any, Any]
    ) -> None:
        self.env, self.desk, self.handle = env, desk, handle
        self.client: Client = env.client

    def by_token(self) -> AsyncActivityHandle:
        return self.client.get_async_activity_handle(task_token=self.desk.infos[-1].task_token)

    def by_id(self) -> AsyncActivityHandle:
        return self.client.get_async_activity_handle(
            workflow_id=self.handle.id,
            run_id=self.handle.result_run_id,
            activity_id="approval",
        )

    def meant(self, how: str) -> AsyncActivityHandle:
        return self.by_token() if how == "token" else self.by_id()

    async def failure(self) -> BaseException:
        """What the workflow's activity ended with."""
        with pytest.raises(WorkflowFailureError) as failed:
            await self.handle.result()
        assert isinstance(failed.value.cause, ActivityError)
        assert failed.value.cause.cause is not None
        return failed.value.cause.cause


@asynccontextmanager
async def begun(**options: Any) -> AsyncIterator[Begun]:
    queue, desk = f"q-{uuid.uuid4().hex[:8]}", Desk()
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue=queue,
            workflows=[Approval],
            activities=[desk.approve],
            max_cached_workflows=0,
        ),
    ):
        handle = await env.client.start_workflow(
            Approval.run, options, id="order-1", task_queue=queue
        )
        with env.auto_time_skipping_disabled():
            await asyncio.wait_for(desk.begun.wait(), 10)
            yield Begun(env, desk, handle)


async def until_stopped(handle: AsyncActivityHandle) -> AsyncActivityCancelledError:
    for _ in range(200):
        try:
            await handle.heartbeat("still here")
        except AsyncActivityCancelledError as error:
            return error
        await asyncio.sleep(0.01)
    raise AssertionError("Expected the activity to be told to stop")


BOTH = pytest.mark.parametrize("how", ["token", "id"])


@BOTH
async def test_someone_else_completes_the_activity(how: str) -> None:
    """The workflow goes on with the result that came from outside."""
    async with begun() as order:
        await order.meant(how).heartbeat("seen")
        await order.meant(how).complete("yes")

        assert await order.handle.result() == "yes"


@BOTH
async def test_someone_else_fails_the_activity(how: str) -> None:
    """Its error is the activity's, with its details."""
    async with begun() as order:
        await order.meant(how).fail(ApplicationError("No", "why", type="Refused"))

        cause = await order.failure()
        assert isinstance(cause, ApplicationError)
        assert (cause.message, cause.type, list(cause.details)) == ("No", "Refused", ["why"])


@BOTH
async def test_the_next_attempt_finds_how_far_the_failed_one_came(how: str) -> None:
    async with begun(attempts=2) as order:
        order.desk.begun.clear()
        await order.meant(how).fail(RuntimeError("try again"), last_heartbeat_details=["half", 2])
        await asyncio.wait_for(order.desk.begun.wait(), 10)
        await order.meant(how).complete("yes")

        assert await order.handle.result() == "yes"
        assert [info.attempt for info in order.desk.infos] == [1, 2]
        assert list(order.desk.infos[-1].heartbeat_details) == ["half", 2]


@BOTH
async def test_a_heartbeat_says_that_the_workflow_wants_it_to_stop(how: str) -> None:
    """Reported as cancelled, the activity ends so."""
    async with begun() as order:
        await order.handle.cancel()
        stopped = await until_stopped(order.meant(how))
        assert stopped.details is not None
        assert stopped.details.cancel_requested
        await order.meant(how).report_cancellation("gave up")

        with pytest.raises(WorkflowFailureError) as ended:
            await order.handle.result()
        assert isinstance(ended.value.cause, CancelledError)
        events = [recorded.event for recorded in (await order.handle.fetch_history()).recorded]
        assert any(isinstance(event, ActivityCanceled) for event in events)


async def test_a_heartbeat_says_that_the_activity_is_paused() -> None:
    async with begun() as order:
        await order.handle.pause_activity("approval")
        stopped = await until_stopped(order.by_token())

        assert stopped.details is not None
        assert stopped.details.paused


async def test_a_token_of_an_attempt_that_is_over_is_refused() -> None:
    """NOT_FOUND, as for an activity that there never was."""
    async with begun(attempts=2) as order:
        old = order.by_token()
        order.desk.begun.clear()
        await old.fail(RuntimeError("try again"))
        await asyncio.wait_for(order.desk.begun.wait(), 10)

        for stale in (
            old,
            order.client.get_async_activity_handle(
                workflow_id=order.handle.id, run_id=None, activity_id="nobody"
            ),
        ):
            with pytest.raises(RPCError) as refused:
                await stale.complete("late")
            assert refused.value.status is RPCStatusCode.NOT_FOUND


async def test_without_heartbeats_the_activity_times_out() -> None:
    """Nobody holds it in hand any more, but its limits go on; the last details travel with the timeout."""
    async with begun(heartbeat_s=5) as order:
        await order.by_token().heartbeat("half")
        await order.env.sleep(6)

        cause = await order.failure()
        assert isinstance(cause, TimeoutError)
        assert cause.type is TimeoutType.HEARTBEAT
        assert list(cause.last_heartbeat_details) == ["half"]


async def test_what_is_no_token_is_refused_at_once() -> None:
    async with begun() as order:
        handle = order.client.get_async_activity_handle(task_token=b"something else")
        with pytest.raises(ValueError, match="task token"):
            await handle.complete()
        await order.by_id().complete("yes")
