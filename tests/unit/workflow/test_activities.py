"""How activities are asked for: by function, class, method or name, with every option."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.common import Priority, RetryPolicy
from streamflow.coroutine.errors import CodeFailed
from streamflow.model import options as model
from streamflow.model.intents import ScheduleActivity
from tests.unit.coroutine.world import World, driven, payload

SECOND = timedelta(seconds=1)


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@activity.defn(name="named")
def plain(a: int, b: str) -> str:
    return a * b


@activity.defn
class Callable_:
    def __call__(self, number: int) -> tuple[int, int]:
        return number, number


class Holder:
    @activity.defn
    async def method(self, number: int) -> dict[str, int]:
        return {"n": number}


def scheduled(code: Any) -> ScheduleActivity:
    (intent,) = World(driven(code)).step()
    assert isinstance(intent, ScheduleActivity)
    return intent


def test_every_option_reaches_the_intent() -> None:
    async def code() -> None:
        await workflow.execute_activity(
            double,
            1,
            task_queue="other",
            schedule_to_close_timeout=10 * SECOND,
            schedule_to_start_timeout=2 * SECOND,
            start_to_close_timeout=timedelta(microseconds=1),
            heartbeat_timeout=3 * SECOND,
            retry_policy=RetryPolicy(maximum_attempts=3),
            cancellation_type=workflow.ActivityCancellationType.ABANDON,
            activity_id="mine",
            summary="doubling",
            priority=Priority(priority_key=2),
        )

    assert scheduled(code) == ScheduleActivity(
        op=1,  # type: ignore[arg-type]
        activity_id="mine",
        activity_type="double",
        queue="other",
        args=(payload(1),),
        timeouts=model.ActivityTimeouts(
            schedule_to_close_ms=10_000,
            schedule_to_start_ms=2_000,
            start_to_close_ms=1,
            heartbeat_ms=3_000,
        ),
        retry_policy=model.RetryPolicy(maximum_attempts=3),
        cancellation_type=model.CancellationType.ABANDON,
        summary="doubling",
        priority=2,
    )


def test_a_local_activity_says_so() -> None:
    async def code() -> None:
        await workflow.execute_local_activity(
            double, 1, start_to_close_timeout=SECOND, local_retry_threshold=5 * SECOND
        )

    intent = scheduled(code)
    assert intent.local
    assert intent.local_retry_threshold_ms == 5_000


@pytest.mark.parametrize(
    ("begin", "name", "args", "given", "result"),
    [
        (
            lambda: workflow.execute_activity(double, 1, start_to_close_timeout=SECOND),
            "double",
            [1],
            2,
            2,
        ),
        (
            lambda: workflow.execute_activity(plain, args=[2, "a"], start_to_close_timeout=SECOND),
            "named",
            [2, "a"],
            "aa",
            "aa",
        ),
        (
            lambda: workflow.execute_activity_class(Callable_, 1, start_to_close_timeout=SECOND),
            "Callable_",
            [1],
            [1, 1],
            (1, 1),
        ),
        (
            lambda: workflow.execute_activity_method(
                Holder.method, 1, start_to_close_timeout=SECOND
            ),
            "method",
            [1],
            {"n": 1},
            {"n": 1},
        ),
        (
            lambda: workflow.execute_local_activity_method(
                Holder.method, 1, start_to_close_timeout=SECOND
            ),
            "method",
            [1],
            {"n": 1},
            {"n": 1},
        ),
        (
            lambda: workflow.execute_activity(
                "by name", None, result_type=tuple[int, int], start_to_close_timeout=SECOND
            ),
            "by name",
            [None],
            [1, 2],
            (1, 2),
        ),
        (
            lambda: workflow.execute_activity("none", start_to_close_timeout=SECOND),
            "none",
            [],
            1,
            1,
        ),
    ],
)
def test_names_arguments_and_results(
    begin: Any, name: str, args: list[Any], given: Any, result: Any
) -> None:
    """The result is decoded as the function's hints say."""
    seen: list[Any] = []

    async def code() -> None:
        seen.append(await begin())

    world = World(driven(code))
    (intent,) = world.step()
    assert isinstance(intent, ScheduleActivity)
    assert (intent.activity_type, intent.args) == (name, tuple(payload(arg) for arg in args))
    world.complete(1, given).step()
    assert seen == [result]


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        (lambda: workflow.start_activity("a"), "say how long it may take"),
        (lambda: workflow.start_activity("a", schedule_to_start_timeout=SECOND), "found neither"),
        (
            lambda: workflow.start_activity(len, "", start_to_close_timeout=SECOND),
            r"@activity\.defn",
        ),
        (
            lambda: workflow.start_activity("a", 1, args=[2], start_to_close_timeout=SECOND),
            "found both",
        ),
        (
            lambda: workflow.start_activity("a", start_to_close_timeout=-SECOND),
            "Expected a duration of 0 or more",
        ),
        (
            lambda: workflow.start_activity(
                "a", start_to_close_timeout=SECOND, retry_policy=RetryPolicy(backoff_coefficient=0)
            ),
            "backoff_coefficient",
        ),
        (
            lambda: workflow.start_activity("a", start_to_close_timout=SECOND),  # type: ignore[call-overload]
            "TypeError: .*unknown start_to_close_timout",
        ),
        (
            lambda: workflow.start_local_activity("a", heartbeat_timeout=SECOND),  # type: ignore[call-overload]
            "TypeError: .*local activity, found unknown heartbeat_timeout",
        ),
    ],
)
def test_a_wrong_request_says_what_is_wrong(begin: Any, message: str) -> None:
    async def code() -> None:
        await begin()

    with pytest.raises(CodeFailed, match=message):
        World(driven(code)).step()


def test_arguments_are_taken_as_they_are_when_asked() -> None:
    """What changes afterwards does not reach the activity."""

    async def code() -> None:
        order = {"count": 1}
        handle = workflow.start_activity("a", order, start_to_close_timeout=SECOND)
        order["count"] = 2
        await handle

    assert scheduled(code).args == (payload({"count": 1}),)
