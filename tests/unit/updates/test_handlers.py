"""Handlers: dynamic ones, those set while the code runs, what they may do, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.api.sdk.v1 import EnhancedStackTrace, WorkflowMetadata
from streamflow.client import (
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
)
from streamflow.common import QueryRejectCondition, RawValue
from streamflow.exceptions import ApplicationError
from tests.unit.updates.stage import QUEUE, assert_replays, both_ways, worker

pytestmark = [pytest.mark.asyncio, both_ways]


def texts(args: Sequence[RawValue]) -> list[str]:
    converter = workflow.payload_converter()
    return [converter.from_payload(arg.payload, str) for arg in args]


@workflow.defn
class Flexible:
    """Its handlers come and go."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.finished = False

    @workflow.run
    async def run(self) -> list[str]:
        """Sets what was not declared."""
        workflow.set_update_handler("late", self.late, validator=self.refuse_bad)
        workflow.set_current_details("waiting for **all**")
        await workflow.wait_condition(lambda: self.finished)
        return self.got

    @workflow.signal
    def finish(self) -> None:
        self.finished = True

    @workflow.update(description="Puts every handler in place")
    def put_in_place(self) -> list[bool]:
        before = [
            workflow.get_dynamic_update_handler() is None,
            workflow.get_update_handler("late") == self.late,
            workflow.get_signal_handler("poke") is None,
        ]
        workflow.set_dynamic_update_handler(self.any_update, validator=self.refuse_any_bad)
        workflow.set_dynamic_signal_handler(self.any_signal)
        workflow.set_dynamic_query_handler(self.any_query)
        workflow.set_signal_handler("poke", self.poked)
        workflow.set_query_handler("how many", lambda: len(self.got))
        return before

    @workflow.update
    def take_away(self) -> None:
        workflow.set_update_handler("late", None)
        workflow.set_dynamic_update_handler(None)
        workflow.set_query_handler("how many", None)
        workflow.set_dynamic_query_handler(None)

    async def late(self, word: str) -> str:
        self.got.append(f"late {word}")
        return word

    def refuse_bad(self, word: str) -> None:
        if word == "bad":
            raise ApplicationError("bad word")

    async def any_update(self, name: str, args: Sequence[RawValue]) -> str:
        self.got.append(f"{name} {texts(args)}")
        return name

    def refuse_any_bad(self, name: str, args: Sequence[RawValue]) -> None:
        if name == "bad":
            raise ApplicationError("bad name")

    def any_signal(self, name: str, args: Sequence[RawValue]) -> None:
        self.got.append(f"{name} {texts(args)}")

    def any_query(self, name: str, args: Sequence[RawValue]) -> str:
        return f"{name} {texts(args)}"

    def poked(self) -> None:
        self.got.append("poked")


async def test_handlers_are_set_and_taken_away_while_the_code_runs(cached: int) -> None:
    """Signals wait for their handler; updates and queries do not."""
    async with worker([Flexible], cached=cached) as client:
        handle = await client.start_workflow(Flexible.run, id="w", task_queue=QUEUE)
        await handle.signal("early", "a")
        assert await handle.execute_update("late", "b") == "b"
        for name, arg in (("late", "bad"), ("unknown", "c")):
            with pytest.raises(WorkflowUpdateFailedError):
                await handle.execute_update(name, arg)

        assert await handle.execute_update(Flexible.put_in_place) == [True, True, True]
        assert await handle.execute_update("unknown", args=["c", "d"]) == "unknown"
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("bad")
        assert await handle.query("what", args=["e"]) == "what ['e']"
        await handle.signal("poke")
        assert await handle.query("how many") == 4

        await handle.execute_update(Flexible.take_away)
        with pytest.raises(WorkflowUpdateFailedError, match="failed"):
            await handle.execute_update("late", "b")
        with pytest.raises(WorkflowQueryFailedError, match="'how many' expected but not found"):
            await handle.query("how many")
        await handle.signal(Flexible.finish)
        assert await handle.result() == [
            "late b",
            "early ['a']",
            "unknown ['c', 'd']",
            "poked",
        ]
        await assert_replays(handle, Flexible)


