"""What activities are told of themselves, how their ends look to a workflow, and what is refused: by the public API alone."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.client import WorkflowFailureError
from streamflow.common import RawValue, RetryPolicy
from streamflow.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    RetryState,
    TimeoutError,
    TimeoutType,
)
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio


@workflow.defn
class Call:
    """Calls one activity, ordinary or local."""

    @workflow.run
    async def run(self, name: str, args: list[Any], given: dict[str, Any]) -> Any:
        options: dict[str, Any] = {
            "start_to_close_timeout": timedelta(seconds=given.pop("limit_s", 60)),
            "retry_policy": RetryPolicy(
                initial_interval=timedelta(seconds=1),
                maximum_attempts=given.pop("attempts", 1),
                non_retryable_error_types=given.pop("final", None),
            ),
        }
        is_local = given.pop("local", False)
        for option, value in given.items():
            options[option] = timedelta(seconds=value) if option.endswith("timeout") else value
        if is_local:
            return await workflow.execute_local_activity(name, args=args, **options)
        return await workflow.execute_activity(name, args=args, **options)


async def call(
    activities: Callable[..., Any] | Sequence[Callable[..., Any]],
    name: str,
    *args: Any,
    **options: Any,
) -> Any:
    queue = f"q-{uuid.uuid4().hex[:8]}"
    offered = [activities] if callable(activities) else list(activities)
    with ThreadPoolExecutor(4) as pool:
        async with (
            await WorkflowEnvironment.start_time_skipping() as env,
            Worker(
                env.client,
                task_queue=queue,
                workflows=[Call],
                activities=offered,
                activity_executor=pool,
                max_cached_workflows=0,
            ),
        ):
            return await env.client.execute_workflow(
                Call.run, args=[name, [*args], options], id=queue, task_queue=queue
            )


async def failure(*given: Any, **options: Any) -> tuple[ActivityError, BaseException]:
    """The activity's error, and what is behind it."""
    with pytest.raises(WorkflowFailureError) as failed:
        await call(*given, **options)
    error = failed.value.cause
    assert isinstance(error, ActivityError)
    assert error.cause is not None
    return error, error.cause


@activity.defn
async def say_hello(name: str) -> str:
    return f"Hello, {name}"


# -- which activity --------------------------------------------------------------------------------------------------


async def test_a_dynamic_activity_takes_what_no_other_does() -> None:
    """Its arguments come as they are stored."""

    @activity.defn(dynamic=True)
    async def anything(args: Sequence[RawValue]) -> list[Any]:
        first = activity.payload_converter().from_payload(args[0].payload, str)
        return [activity.info().activity_type, first, len(args)]

    assert await call([anything, say_hello], "say_goodbye", "Ada", 7) == ["say_goodbye", "Ada", 2]
    assert await call([anything, say_hello], "say_hello", "Ada") == "Hello, Ada"


async def test_an_activity_that_nobody_has_names_those_there_are() -> None:
    _, cause = await failure(say_hello, "say_goodbye", "Ada")

    assert isinstance(cause, ApplicationError)
    assert cause.type == "NotFoundError"
    assert cause.message.startswith("Activity function say_goodbye for workflow q-")
    assert cause.message.endswith("available activities: say_hello")


async def test_what_cannot_be_an_activity_is_refused() -> None:
    """Where it is declared, or where a worker is made of it."""

    class Callable_:
        @activity.defn
        async def method(self) -> None: ...

    with pytest.raises(TypeError, match="keyword-only"):

        @activity.defn
        async def by_name(*, name: str = "x") -> None: ...

    with pytest.raises(TypeError, match=r"Sequence\[RawValue\]"):

        @activity.defn(dynamic=True)
        async def dynamic(name: str) -> None: ...

    with pytest.raises(ValueError, match="already contains"):
        activity.defn(say_hello)

    @activity.defn
    class Adder:
        def __call__(self, value: int) -> int:
            return value + 1

    with pytest.raises(TypeError, match="instance"):
        await call(Adder, "Adder", 1)
    with pytest.raises(ValueError, match="More than one activity named say_hello"):
        await call([say_hello, say_hello], "say_hello", "x")
    with pytest.warns(UserWarning, match="named self"), pytest.raises(WorkflowFailureError):
        await call(Callable_.method, "method")
    assert await call(Adder(), "Adder", 1) == 2


async def test_a_pool_with_fewer_threads_than_slots_is_warned_of() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with ThreadPoolExecutor(2) as pool, pytest.warns(UserWarning, match="max_workers"):
            Worker(
                env.client,
                task_queue="q",
                activities=[say_hello],
                activity_executor=pool,
                max_concurrent_activities=5,
            )


# -- what it is told -------------------------------------------------------------------------------------------------


async def test_an_activity_knows_all_of_itself() -> None:
    @activity.defn
    def tell() -> dict[str, Any]:
        info = activity.info()
        assert info.scheduled_time <= info.current_attempt_scheduled_time
        assert info.task_token
        assert info.heartbeat_timeout == timedelta(seconds=20)
        assert info.start_to_close_timeout == timedelta(seconds=60)
        assert info.schedule_to_close_timeout is None
        assert info.retry_policy is not None
        return {
            "activity": [info.activity_id, info.activity_type, info.attempt, info.is_local],
            "workflow": [info.workflow_type, info.workflow_namespace, info.in_workflow],
            "attempts": info.retry_policy.maximum_attempts,
            "details": [*info.heartbeat_details],
            "run": info.activity_run_id,
        }

    assert await call(tell, "tell", heartbeat_timeout=20, activity_id="mine") == {
        "activity": ["mine", "tell", 1, False],
        "workflow": ["Call", "default", True],
        "attempts": 1,
        "details": [],
        "run": None,
    }


