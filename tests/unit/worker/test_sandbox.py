"""Sandbox classes of ported code: what they say is what the guards do."""

from __future__ import annotations

import asyncio
import glob
import os
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streamflow import workflow
from streamflow.coroutine.definition import WorkflowDefinition, definition_of
from streamflow.coroutine.errors import CodeFailed
from streamflow.exceptions import ApplicationError
from streamflow.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from streamflow.worker.runners import run_by
from streamflow.worker.workflow_sandbox import (
    RestrictedWorkflowAccessError,
    SandboxedWorkflowRunner,
    SandboxMatcher,
    SandboxRestrictions,
    UnintentionalPassthroughError,
)
from tests.unit.coroutine.helping import clock
from tests.unit.coroutine.world import World, driven

with workflow.unsafe.imports_passed_through():
    from tests.unit.coroutine.helping import passed_clock


def run(
    cls: type, *args: Any, runner: WorkflowRunner | None = None, free: WorkflowRunner | None = None
) -> Any:
    """The result of a workflow whose worker has these runners."""
    world = World(cls, *args)
    world.instance.evict()
    [world.definition] = run_by({"": definition_of(cls)}, runner, free).values()
    world.instance = world.fresh()
    world.step()
    return world.result


@workflow.defn
class RunsCode:
    @workflow.run
    async def run(self, code: str) -> str:
        try:
            exec(code)
        except RestrictedWorkflowAccessError as error:
            return error.qualified_name
        return "allowed"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("os.getcwd()", "os.getcwd"),
        ("from os import getcwd\ngetcwd()", "os.getcwd"),
        ("os.path.abspath('x')", "os.getcwd"),
        ("os.getenv('x')", "os.getenv"),
        ("glob.glob('x')", "glob.glob"),
        ("open('x')", "__builtins__.open"),
        ("date.today()", "datetime.date.today"),
        ("from datetime import datetime\ndatetime.now()", "datetime.datetime.now"),
        ("random.choice([1])", "random.choice"),
        ("threading.current_thread()", "threading.current_thread"),
        ("time.sleep(1)", "time.sleep"),
        ("ThreadPoolExecutor()", "concurrent.futures.ThreadPoolExecutor"),
        ("uuid.uuid4()", "uuid.uuid4"),
    ],
)
def test_what_is_refused_is_named(code: str, name: str) -> None:
    """Also in code that is made while the workflow runs."""
    assert run(RunsCode, code) == name


@pytest.mark.parametrize(
    "code",
    [
        "os.getcwd",
        "glob.glob",
        "date(2001, 1, 1)",
        "uuid.uuid5(uuid.NAMESPACE_DNS, 'x')",
        "random.Random(1).random()",
        "from concurrent.futures import ThreadPoolExecutor",
        "ZoneInfo('Europe/Berlin')",
        "with workflow.unsafe.sandbox_unrestricted():\n    random.choice([1])",
    ],
)
def test_what_replays_alike_is_let_through(code: str) -> None:
    assert run(RunsCode, code) == "allowed"


def test_a_name_can_be_let_through() -> None:
    """By restrictions that do not have it."""
    members = SandboxRestrictions.invalid_module_members_default
    changed = members.with_child_unrestricted("datetime", "date", "today")
    restrictions = SandboxRestrictions(
        passthrough_modules=SandboxRestrictions.passthrough_modules_default,
        invalid_modules=SandboxMatcher.none,
        invalid_module_members=changed,
    )
    runner = SandboxedWorkflowRunner(restrictions=restrictions)

    assert run(RunsCode, "date.today()", runner=runner) == "allowed"
    assert run(RunsCode, "time.time()", runner=runner) == "time.time"


@workflow.defn
class AsksHelpers:
    @workflow.run
    async def run(self) -> list[str]:
        found: list[str] = []
        for seconds in (clock.seconds, passed_clock.seconds, time.time):
            try:
                seconds()
                found.append("allowed")
            except RestrictedWorkflowAccessError:
                found.append("refused")
        return found


@workflow.defn(sandboxed=False)
class AsksFreely(AsksHelpers):
    @workflow.run
    async def run(self) -> list[str]:
        return await super().run()


def test_a_module_that_is_passed_through_answers_for_itself() -> None:
    """By the way it was imported, by its name, or as all of them; the workflow's own module does not."""
    default = SandboxRestrictions.default
    named = default.with_passthrough_modules("tests.unit.coroutine.helping")
    every = default.with_passthrough_all_modules()

    assert run(AsksHelpers) == ["refused", "allowed", "refused"]
    assert run(AsksHelpers, runner=SandboxedWorkflowRunner(named)) == (
        ["allowed", "allowed", "refused"]
    )
    assert run(AsksHelpers, runner=SandboxedWorkflowRunner(every)) == (
        ["allowed", "allowed", "refused"]
    )