async def test_metadata_names_the_handlers_as_they_are(cached: int) -> None:
    """With their descriptions, the built-in queries, and what the code says of itself."""
    async with worker([Flexible], cached=cached) as client:
        handle = await client.start_workflow(Flexible.run, id="w", task_queue=QUEUE)

        said = await handle.query("__temporal_workflow_metadata")

        assert isinstance(said, WorkflowMetadata)
        assert said.current_details == "waiting for **all**"
        assert said.definition.type == "Flexible"
        described = {one.name: one.description for one in said.definition.update_definitions}
        assert described == {
            "late": "",
            "put_in_place": "Puts every handler in place",
            "take_away": "",
        }
        assert [one.name for one in said.definition.signal_definitions] == ["finish"]
        assert "__stack_trace" in [one.name for one in said.definition.query_definitions]
        assert await handle.query("__streamflow_workflow_metadata") == said


async def test_a_stack_trace_shows_where_the_code_waits(cached: int) -> None:
    async with worker([Flexible], cached=cached) as client:
        handle = await client.start_workflow(Flexible.run, id="w", task_queue=QUEUE)

        assert "in run" in await handle.query("__stack_trace")
        trace = await handle.query("__enhanced_stack_trace")

        assert isinstance(trace, EnhancedStackTrace)
        [location] = trace.stacks[0].locations
        assert location.function_name == "run"
        source = trace.sources[location.file_path].content.splitlines()
        assert "wait_condition" in source[location.line - 1]


@workflow.defn
class Asked:
    """What its queries may not do."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def begin(self, what: str) -> Any:
        match what:
            case "activity":
                workflow.start_activity("any", start_to_close_timeout=timedelta(seconds=1))
            case "random":
                return workflow.random().random()
            case "uuid":
                return str(workflow.uuid4())
            case "handler":
                workflow.set_signal_handler("a", lambda: None)
            case "details":
                workflow.set_current_details("x")
            case "now":
                return workflow.now().isoformat()
            case _:
                raise ApplicationError("no such thing")

    with pytest.warns(DeprecationWarning, match="async def"):

        @workflow.query
        async def late(self, wait: bool) -> str:
            if wait:
                await workflow.wait_condition(lambda: False)
            return "answered"


@pytest.mark.parametrize("what", ["activity", "random", "uuid", "handler", "details"])
async def test_a_query_changes_nothing(cached: int, what: str) -> None:
    """It is told that it may only read, and the run goes on."""
    async with worker([Asked], cached=cached) as client:
        handle = await client.start_workflow(Asked.run, id="w", task_queue=QUEUE)

        with pytest.raises(
            WorkflowQueryFailedError, match="While in read-only function, action attempted"
        ):
            await handle.query(Asked.begin, what)

        assert await handle.query(Asked.begin, "now")


async def test_a_querys_own_failure_is_its_callers(cached: int) -> None:
    async with worker([Asked], cached=cached) as client:
        handle = await client.start_workflow(Asked.run, id="w", task_queue=QUEUE)

        with pytest.raises(WorkflowQueryFailedError, match="no such thing"):
            await handle.query(Asked.begin, "fail")


async def test_an_async_query_answers_unless_it_waits(cached: int) -> None:
    async with worker([Asked], cached=cached) as client:
        handle = await client.start_workflow(Asked.run, id="w", task_queue=QUEUE)

        assert await handle.query("late", False) == "answered"
        with pytest.raises(WorkflowQueryFailedError):
            await handle.query("late", True)


async def test_a_query_may_refuse_runs_by_their_status(cached: int) -> None:
    """By the call's condition, else by the client's."""

    @workflow.defn
    class Closes:
        @workflow.run
        async def run(self, fail: bool) -> None:
            if fail:
                raise ApplicationError("failed")

        @workflow.query
        def state(self) -> str:
            return "ended"

    async with worker([Closes], cached=cached) as client:
        completed = await client.start_workflow(Closes.run, False, id="w", task_queue=QUEUE)
        failed = await client.start_workflow(Closes.run, True, id="w2", task_queue=QUEUE)
        await completed.result()
        with pytest.raises(WorkflowFailureError):
            await failed.result()

        assert await completed.query(Closes.state) == "ended"
        clean = QueryRejectCondition.NOT_COMPLETED_CLEANLY
        assert await completed.query(Closes.state, reject_condition=clean) == "ended"
        with pytest.raises(WorkflowQueryRejectedError) as rejected:
            await failed.query(Closes.state, reject_condition=clean)
        assert rejected.value.status is WorkflowExecutionStatus.FAILED

        client.default_workflow_query_reject_condition = QueryRejectCondition.NOT_OPEN
        with pytest.raises(WorkflowQueryRejectedError) as rejected:
            await completed.query(Closes.state)
        assert rejected.value.status is WorkflowExecutionStatus.COMPLETED