async def test_a_local_activity_is_retried_beyond_its_threshold() -> None:
    """Each wait is a timer of the engine's, whatever the threshold says."""

    @activity.defn
    async def third_time() -> list[Any]:
        if activity.info().attempt < 3:
            raise RuntimeError("again")
        return [activity.info().is_local, activity.info().attempt]

    assert await call(third_time, "third_time", local=True, attempts=0) == [True, 3]


async def test_the_client_is_for_async_activities() -> None:
    @activity.defn
    async def look() -> str:
        handle = activity.client().get_workflow_handle(activity.info().workflow_id or "")
        return str((await handle.describe()).workflow_type)

    @activity.defn
    def look_from_a_thread() -> str:
        with pytest.raises(RuntimeError, match="sync"):
            activity.client()
        return "refused"

    assert await call(look, "look") == "Call"
    assert await call(look_from_a_thread, "look_from_a_thread") == "refused"


async def test_outside_of_activities_there_is_nothing_to_be_told() -> None:
    for ask in (activity.info, activity.heartbeat, activity.is_cancelled):
        with pytest.raises(RuntimeError, match="Not in activity context"):
            ask()


async def test_its_logger_says_who_speaks(caplog: pytest.LogCaptureFixture) -> None:
    """In the message, as a dictionary beside it, and in full where that is asked for."""

    @activity.defn
    async def speak() -> None:
        activity.logger.full_activity_info_on_extra = True
        try:
            activity.logger.info("hello")
        finally:
            activity.logger.full_activity_info_on_extra = False

    with caplog.at_level(logging.INFO):
        await call(speak, "speak")

    [record] = [r for r in caplog.records if r.getMessage().startswith("hello")]
    assert "'activity_type': 'speak'" in record.getMessage()
    assert record.__dict__["temporal_activity"]["workflow_type"] == "Call"
    assert record.__dict__["activity_info"].activity_type == "speak"


# -- how it ends -----------------------------------------------------------------------------------------------------


async def test_each_limit_says_which_it_was() -> None:
    """The last heartbeat travels with the timeout."""

    @activity.defn
    async def fall_silent() -> None:
        activity.heartbeat("last", 1)
        await asyncio.sleep(1_000)

    expected: list[tuple[dict[str, Any], str, TimeoutType, RetryState, list[Any]]] = [
        (
            {"heartbeat_timeout": 0.2},
            "activity Heartbeat timeout",
            TimeoutType.HEARTBEAT,
            RetryState.MAXIMUM_ATTEMPTS_REACHED,
            ["last", 1],
        ),
        (
            {"limit_s": 0.2},
            "activity StartToClose timeout",
            TimeoutType.START_TO_CLOSE,
            RetryState.MAXIMUM_ATTEMPTS_REACHED,
            ["last", 1],
        ),
        (
            {"task_queue": "nobody", "schedule_to_start_timeout": 5},
            "activity ScheduleToStart timeout",
            TimeoutType.SCHEDULE_TO_START,
            RetryState.TIMEOUT,
            [],
        ),
        (
            {"task_queue": "nobody", "schedule_to_close_timeout": 5},
            "activity ScheduleToClose timeout",
            TimeoutType.SCHEDULE_TO_CLOSE,
            RetryState.TIMEOUT,
            [],
        ),
    ]
    for options, message, kind, state, details in expected:
        error, cause = await failure(fall_silent, "fall_silent", **options)
        assert isinstance(cause, TimeoutError)
        assert (cause.message, cause.type, error.retry_state) == (message, kind, state)
        assert list(cause.last_heartbeat_details) == details


async def test_an_errors_own_words_decide_over_retries() -> None:
    """A delay of its own first, and then a type that the policy calls final."""
    attempts: list[int] = []

    @activity.defn
    async def refuse() -> None:
        attempts.append(activity.info().attempt)
        if len(attempts) == 1:
            raise ApplicationError("later", next_retry_delay=timedelta(days=1))
        raise ApplicationError("no", "why", type="Final", category=ApplicationErrorCategory.BENIGN)

    error, cause = await failure(refuse, "refuse", attempts=0, final=["Final"])

    assert attempts == [1, 2]
    assert error.retry_state is RetryState.NON_RETRYABLE_FAILURE
    assert (error.activity_type, error.activity_id) == ("refuse", "1")
    assert error.identity
    assert error.scheduled_event_id == 3
    assert isinstance(cause, ApplicationError)
    assert (cause.message, list(cause.details)) == ("no", ["why"])
    assert cause.category is ApplicationErrorCategory.BENIGN


async def test_arguments_that_do_not_fit_fail_the_attempt() -> None:
    @activity.defn
    async def count(number: int) -> int:
        return number

    _, unreadable = await failure(count, "count", "seven")
    _, too_many = await failure(count, "count", 1, 2)

    assert str(unreadable) == "Failed decoding arguments"
    assert "positional argument" in str(too_many)


async def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    @activity.defn
    async def give_up() -> None:
        raise asyncio.CancelledError

    _, cause = await failure(give_up, "give_up")

    assert isinstance(cause, ApplicationError)
    assert cause.type == "CancelledError"
