"""One step after the other: start, signals, results, and what code sees of the run."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Sequence
from typing import Any

import pytest

from streamflow import workflow
from streamflow.common import RawValue
from streamflow.coroutine.errors import NondeterminismError, StepLimitExceeded
from streamflow.coroutine.notices import NoticeKind
from streamflow.model.intents import ScheduleActivity
from streamflow.model.payload import Payload
from tests.unit.coroutine.world import World, act, driven, payload


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
        NondeterminismError, match=r"found TimerFired .*world\.py:\d+ in act"
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
