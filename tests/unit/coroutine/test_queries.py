"""Queries read, and only read; also when the run has ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from streamflow import workflow
from streamflow.common import RawValue
from streamflow.coroutine.errors import CodeFailed, QueryNotFound, ReadOnlyContextError
from tests.unit.coroutine.world import World, driven, kinds


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.count = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.count > 1)
        workflow.set_query_handler("late", lambda: "late")
        return self.count

    @workflow.signal
    def add(self, number: int) -> None:
        self.count += number

    @workflow.query
    def current(self, plus: int = 0) -> int:
        assert workflow.unsafe.is_read_only()
        return self.count + plus

    @workflow.query
    def naughty(self) -> None:
        workflow.start_activity("a", start_to_close_timeout=timedelta(seconds=1))

    @workflow.query(dynamic=True)
    def other(self, name: str, args: Sequence[RawValue]) -> str:
        return f"{name} with {len(args)}"


def test_a_query_is_answered_before_and_after_the_end() -> None:
    world = World(Counter)
    world.step()
    assert world.query("current") == 0
    world.signal("add", 2).step()
    assert world.instance.done
    assert world.query("current", 40) == 42
    assert world.query("late") == "late"
    assert not world.instance.read_only


def test_a_query_without_handler_goes_to_the_dynamic_one() -> None:
    world = World(Counter)
    world.step()
    assert world.query("whatever", 1, 2) == "whatever with 2"


def test_a_query_that_changes_the_run_is_refused() -> None:
    world = World(Counter)
    world.step()
    with pytest.raises(ReadOnlyContextError):
        world.query("naughty")
    assert world.signal("add", 1).step() == []  # nothing was left behind


def test_an_unknown_query_names_those_that_are_known() -> None:
    @workflow.defn
    class One:
        @workflow.run
        async def run(self) -> None: ...

        @workflow.query
        def known(self) -> int:
            return 1

    world = World(One)
    with pytest.raises(QueryNotFound):
        world.query("known")  # nothing has run yet
    world.step()
    with pytest.raises(
        QueryNotFound,
        match=r"Query handler for 'other' expected but not found, known queries: \[.*__stack_trace.* known\]",
    ):
        world.query("other")


def test_a_condition_that_changes_the_run_is_refused() -> None:
    async def code() -> None:
        def condition() -> bool:
            workflow.start_activity("a", start_to_close_timeout=timedelta(seconds=1))
            return True

        await workflow.wait_condition(condition)

    with pytest.raises(CodeFailed, match="only reads"):
        World(driven(code)).step()


def test_the_stack_trace_shows_where_each_task_waits() -> None:
    async def inner() -> None:
        await workflow.sleep(5)

    async def code() -> None:
        await inner()

    world = World(driven(code))
    assert kinds(world.step()) == ["StartTimer 1"]
    trace = world.query("__stack_trace")
    assert "in inner" in trace
    assert "await workflow.sleep(5)" in trace
    assert "streamflow/workflow" not in trace
