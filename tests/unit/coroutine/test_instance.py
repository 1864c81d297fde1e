"""One step after the other: start, signals, results, ends."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.common import RawValue
from streamflow.coroutine.errors import CodeFailed, NondeterminismError, StepLimitExceeded
from streamflow.coroutine.instance import alive_count
from streamflow.coroutine.notices import NoticeKind
from streamflow.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError
from streamflow.model.failure import Failure, FailureKind, TimeoutKind
from streamflow.model.intents import CancelRun, ContinueAsNew, FailRun, ScheduleActivity, StartTimer
from streamflow.model.payload import Payload
from tests.unit.coroutine.world import World, driven, failure, kinds, payload

MINUTE = timedelta(minutes=1)


async def act(name: str = "act", *args: Any, **options: Any) -> Any:
    return await workflow.execute_activity(
        name, args=args, start_to_close_timeout=MINUTE, **options
    )


def test_a_run_asks_for_an_activity_and_returns_its_result() -> None:
    """The first step schedules, the second completes with what the activity gave."""

    async def code(name: str) -> str:
        return str(await act("greet", name)) + "!"

    world = World(driven(code), "Ada")

    (scheduled,) = world.step()
    assert isinstance(scheduled, ScheduleActivity)
    assert (scheduled.op, scheduled.activity_type, scheduled.activity_id) == (1, "greet", "1")
    assert scheduled.args == (payload("Ada"),)
    assert scheduled.timeouts.start_to_close_ms == 60_000

    world.complete(1, "hello").step()
    assert world.result == "hello!"
    assert world.instance.done


def test_signals_of_the_first_step_begin_before_run() -> None:
    """A signal-with-start is seen by run's first line."""

    @workflow.defn
    class Seen:
        def __init__(self) -> None:
            self.order: list[str] = []

        @workflow.run
        async def run(self) -> list[str]:
            self.order.append("run")
            return self.order

        @workflow.signal
        async def poke(self, what: str) -> None:
            self.order.append(what)

    world = World(Seen).signal("poke", "a").signal("poke", "b")
    world.step()
    assert world.result == ["a", "b", "run"]


def test_signals_come_before_resolutions_of_the_same_step() -> None:
    """However they were recorded, a signal's handler begins before the code that a result wakes."""

    @workflow.defn
    class Mixed:
        def __init__(self) -> None:
            self.order: list[str] = []

        @workflow.run
        async def run(self) -> list[str]:
            self.order.append(await act("a"))
            return self.order

        @workflow.signal
        def poke(self) -> None:
            self.order.append("signal")

    world = World(Mixed)
    world.step()
    world.complete(1, "result").signal("poke")
    world.step()
    assert world.result == ["signal", "result"]


def test_a_signal_without_handler_waits_until_one_is_set() -> None:
    """It is handled when a handler of its name is set, or a dynamic one."""

    @workflow.defn
    class Late:
        def __init__(self) -> None:
            self.got: list[Any] = []

        @workflow.run
        async def run(self) -> list[Any]:
            await workflow.sleep(1)
            workflow.set_signal_handler("a", lambda value: self.got.append(value))
            await workflow.sleep(1)
            workflow.set_dynamic_signal_handler(self.anything)
            await workflow.sleep(1)
            return self.got

        def anything(self, name: str, args: Sequence[RawValue]) -> None:
            self.got.append((name, len(args)))

    world = World(Late).signal("b", 1, 2).signal("a", 3)
    world.step()
    world.fire(1).step()
    assert world.instance.workflow.got == [3]
    world.fire(2).step()
    world.fire(3).step()
    assert world.result == [3, ["b", 2]]


def test_a_signal_that_cannot_be_decoded_is_dropped_with_a_notice() -> None:
    """The run goes on; whoever keeps the logs is told."""

    @workflow.defn
    class Strict:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.signal
        async def poke(self, count: int) -> None:
            raise AssertionError("never called")

    world = World(Strict).signal("poke", "not a number")
    assert world.step() == []
    (notice,) = world.notices
    assert (notice.kind, notice.text) == (NoticeKind.SIGNAL_DROPPED, "poke")
    world.rebuild()
    assert len(world.notices) == 1  # replay tells nothing again


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
    assert world.result == "Activity task failed: ApplicationError('broken') (act)"


def test_a_timed_out_activity_raises_with_the_timeout_as_cause() -> None:
    async def code() -> str:
        try:
            await act()
        except ActivityError as error:
            return str(error.cause.type) if isinstance(error.cause, TimeoutError) else "?"
        return "no error"

    world = World(driven(code))
    world.step()
    why = Failure(kind=FailureKind.TIMEOUT, timeout_kind=TimeoutKind.HEARTBEAT, message="late")
    world.fail(1, why).step()
    assert "HEARTBEAT" in world.result


def test_a_result_is_decoded_as_the_hint_says() -> None:
    """A result that does not fit raises where it is awaited."""

    async def code() -> str:
        try:
            await act(result_type=int)
        except Exception as error:
            return type(error).__name__
        return "fits"

    world = World(driven(code))
    world.step()
    world.complete(1, "no number").step()
    assert world.result != "fits"


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


