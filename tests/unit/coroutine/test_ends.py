"""How runs end: by their result, by what their code raises, by cancelling and by continuing; and what leaves them stuck."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from streamflow import workflow
from streamflow.coroutine.errors import CodeFailed
from streamflow.coroutine.instance import alive_count
from streamflow.coroutine.notices import NoticeKind
from streamflow.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TimeoutError,
    TimeoutType,
)
from streamflow.model.failure import Failure, FailureKind, TimeoutKind
from streamflow.model.intents import CancelRun, ContinueAsNew, FailRun, StartTimer
from tests.unit.coroutine.world import MINUTE, World, act, driven, failure, kinds, payload


def test_a_failure_error_fails_the_run() -> None:
    async def code() -> None:
        raise ApplicationError("no stock", type="Stock")

    (end,) = World(driven(code)).step()
    assert isinstance(end, FailRun)
    assert (end.failure.type, end.failure.message) == ("Stock", "no stock")


def test_any_other_exception_leaves_the_run_stuck() -> None:
    """It is our caller's to retry; the cause is what the code raised."""

    async def code() -> None:
        raise ValueError("a bug")

    world = World(driven(code))
    with pytest.raises(CodeFailed, match="ValueError: a bug") as caught:
        world.step()
    assert isinstance(caught.value.__cause__, ValueError)
    assert world.instance.evict()


def test_listed_exceptions_fail_the_run() -> None:
    """Both the definition's and the worker's lists count."""

    @workflow.defn(failure_exception_types=[KeyError])
    class Listed:
        @workflow.run
        async def run(self, which: int) -> None:
            raise KeyError("a") if which else LookupError("b")

    assert isinstance(World(Listed, 1).step()[0], FailRun)
    assert isinstance(World(Listed, 0, failure_exception_types=(LookupError,)).step()[0], FailRun)
    with pytest.raises(CodeFailed):
        World(Listed, 0).step()


def test_an_exception_in_a_signal_handler_counts_like_one_in_run() -> None:
    @workflow.defn
    class Handler:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.signal
        async def fail(self) -> None:
            raise ApplicationError("by signal")

        @workflow.signal
        def bug(self) -> None:
            raise ValueError("bug")

    assert kinds(World(Handler).signal("fail").step()) == ["FailRun"]
    with pytest.raises(CodeFailed):
        World(Handler).signal("bug").step()


def test_an_exit_of_the_process_leaves_the_run_stuck() -> None:
    async def code() -> None:
        raise SystemExit(1)

    with pytest.raises(CodeFailed):
        World(driven(code)).step()


def test_a_failed_activity_raises_with_its_cause() -> None:
    async def code() -> str:
        try:
            await act()
        except ActivityError as error:
            return f"{error.message}: {error.cause!r} ({error.activity_type})"
        return "no error"

    world = World(driven(code))
    world.step()
    world.fail(1, failure("broken")).step()
    assert world.result == "Activity task failed: ApplicationError('Oops: broken') (act)"


def test_a_timed_out_activity_raises_with_the_timeout_as_cause() -> None:
    async def code() -> str:
        try:
            await act()
        except ActivityError as error:
            match error.cause:
                case TimeoutError(type=TimeoutType() as late):
                    return late.name
                case _:
                    return "?"
        return "no error"

    world = World(driven(code))
    world.step()
    why = Failure(kind=FailureKind.TIMEOUT, timeout_kind=TimeoutKind.HEARTBEAT, message="late")
    world.fail(1, why).step()
    assert world.result == "HEARTBEAT"


def test_continue_as_new_leaves_through_except_exception() -> None:
    async def code(count: int) -> None:
        try:
            workflow.continue_as_new(count + 1, task_queue="other")
        except Exception:
            raise AssertionError("caught") from None

    (end,) = World(driven(code), 4).step()
    assert isinstance(end, ContinueAsNew)
    assert (end.args, end.queue, end.workflow_type) == ((payload(5),), "other", "")


