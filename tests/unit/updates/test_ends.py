"""What becomes of updates and handlers when their run ends, or its code is at fault."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.client import (
    RPCError,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from streamflow.exceptions import ApplicationError
from tests.unit.updates.stage import QUEUE, assert_replays, both_ways, worker

pytestmark = [pytest.mark.asyncio, both_ways]


@workflow.defn
class Ends:
    """Ends in the way that its signal names, whatever its handlers do."""

    def __init__(self) -> None:
        self.how = ""
        self.returned = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: bool(self.how))
        if self.how == "fail":
            raise ApplicationError("as asked")
        if self.how == "continue":
            workflow.continue_as_new()
        if self.how == "await":
            self.returned = True
            await workflow.wait_condition(workflow.all_handlers_finished)
        self.returned = True
        return self.how

    @workflow.signal
    def end(self, how: str) -> None:
        self.how = how

    @workflow.signal
    async def linger(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def never(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def careless(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def after_run(self) -> str:
        await workflow.wait_condition(lambda: self.returned)
        return "update"

    @workflow.update
    async def end_by_update(self, how: str) -> str:
        self.how = how
        await workflow.wait_condition(lambda: self.returned)
        return "ended"


@contextmanager
def expecting(kind: type[Warning] | None) -> Iterator[None]:
    """That this warning is given, or none."""
    if kind is None:
        yield  # a warning would be an error
        return
    with pytest.warns(kind, match="finished while .* handlers are still running"):
        yield


async def start(
    handle: WorkflowHandle[Ends, str], update: str = "never", id: str = "u"
) -> WorkflowUpdateHandle[Any]:
    return await handle.start_update(update, id=id, wait_for_stage=WorkflowUpdateStage.ACCEPTED)


@pytest.mark.parametrize("how", ["return", "fail", "continue"])
async def test_an_update_that_its_run_outran_has_failed(cached: int, how: str) -> None:
    """Its caller is told so, and the worker warned, however the run ended."""
    async with worker([Ends], cached=cached) as client:
        handle = await client.start_workflow(Ends.run, id="w", task_queue=QUEUE)
        update = await start(handle)

        with expecting(workflow.UnfinishedUpdateHandlersWarning):
            await handle.signal(Ends.end, how)
            with pytest.raises(WorkflowUpdateFailedError) as failed:
                await update.result()

        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.type == "AcceptedUpdateCompletedWorkflow"
        later = client.get_workflow_handle("w", run_id=handle.result_run_id).get_update_handle("u")
        with pytest.raises(WorkflowUpdateFailedError):
            await later.result()


async def test_the_warning_lists_each_update_and_counts_signals(cached: int) -> None:
    """One warning of a kind, whatever their number."""
    async with worker([Ends], cached=cached) as client:
        handle = await client.start_workflow(Ends.run, id="w", task_queue=QUEUE)
        await start(handle, id="one")
        await start(handle, id="two")
        await start(handle, "careless", id="three")
        await handle.signal(Ends.linger)
        await handle.signal(Ends.linger)

        with pytest.warns(RuntimeWarning) as warned:  # noqa: PT031  # both kinds are of it
            await handle.signal(Ends.end, "return")
            await handle.result()

        updates, signals = [str(warning.message) for warning in warned]
        assert '[{"name": "never", "id": "one"}, {"name": "never", "id": "two"}]' in updates
        assert '[{"name": "linger", "count": 2}]' in signals


async def test_a_run_that_awaits_its_handlers_is_not_warned_of(cached: int) -> None:
    async with worker([Ends], cached=cached) as client:
        handle = await client.start_workflow(Ends.run, id="w", task_queue=QUEUE)
        update = await start(handle, "after_run")

        with expecting(None):
            await handle.signal(Ends.end, "await")

            assert await handle.result() == "await"
            assert await update.result() == "update"


async def test_handlers_that_may_be_abandoned_are_not_warned_of(cached: int) -> None:
    async with worker([Ends], cached=cached) as client:
        handle = await client.start_workflow(Ends.run, id="w", task_queue=QUEUE)
        await start(handle, "careless")

        with expecting(None):
            await handle.signal(Ends.end, "return")
            await handle.result()


async def test_an_update_that_completes_in_the_runs_last_step_has_its_result(cached: int) -> None:
    """Also if it does so after run has returned."""
    async with worker([Ends], cached=cached) as client:
        handle = await client.start_workflow(Ends.run, id="w", task_queue=QUEUE)

        assert await handle.execute_update(Ends.end_by_update, "return") == "ended"
        assert await handle.result() == "return"
        await assert_replays(handle, Ends)


async def test_a_terminated_run_answers_those_who_wait(cached: int) -> None:
    async with worker([Ends], cached=cached) as client:
        handle = await client.start_workflow(Ends.run, id="w", task_queue=QUEUE)
        update = await start(handle)
        waiting = asyncio.create_task(update.result())
        await asyncio.sleep(0)

        await handle.terminate()

        with pytest.raises(WorkflowUpdateFailedError):
            await waiting


FAULTS: list[str] = []
"""What the code below is to do wrong next: each is done once."""


@workflow.defn
class Faulty:
    def __init__(self) -> None:
        self.finished = False
        self.signals = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.finished)
        return self.signals

    @workflow.signal
    def poke(self) -> None:
        self.signals += 1

    @workflow.update
    async def change(self) -> str:
        if "handler" in FAULTS:
            FAULTS.remove("handler")
            raise RuntimeError("not a failure")
        if "continue" in FAULTS:
            FAULTS.remove("continue")
            workflow.continue_as_new()
        self.finished = True
        return "changed"

    @change.validator
    def _check(self) -> None:
        if "validator" in FAULTS:
            FAULTS.remove("validator")
            workflow.uuid4()
        if "command" in FAULTS:
            FAULTS.remove("command")
            workflow.start_activity("any", start_to_close_timeout=timedelta(seconds=1))


@pytest.mark.parametrize("fault", ["handler", "continue", "validator", "command"])
async def test_a_fault_leaves_the_run_stuck_until_a_later_try(cached: int, fault: str) -> None:
    """It fails the step, not the update: the caller waits on, and is answered when the code does well."""
    FAULTS[:] = [fault]
    async with worker([Faulty], cached=cached) as client:
        handle = await client.start_workflow(Faulty.run, id="w", task_queue=QUEUE)

        update = asyncio.create_task(handle.execute_update(Faulty.change))

        assert await handle.result() == 0  # skips the time until the next try
        assert await update == "changed"
        assert FAULTS == []


async def test_an_update_at_fault_does_not_hold_up_the_rest(cached: int) -> None:
    """What waits beside it is stepped without it; given up by its caller it is forgotten."""
    FAULTS[:] = ["validator"] * 100
    async with worker([Faulty], cached=cached) as client:
        handle = await client.start_workflow(Faulty.run, id="w", task_queue=QUEUE)
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await handle.execute_update(Faulty.change, rpc_timeout=timedelta(milliseconds=50))
        await handle.signal(Faulty.poke)

        FAULTS.clear()
        await asyncio.sleep(0)
        assert await handle.execute_update(Faulty.change) == "changed"

        assert await handle.result() == 1


async def test_an_update_is_not_for_another_chain_of_runs(cached: int) -> None:
    """A handle that knows its first run finds no other."""
    async with worker([Faulty], cached=cached) as client:
        await client.start_workflow(Faulty.run, id="w", task_queue=QUEUE)
        other = client.get_workflow_handle_for(Faulty.run, "w", first_execution_run_id="other")

        with pytest.raises(RPCError):
            await other.execute_update(Faulty.change)


async def test_the_run_fails_by_a_failing_signal_and_not_by_a_failing_update(cached: int) -> None:
    @workflow.defn
    class Fails:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.signal
        def fail(self) -> None:
            raise ApplicationError("by signal")

        @workflow.update
        def fail_update(self) -> None:
            raise ApplicationError("by update")

    async with worker([Fails], cached=cached) as client:
        handle = await client.start_workflow(Fails.run, id="w", task_queue=QUEUE)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Fails.fail_update)

        await handle.signal(Fails.fail)

        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.message == "by signal"
