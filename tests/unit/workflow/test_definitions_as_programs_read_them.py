"""Programs find, name and copy what they declared by the definitions on classes and functions."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker


@activity.defn(name="greeting")
async def greet(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn(name="welcome")
class Welcome:
    @workflow.run
    async def run(self, name: str) -> str:
        greeting: str = await workflow.execute_activity(
            relabelled, name, start_to_close_timeout=timedelta(seconds=10)
        )
        return greeting

    @workflow.query
    def state(self) -> int:
        return 1

    @workflow.signal(name="stop")
    def halt(self) -> None: ...

    @workflow.update
    def rename(self, name: str) -> bool:
        return bool(name)

    @rename.validator
    def check(self, name: str) -> None: ...


class Inheriting(Welcome): ...


def copied(fn: Callable[..., Any]) -> Any:
    """A wrapper as programs make them: it takes over what the decorator left."""

    async def wrapper(*args: Any) -> Any:
        return (await fn(*args)) + "!"

    setattr(  # as programs do
        wrapper,
        "__temporal_activity_definition",
        dataclasses.replace(getattr(fn, "__temporal_activity_definition"), name="relabelled"),
    )
    return wrapper


relabelled = copied(greet)


def test_activities_are_found_by_their_attribute() -> None:
    assert getattr(greet, "__temporal_activity_definition").name == "greeting"
    assert not hasattr(copied, "__temporal_activity_definition")


def test_an_activitys_definition_is_that_of_the_function_given() -> None:
    wrapped = functools.wraps(greet)(lambda name: greet(name))

    definition = activity._Definition.must_from_callable(wrapped)

    assert (definition.name, definition.fn) == ("greeting", wrapped)
    assert definition.arg_types == [str]
    assert definition.ret_type is str


def test_what_is_no_activity_has_no_definition() -> None:
    assert activity._Definition.from_callable(copied) is None
    with pytest.raises(TypeError, match="Activity copied missing attributes"):
        activity._Definition.must_from_callable(copied)


def test_an_activity_may_be_declared_again_once_its_definition_is_taken_away() -> None:
    async def other() -> None: ...

    again = activity.defn(name="first")(other)
    delattr(again, "__temporal_activity_definition")

    activity.defn(name="second")(again)

    assert activity._Definition.must_from_callable(again).name == "second"


def test_a_workflow_class_has_its_own_definition_only() -> None:
    definition = workflow._Definition.must_from_class(Welcome)

    assert getattr(Welcome, "__temporal_workflow_definition") is definition
    assert workflow._Definition.from_run_fn(Welcome.run) is definition
    assert workflow._Definition.from_class(Inheriting) is None
    with pytest.raises(ValueError, match="Workflow Inheriting missing attributes"):
        workflow._Definition.must_from_class(Inheriting)


def test_a_workflows_definition_tells_its_names_and_types() -> None:
    definition = workflow._Definition.must_from_class(Welcome)

    assert (definition.name, definition.cls, definition.run_fn) == (
        "welcome",
        Welcome,
        Welcome.run,
    )
    assert (definition.arg_types, definition.ret_type) == ([str], str)
    assert definition.sandboxed
    assert set(definition.signals) == {"stop"}
    assert definition.queries["state"].ret_type is int
    assert definition.updates["rename"].arg_types == [str]
    assert definition.updates["rename"].validator is Welcome.check


def test_a_handler_is_bound_to_a_workflow() -> None:
    updates = workflow._Definition.must_from_class(Welcome).updates

    assert updates["rename"].bind_fn(Welcome())("Ann") is True
    assert updates["rename"].bind_validator(Welcome()) is not None
    assert dataclasses.replace(updates["rename"], validator=None).bind_validator(Welcome()) is None


def test_names_are_told_of_names_and_run_methods() -> None:
    named = workflow._Definition.get_name_and_result_type

    assert named("other") == ("other", None)
    assert named(Welcome.run) == ("welcome", str)


def test_a_handler_can_be_bound_to_another_function() -> None:
    """A program that builds classes puts a relay in a handler's place."""

    def relay(self: object, name: str) -> bool:
        return name == "relayed"

    def refuse(self: object, name: str) -> None:
        raise ValueError("no")

    found = getattr(Welcome.rename, "_defn")  # noqa: B009
    setattr(  # noqa: B010
        relay, "_defn", dataclasses.replace(found, fn=relay, validator=refuse)
    )

    async def run(self: object) -> None: ...

    built = workflow.defn(type("Built", (), {"run": workflow.run(run), "rename": relay}))

    assert workflow._Definition.must_from_class(built).updates["rename"].validator is refuse
    assert workflow._Definition.must_from_class(built).updates["rename"].fn is relay


def test_an_attribute_of_the_same_name_makes_no_handler() -> None:
    def plain(self: object) -> None: ...

    setattr(plain, "_defn", "something else")  # noqa: B010

    async def run(self: object) -> None: ...

    built = workflow.defn(type("Other", (), {"run": workflow.run(run), "plain": plain}))

    assert not workflow._Definition.must_from_class(built).updates


def test_a_copied_definition_runs_the_copy() -> None:
    async def ran() -> str:
        async with (
            await WorkflowEnvironment.start_time_skipping() as env,
            Worker(env.client, task_queue="copies", workflows=[Welcome], activities=[relabelled]),
        ):
            return await env.client.execute_workflow(
                Welcome.run, "Ann", id=str(uuid.uuid4()), task_queue="copies"
            )

    assert asyncio.run(ran()) == "Hello, Ann!"