def test_continue_as_new_from_a_signal_handler() -> None:
    @workflow.defn
    class Again:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.signal
        async def again(self) -> None:
            workflow.continue_as_new()

    world = World(Again)
    world.step()
    assert kinds(world.signal("again").step()) == ["ContinueAsNew"]


def test_what_is_asked_for_after_the_end_is_dropped() -> None:
    """The run's end is the last intent of its step."""

    async def late() -> None:
        await asyncio.sleep(0)
        workflow.start_activity("late", start_to_close_timeout=MINUTE)

    async def code() -> int:
        code.task = asyncio.create_task(late())  # type: ignore[attr-defined]
        workflow.start_activity("early", start_to_close_timeout=MINUTE)
        return 1

    assert kinds(World(driven(code)).step()) == ["ScheduleActivity 1", "CompleteRun"]


def test_handlers_at_work_when_the_run_ends_are_noticed() -> None:
    @workflow.defn
    class Busy:
        @workflow.run
        async def run(self) -> bool:
            return workflow.all_handlers_finished()

        @workflow.signal
        async def slow(self) -> None:
            await workflow.sleep(100)

        @workflow.signal(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
        async def careless(self) -> None:
            await workflow.sleep(100)

    world = World(Busy).signal("slow").signal("careless")
    world.step()
    assert world.result is False
    [notice] = world.notices
    assert notice.kind is NoticeKind.UNFINISHED_HANDLERS
    assert isinstance(notice.exception, workflow.UnfinishedSignalHandlersWarning)
    assert notice.text.endswith('[{"name": "slow", "count": 1}]')


def test_a_failure_while_the_object_is_made_ends_the_run_like_one_in_run() -> None:
    @workflow.defn
    class Broken:
        @workflow.init
        def __init__(self, bug: bool) -> None:
            raise ValueError("bug") if bug else ApplicationError("refused")

        @workflow.run
        async def run(self, bug: bool) -> None: ...

    assert kinds(World(Broken, False).step()) == ["FailRun"]
    with pytest.raises(CodeFailed):
        World(Broken, True).step()


def test_arguments_that_do_not_decode_leave_the_run_stuck() -> None:
    @workflow.defn
    class Typed:
        @workflow.run
        async def run(self, count: int) -> None: ...

    with pytest.raises(CodeFailed):
        World(Typed, "three").step()


def test_an_ended_run_holds_nothing_alive() -> None:
    """Neither does one that was evicted."""

    async def code() -> None:
        await workflow.sleep(1)

    before = alive_count()
    ended, evicted = World(driven(code)), World(driven(code))
    ended.step()
    evicted.step()
    assert alive_count() == before + 2
    ended.fire(1).step()
    evicted.instance.evict()
    assert alive_count() == before


def test_cancel_ends_the_run_as_cancelled() -> None:
    async def code() -> None:
        await workflow.sleep(1)

    world = World(driven(code))
    world.step()
    assert kinds(world.cancel().step()) == ["CancelTimer 1", "CancelRun"]


def test_a_cancelled_error_of_the_code_keeps_its_details() -> None:
    async def code() -> None:
        try:
            await workflow.sleep(1)
        except asyncio.CancelledError:
            raise CancelledError("stopped", "half", 2) from None

    world = World(driven(code))
    world.step()
    end = world.cancel().step()[-1]
    assert isinstance(end, CancelRun)
    assert end.details == (payload("half"), payload(2))


def test_cancelling_oneself_without_a_request_fails_the_run() -> None:
    async def code() -> None:
        raise asyncio.CancelledError

    (end,) = World(driven(code)).step()
    assert isinstance(end, FailRun)
    assert end.failure.kind is FailureKind.CANCELED


def test_a_timeout_of_waiting_fails_the_run() -> None:
    async def code() -> None:
        await workflow.wait_condition(lambda: False, timeout=timedelta(seconds=2))

    world = World(driven(code))
    assert world.step() == [StartTimer(op=world.instance.operations._begun, duration_ms=2_000)]  # type: ignore[arg-type]
    assert kinds(world.fire(1).step()) == ["FailRun"]


def test_no_result_is_none() -> None:
    async def code() -> None: ...

    world = World(driven(code))
    world.step()
    assert world.result is None
