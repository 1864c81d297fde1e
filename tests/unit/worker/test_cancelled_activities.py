"""Why and when activities are told to stop, and what their ends then mean for the workflow that began them."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.activity import ActivityCancellationDetails
from streamflow.client import WorkflowHandle
from streamflow.common import RetryPolicy
from streamflow.exceptions import ActivityError, ApplicationError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio


@workflow.defn
class Errand:
    """Begins one activity; gives it up when told to, and says how that ended."""

    def __init__(self) -> None:
        self.enough = False

    @workflow.signal
    def stop(self) -> None:
        self.enough = True

    @workflow.run
    async def run(self, options: dict[str, Any]) -> list[Any]:
        handle = workflow.start_activity(
            "work",
            start_to_close_timeout=timedelta(seconds=options.get("limit_s", 60)),
            heartbeat_timeout=(
                timedelta(seconds=options["heartbeat_s"]) if "heartbeat_s" in options else None
            ),
            cancellation_type=workflow.ActivityCancellationType[
                options.get("type", "wait_cancellation_completed").upper()
            ],
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=10),
                maximum_attempts=options.get("attempts", 1),
            ),
        )
        await workflow.wait_condition(lambda: self.enough or handle.done())
        if self.enough:
            handle.cancel()
        try:
            return ["result", await handle]
        except ActivityError as error:
            state = None if error.retry_state is None else error.retry_state.name
            return [
                type(error.cause).__name__,
                str(error.cause),
                state,
                error.scheduled_event_id > 0,
            ]


class Work:
    """The activity that a test gives, and what it was told."""

    def __init__(self, code: Callable[[Work], Any]) -> None:
        self.code = code
        self.begun = threading.Event()
        self.details: list[ActivityCancellationDetails | None] = []
        self.attempts = 0

    def begin(self) -> None:
        self.attempts += 1
        self.begun.set()

    def note(self) -> None:
        self.details.append(activity.cancellation_details())

    def as_activity(self) -> Callable[..., Any]:
        @activity.defn(name="work")
        async def work() -> Any:
            self.begin()
            return await self.code(self)

        @activity.defn(name="work")
        def work_in_thread() -> Any:
            self.begin()
            return self.code(self)

        return work if asyncio.iscoroutinefunction(self.code) else work_in_thread


async def until_stopped(work: Work) -> None:
    """Beats until it is told to stop."""
    try:
        while True:
            activity.heartbeat("going on")
            await asyncio.sleep(0.02)
    finally:
        work.note()


async def go_on(work: Work) -> str:
    """Takes no notice: its result counts."""
    try:
        await until_stopped(work)
    except asyncio.CancelledError:
        return "done all the same"
    return "never"


async def fail_instead(work: Work) -> None:
    try:
        await until_stopped(work)
    except asyncio.CancelledError as error:
        raise ApplicationError("clean-up failed", type="Mess") from error


@asynccontextmanager
async def errand(
    work: Work, options: dict[str, Any] | None = None, **worker: Any
) -> AsyncIterator[tuple[WorkflowEnvironment, WorkflowHandle[Any, list[Any]]]]:
    queue = f"q-{uuid.uuid4().hex[:8]}"
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue=queue,
            workflows=[Errand],
            activities=[work.as_activity()],
            max_heartbeat_throttle_interval=timedelta(milliseconds=20),
            default_heartbeat_throttle_interval=timedelta(milliseconds=20),
            **worker,
        ),
    ):
        handle = await env.client.start_workflow(
            Errand.run, options or {}, id=f"errand-{queue}", task_queue=queue
        )
        with env.auto_time_skipping_disabled():
            assert await asyncio.to_thread(work.begun.wait, 10)
            yield env, handle


async def until_told(work: Work) -> None:
    """Its owner and its worker watch the same limits: whichever is first ends it, and the other follows."""
    for _ in range(500):
        if work.details:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("Expected the activity to be told to stop")


async def until_state(handle: WorkflowHandle[Any, Any], state: str) -> None:
    found = ""
    for _ in range(500):
        found = (await handle.describe()).pending_activities[0].state
        if found == state:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"Expected the activity to be {state}, found it {found}")


# -- asked for -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        (until_stopped, ["CancelledError", "Cancelled", "CANCEL_REQUESTED", True]),
        (go_on, ["result", "done all the same"]),
        (fail_instead, ["ApplicationError", "Mess: clean-up failed", "CANCEL_REQUESTED", True]),
    ],
)
async def test_what_a_cancelled_activity_does_is_its_end(
    code: Callable[[Work], Any], ended: Sequence[Any]
) -> None:
    """Stopped, gone on, or failed: the workflow that waits for it is told."""
    work = Work(code)
    async with errand(work) as (_, handle):
        await handle.signal(Errand.stop)

        found = await handle.result()

    assert found == list(ended)
    assert work.details == [ActivityCancellationDetails(cancel_requested=True)]


async def test_try_cancel_does_not_wait_for_the_activity() -> None:
    """The workflow goes on at once, though the activity takes its time."""
    slow = asyncio.Event()

    async def linger(work: Work) -> None:
        try:
            await until_stopped(work)
        finally:
            await slow.wait()

    async with errand(Work(linger), {"type": "try_cancel"}) as (_, handle):
        await handle.signal(Errand.stop)
        found = await handle.result()
        slow.set()

    assert (found[0], found[2]) == ("CancelledError", "CANCEL_REQUESTED")


async def test_an_abandoned_activity_is_never_told() -> None:
    """It goes on, and what it returns is nobody's."""
    ended = asyncio.Event()

    async def finish(_: Work) -> str:
        await asyncio.sleep(0.3)
        assert not activity.is_cancelled()
        ended.set()
        return "too late"

    async with errand(Work(finish), {"type": "abandon"}) as (_, handle):
        await handle.signal(Errand.stop)
        found = await handle.result()
        await asyncio.wait_for(ended.wait(), 5)

    assert found[0] == "CancelledError"