def test_without_a_sandbox_nothing_is_refused() -> None:
    """By the worker's runner, or by the workflow's own word; whose runner may guard it all the same."""
    allowed, guarded = ["allowed"] * 3, ["refused", "allowed", "refused"]

    assert run(AsksHelpers, runner=UnsandboxedWorkflowRunner()) == allowed
    assert run(AsksFreely) == allowed
    assert run(AsksFreely, runner=SandboxedWorkflowRunner()) == allowed
    assert run(AsksFreely, free=SandboxedWorkflowRunner()) == guarded


@workflow.defn
class SaysWhereItIs:
    @workflow.run
    async def run(self) -> list[bool]:
        with workflow.unsafe.sandbox_unrestricted():
            free = workflow.unsafe.is_sandbox_unrestricted()
        return [
            workflow.unsafe.in_sandbox(),
            free,
            workflow.unsafe.is_sandbox_unrestricted(),
            workflow.unsafe.is_read_only(),
            workflow.unsafe.is_replaying(),
        ]


def test_code_is_told_whether_it_is_guarded() -> None:
    assert run(SaysWhereItIs) == [True, True, False, False, False]
    assert run(SaysWhereItIs, runner=UnsandboxedWorkflowRunner())[0] is False
    assert not workflow.unsafe.in_sandbox()


@workflow.defn
class UsesAsyncio:
    @workflow.run
    async def run(self) -> list[str]:
        async def value(text: str) -> str:
            return text

        found = [await coro for coro in asyncio.as_completed([value("a"), value("b")])]
        done, _ = await asyncio.wait([asyncio.create_task(value("c"))])
        return [*found, *[task.result() for task in done]]


def test_calls_that_other_runners_cannot_replay_are_warned_of_in_an_explicit_sandbox() -> None:
    """They replay here; who runs them by default is not bothered."""
    with pytest.warns(UserWarning, match=r"asyncio\.") as warned:
        assert run(UsesAsyncio, runner=SandboxedWorkflowRunner()) == ["a", "b", "c"]

    assert "asyncio.as_completed()" in str(warned[0].message)
    assert "asyncio.wait()" in str(warned[1].message)
    assert run(UsesAsyncio) == ["a", "b", "c"]


def test_a_runner_of_ones_own_is_refused_by_name() -> None:
    class Mine(WorkflowRunner):
        pass

    with pytest.raises(NotImplementedError, match="found Mine"):
        run(RunsCode, "", runner=Mine())


def test_matchers_combine_and_nest() -> None:
    """As trees of names."""
    nested = SandboxMatcher.nested_child(["a", "b"], SandboxMatcher(use=frozenset({"c"})))
    both = nested | SandboxMatcher(access=frozenset({"x"}))

    assert both.restricts("a", "b", "c")
    assert both.restricts("x", "anything")
    assert not both.restricts("a", "b", "d")
    assert not both.with_child_unrestricted("a", "b", "c").restricts("a", "b", "c")
    assert SandboxMatcher.all.restricts("anything")
    assert SandboxMatcher.all_uses.restricts("anything")
    assert not SandboxMatcher(match_self=False, exclude=frozenset({"a"})).restricts("a")
    with pytest.raises(ValueError, match="match_self"):
        SandboxMatcher(leaf_message="no")


def test_a_refusal_leaves_the_run_stuck_and_not_failed() -> None:
    """Code is to be mended; a clock is no business failure."""

    async def looks() -> None:
        time.time()

    world = World(driven(looks))
    with pytest.raises(CodeFailed, match=r"time\.time\(\)"):
        world.step()
    world.instance.evict()


def test_the_errors_say_what_it_is_about() -> None:
    assert RestrictedWorkflowAccessError("os.name").qualified_name == "os.name"
    assert "Cannot access os.name" in str(RestrictedWorkflowAccessError("os.name"))
    assert UnintentionalPassthroughError("mod").qualified_name == "mod"
    assert isinstance(RestrictedWorkflowAccessError("x"), workflow.NondeterminismError)
    assert not isinstance(ApplicationError("x"), RestrictedWorkflowAccessError)
    assert isinstance(definition_of(RunsCode), WorkflowDefinition)
    assert all(
        module is not None
        for module in (ThreadPoolExecutor, ZoneInfo, threading, uuid, os, glob, date, random)
    )