def test_init_takes_the_arguments_of_run() -> None:
    @workflow.defn
    class Made:
        @workflow.init
        def __init__(self, name: str) -> None:
            self.name = name.upper()

        @workflow.run
        async def run(self, name: str) -> str:
            return self.name + name

    world = World(Made, "a")
    world.step()
    assert world.result == "Aa"


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


def test_a_dynamic_workflow_gets_raw_values() -> None:
    @workflow.defn(dynamic=True)
    class Any_:
        @workflow.run
        async def run(self, args: Sequence[RawValue]) -> list[Any]:
            converter = workflow.payload_converter()
            values = [converter.from_payload(arg.payload) for arg in args]
            return [workflow.info().workflow_type, *values]

    world = World(Any_, 1, "b")
    world.step()
    assert world.result == ["Anything", 1, "b"]


def test_an_input_for_an_unknown_operation_is_nondeterminism() -> None:
    async def code() -> None:
        await act()

    world = World(driven(code))
    world.step()
    with pytest.raises(NondeterminismError, match="Expected a pending operation 7"):
        world.fire(7).step()


def test_an_input_of_another_kind_of_operation_is_nondeterminism() -> None:
    async def code() -> None:
        await act()

    world = World(driven(code))
    world.step()
    with pytest.raises(
        NondeterminismError, match=r"found TimerFired .*test_instance\.py"
    ) as caught:
        world.fire(1).step()
    assert "in act" in str(caught.value)  # the line that began it


def test_the_step_limit_ends_the_step_even_if_the_code_swallows_it() -> None:
    async def stubborn() -> None:
        try:
            raise StepLimitExceeded
        except BaseException:
            await asyncio.sleep(0)

    async def code() -> None:
        await asyncio.create_task(stubborn())

    with pytest.raises(StepLimitExceeded):
        World(driven(code)).step()


def test_the_step_limit_passes_through_except_exception() -> None:
    async def code() -> None:
        try:
            raise StepLimitExceeded
        except Exception:
            raise AssertionError("caught") from None

    with pytest.raises(StepLimitExceeded):
        World(driven(code)).step()


def test_each_task_has_its_own_context() -> None:
    """Context variables flow to child tasks, not back, and nothing of the processor's is seen."""
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("the processor's")

    async def child() -> str:
        seen = variable.get()
        variable.set("child's")
        return seen

    async def code() -> list[str]:
        first = variable.get()
        variable.set("run's")
        await workflow.sleep(1)
        return [first, await asyncio.create_task(child()), variable.get()]

    world = World(driven(code))
    world.step()
    world.fire(1).step()
    assert world.result == ["none", "run's", "run's"]


def test_time_and_chance_are_the_activations() -> None:
    async def code() -> list[Any]:
        before = workflow.now()
        await workflow.sleep(1)
        assert workflow.time_ns() == int(workflow.time() * 1_000) * 1_000_000
        assert (workflow.now() - before).total_seconds() == 5
        assert asyncio.get_running_loop().time() == workflow.time()
        assert workflow.uuid4().version == 4
        assert workflow.uuid7().int >> 80 == int(workflow.time() * 1_000)
        return [workflow.random().random(), str(workflow.uuid4()), workflow.new_random().random()]

    world = World(driven(code))
    world.step()
    world.fire(1).pass_ms(5_000).step()
    again = World(driven(code))
    again.step()
    again.fire(1).pass_ms(5_000).step()
    assert world.result == again.result


def test_the_step_knows_what_the_run_is() -> None:
    async def code() -> list[Any]:
        info = workflow.info()
        assert workflow.in_workflow()
        assert workflow.instance() is not None
        assert not info.is_continue_as_new_suggested()
        return [
            info.workflow_id,
            info.run_id,
            info.task_queue,
            info.attempt,
            info.get_current_history_length(),
            workflow.memo(),
            workflow.memo_value("a", type_hint=int),
            workflow.memo_value("b", "default"),
        ]

    world = World(driven(code), memo={"a": 1})
    world.step()
    assert world.result == ["order-1", "run-1", "q", 1, 1, {"a": 1}, 1, "default"]


def test_outside_of_workflows_the_api_says_so() -> None:
    assert not workflow.in_workflow()
    with pytest.raises(RuntimeError, match="Not in workflow event loop: expected to be called"):
        workflow.now()


def test_names_of_later_versions_say_so() -> None:
    with pytest.raises(NotImplementedError, match=r"workflow\.create_nexus_client\(\), which"):
        workflow.create_nexus_client()


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


def test_headers_and_payloads_stay_as_they_were_until_decoded() -> None:
    """A payload of an unknown encoding hurts only who reads it."""
    strange = Payload({"encoding": b"no/such"}, b"?")

    async def code() -> str:
        try:
            await act()
        except KeyError:
            return "unknown encoding"
        return "?"

    world = World(driven(code))
    world.step()
    from streamflow.model.events import ActivityCompleted
    from streamflow.model.ids import Op

    world.record(ActivityCompleted(op=Op(1), attempt=1, result=strange))
    world.step()
    assert world.result == "unknown encoding"