# -- not wanted, late, paused, reset, shut down ---------------------------------------------------------------------


async def test_an_activity_of_a_run_that_was_terminated_is_not_wanted() -> None:
    work = Work(until_stopped)
    async with errand(work) as (_, handle):
        await until_state(handle, "started")
        await handle.terminate()
        await until_told(work)

    assert work.details == [ActivityCancellationDetails(not_found=True)]


async def test_a_silent_activity_is_told_that_it_is_late() -> None:
    """Its heartbeat timeout is its workflow's, with what it had reported last."""

    async def fall_silent(work: Work) -> None:
        activity.heartbeat("half", 2)
        try:
            await asyncio.Event().wait()
        finally:
            work.note()

    work = Work(fall_silent)
    async with errand(work, {"heartbeat_s": 0.3}) as (_, handle):
        found = await handle.result()
        await until_told(work)

    assert (found[0], found[2]) == ("TimeoutError", "MAXIMUM_ATTEMPTS_REACHED")
    assert work.details == [ActivityCancellationDetails(timed_out=True)]


async def test_an_activity_that_runs_too_long_is_told_that_it_is_late() -> None:
    work = Work(until_stopped)
    async with errand(work, {"limit_s": 0.3}) as (_, handle):
        found = await handle.result()
        await until_told(work)

    assert (found[0], found[2]) == ("TimeoutError", "MAXIMUM_ATTEMPTS_REACHED")
    assert work.details == [ActivityCancellationDetails(timed_out=True)]


async def test_a_paused_activity_is_told_and_made_again_when_it_is_let() -> None:
    """Though it may be made once only: an attempt that stops for a pause does not count."""

    async def until_second(work: Work) -> str:
        if work.attempts == 2:
            return f"attempt {activity.info().attempt}"
        await until_stopped(work)
        return "never"

    work = Work(until_second)
    async with errand(work) as (_, handle):
        await handle.pause_activity(activity_type="work", reason="look")
        await until_state(handle, "paused")
        await handle.unpause_activity(activity_type="work")

        assert await handle.result() == ["result", "attempt 1"]

    assert work.details == [ActivityCancellationDetails(paused=True)]


async def test_a_reset_activity_is_told_and_begins_again() -> None:
    async def until_second(work: Work) -> str:
        if work.attempts == 2:
            return f"attempt {activity.info().attempt}"
        await until_stopped(work)
        return "never"

    work = Work(until_second)
    async with errand(work, {"attempts": 5}) as (_, handle):
        await handle.reset_activity("1")

        assert await handle.result() == ["result", "attempt 1"]

    assert work.details == [ActivityCancellationDetails(reset=True)]


async def test_an_activity_may_end_within_the_graceful_timeout() -> None:
    """It is told of the shutdown first, and cancelled only afterwards."""

    async def wind_up(work: Work) -> str:
        await activity.wait_for_worker_shutdown()
        work.note()
        return "wound up"

    work = Work(wind_up)
    async with errand(work, graceful_shutdown_timeout=timedelta(seconds=20)):
        pass

    assert work.details == [None]


async def test_an_activity_that_goes_on_is_cancelled_by_the_shutdown() -> None:
    work = Work(until_stopped)
    async with errand(work):
        pass

    assert work.details == [ActivityCancellationDetails(worker_shutdown=True)]


# -- in threads -----------------------------------------------------------------------------------------------------


async def test_a_shielded_thread_is_interrupted_when_the_shield_ends() -> None:
    """Inside of it the activity only sees that it is to stop."""
    seen: list[Any] = []

    def shielded(work: Work) -> None:
        with activity.shield_thread_cancel_exception():
            activity.wait_for_cancelled_sync(20)
            seen.append(activity.is_cancelled())
        seen.append("after")

    async with errand(Work(shielded), activity_executor=ThreadPoolExecutor()) as (_, handle):
        await handle.signal(Errand.stop)
        found = await handle.result()

    assert seen == [True]
    assert found[0] == "CancelledError"
