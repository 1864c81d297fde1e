"""Dynamic workflows, and which exceptions fail a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from streamflow.common import RawValue
from streamflow.exceptions import ApplicationError
from streamflow.testing import WorkflowEnvironment
from tests.unit.updates.stage import QUEUE, assert_replays, both_ways, serving, worker

pytestmark = pytest.mark.asyncio


class Broken(Exception):
    """No failure by itself."""


class Worse(Broken):
    pass


@workflow.defn(dynamic=True, failure_exception_types=[KeyError])
class Anything:
    """Does what its first argument says."""

    @workflow.dynamic_config
    def config(self) -> workflow.DynamicWorkflowConfig:
        if workflow.info().workflow_type == "plain":
            return workflow.DynamicWorkflowConfig()
        return workflow.DynamicWorkflowConfig(failure_exception_types=[Broken])

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> list[str]:
        converter = workflow.payload_converter()
        values = [converter.from_payload(arg.payload, str) for arg in args]
        match values[:1]:
            case ["broken"]:
                raise Worse("broken")
            case ["key"]:
                raise KeyError("key")
            case _:
                return [workflow.info().workflow_type, *values]


@workflow.defn
class Named:
    @workflow.run
    async def run(self) -> str:
        return "named"


@both_ways
async def test_a_dynamic_workflow_takes_every_other_type(cached: int) -> None:
    async with worker([Anything, Named], cached=cached) as client:
        assert await client.execute_workflow("Named", id="n", task_queue=QUEUE) == "named"
        handle = await client.start_workflow("other", args=["a", "b"], id="w", task_queue=QUEUE)
        assert await handle.result() == ["other", "a", "b"]
        await assert_replays(handle, Anything)


@pytest.mark.parametrize(("type_", "how"), [("configured", "broken"), ("plain", "key")])
async def test_a_dynamic_workflow_configures_each_run(type_: str, how: str) -> None:
    """What it names takes the decorator's place; what it leaves out does not."""
    async with worker([Anything]) as client:
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(type_, how, id="w", task_queue=QUEUE)


@workflow.defn(failure_exception_types=[Broken])
class Fails:
    """Lists a type of its own."""

    @workflow.run
    async def run(self, what: str) -> None:
        raise_(what)
        await workflow.wait_condition(lambda: False)

    @workflow.update
    def change(self, what: str) -> None:
        raise_(what)


def raise_(what: str) -> None:
    match what:
        case "listed":
            raise Worse("listed")
        case "of the worker":
            raise ZeroDivisionError
        case "":
            return
        case _:
            raise LookupError(what)


@pytest.mark.parametrize("what", ["listed", "of the worker"])
async def test_listed_exceptions_fail_the_run_or_the_update(what: str) -> None:
    """By the definition, or by the worker."""
    async with worker([Fails], workflow_failure_exception_types=[ArithmeticError]) as client:
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(Fails.run, what, id="w", task_queue=QUEUE)
        assert isinstance(failed.value.cause, ApplicationError)

        handle = await client.start_workflow(Fails.run, "", id="w2", task_queue=QUEUE)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Fails.change, what)


async def test_other_exceptions_leave_the_run_stuck() -> None:
    async with worker([Fails], workflow_failure_exception_types=[ArithmeticError]) as client:
        handle = await client.start_workflow(Fails.run, "other", id="w", task_queue=QUEUE)

        trouble = (await handle.describe()).trouble
        assert trouble is not None
        assert "LookupError" in trouble.message


def changing(steps: int, types: Sequence[type[BaseException]] = ()) -> type:
    """A workflow that begins this many timers before it waits."""

    @workflow.defn(name="Changing", failure_exception_types=types)
    class Changing:
        @workflow.run
        async def run(self) -> str:
            for _ in range(steps):
                workflow.start_activity("any", start_to_close_timeout=timedelta(seconds=1))
            await workflow.wait_condition(lambda: False)
            return "never"

        @workflow.signal
        def poke(self) -> None: ...

    return Changing


@pytest.mark.parametrize("of_the_worker", [True, False])
async def test_nondeterminism_fails_the_run_where_it_is_listed(of_the_worker: bool) -> None:
    """Otherwise it leaves it stuck until the former code is back."""
    listed = [workflow.NondeterminismError]
    options: dict[str, Any] = {"workflow_failure_exception_types": listed if of_the_worker else []}
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await begun(env.client)

        changed = changing(2, [] if of_the_worker else listed)
        async with serving(env.client, [changed], cached=0, **options):
            await handle.signal("poke")
            with pytest.raises(WorkflowFailureError) as failed:
                await handle.result()

        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.message.startswith("[TMPRL1100] Nondeterminism error: ")
        assert failed.value.cause.type == "NondeterminismError"


async def begun(client: Client) -> Any:
    """A run that the first version of the code has stepped."""
    async with serving(client, [changing(1)], cached=0):
        handle = await client.start_workflow("Changing", id="w", task_queue=QUEUE)
        assert await handle.query("__stack_trace")
    return handle
