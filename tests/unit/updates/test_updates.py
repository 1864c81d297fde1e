"""Updates: what handlers and validators may do, and what their callers get."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from streamflow import activity, workflow
from streamflow.client import (
    RPCError,
    RPCStatusCode,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from streamflow.exceptions import ApplicationError, CancelledError
from tests.unit.updates.stage import QUEUE, assert_replays, both_ways, kinds, worker

pytestmark = [pytest.mark.asyncio, both_ways]


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@workflow.defn
class Counter:
    """Counts what it is told, and says who told it."""

    def __init__(self) -> None:
        self.total = 0
        self.seen: list[str] = []
        self.finished = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.finished)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.seen

    @workflow.signal
    def finish(self) -> None:
        self.finished = True

    @workflow.update
    def add(self, number: int) -> int:
        update = workflow.current_update_info()
        assert update is not None
        self.seen.append(f"{update.name} {update.id}")
        self.total += number
        return self.total

    @add.validator
    def _check(self, number: int) -> None:
        update = workflow.current_update_info()
        assert update is not None
        if update.id == "unwanted":
            raise ApplicationError("unwanted", type="Unwanted")
        if number < 0:
            raise ValueError(f"negative: {number}")

    @workflow.update(name="add-double")
    async def add_double(self, number: int) -> int:
        self.total += await workflow.execute_activity(
            double, number, start_to_close_timeout=timedelta(seconds=10)
        )
        return self.total

    @workflow.update
    async def fail(self, message: str) -> None:
        await asyncio.sleep(0)
        raise ApplicationError(message, "detail", type="Wanted")

    @workflow.update
    async def cancel_itself(self) -> None:
        task = asyncio.create_task(workflow.sleep(1_000))
        task.cancel()
        await task

    @workflow.update
    async def wait(self) -> str:
        await workflow.wait_condition(lambda: self.total >= 100)
        return "waited"

    @workflow.query
    def count(self) -> int:
        return self.total


async def test_a_plain_and_an_async_handler_answer_their_callers(cached: int) -> None:
    """The result is what the handler returns, whether in the same step or later."""
    async with worker([Counter], cached=cached, activities=[double]) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        assert await handle.execute_update(Counter.add, 1) == 1
        assert await handle.execute_update(Counter.add_double, 2) == 5
        assert await handle.execute_update("add", 1, result_type=int) == 6
        assert await handle.query(Counter.count) == 6

        await handle.signal(Counter.finish)
        await handle.result()
        await assert_replays(handle, Counter)


async def test_a_refused_update_leaves_nothing_in_the_history(cached: int) -> None:
    """Whatever the validator raises is the caller's cause; the run does not know of it."""
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)
        await handle.query(Counter.count)
        before = await kinds(handle)

        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(Counter.add, -1)
        with pytest.raises(WorkflowUpdateFailedError) as unwanted:
            await handle.execute_update(Counter.add, 1, id="unwanted")

        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.message == "negative: -1"
        assert refused.value.cause.type == "ValueError"
        assert isinstance(unwanted.value.cause, ApplicationError)
        assert unwanted.value.cause.type == "Unwanted"
        assert await kinds(handle) == before


async def test_an_update_without_a_handler_is_refused(cached: int) -> None:
    """The message names those that there are."""
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update("other")

        assert isinstance(refused.value.cause, ApplicationError)
        assert (
            "'other' expected but not found, and there is no dynamic handler. known updates: "
            "[add add-double cancel_itself fail wait]"
        ) in refused.value.cause.message


async def test_arguments_that_cannot_be_decoded_refuse_the_update(cached: int) -> None:
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("add", "no number")

        assert "UpdateAccepted" not in await kinds(handle)


async def test_a_failure_in_the_handler_fails_the_update_only(cached: int) -> None:
    """The run goes on, and the update is in its history."""
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(Counter.fail, "as asked")

        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.message == "as asked"
        assert list(failed.value.cause.details) == ["detail"]
        await handle.signal(Counter.finish)
        assert await handle.result() == []
        await assert_replays(handle, Counter)


async def test_cancellation_within_a_handler_fails_the_update(cached: int) -> None:
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(Counter.cancel_itself)

        assert isinstance(failed.value.cause, CancelledError)


async def test_a_second_update_of_the_same_id_gets_the_firsts_outcome(cached: int) -> None:
    """Also while the first is under way, and when its run has ended."""
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)
        assert await handle.execute_update(Counter.add, 1, id="one") == 1
        assert await handle.execute_update(Counter.add, 50, id="one") == 1

        waiting = await handle.start_update(
            Counter.wait, id="two", wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        same = asyncio.create_task(handle.execute_update(Counter.wait, id="two"))
        await handle.execute_update(Counter.add, 99, id="three")

        assert await waiting.result() == await same == "waited"
        await handle.signal(Counter.finish)
        assert await handle.result() == ["add one", "add three"]
        assert await handle.execute_update(Counter.add, 5, id="three") == 100


async def test_a_handle_knows_its_update_and_run(cached: int) -> None:
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        update = await handle.start_update(
            Counter.add, 3, id="u", wait_for_stage=WorkflowUpdateStage.COMPLETED
        )

        assert (update.id, update.workflow_id) == ("u", "w")
        assert update.workflow_run_id == handle.result_run_id
        assert await update.result() == 3
        again = handle.get_update_handle_for(Counter.add, "u", workflow_run_id=handle.result_run_id)
        assert await again.result() == 3
        assert await handle.get_update_handle("u").result() == 3


async def test_an_unknown_update_is_not_found(cached: int) -> None:
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        with pytest.raises(RPCError) as error:
            await handle.get_update_handle("never").result()

        assert error.value.status is RPCStatusCode.NOT_FOUND


async def test_a_closed_run_takes_no_new_update(cached: int) -> None:
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)
        await handle.signal(Counter.finish)
        await handle.result()

        with pytest.raises(RPCError, match="already completed") as error:
            await handle.execute_update(Counter.add, 1)

        assert error.value.status is RPCStatusCode.NOT_FOUND


async def test_admitted_is_no_stage_to_wait_for(cached: int) -> None:
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        with pytest.raises(ValueError, match="ADMITTED"):
            await handle.start_update(Counter.add, 1, wait_for_stage=WorkflowUpdateStage.ADMITTED)


async def test_a_wait_that_times_out_or_is_cancelled_leaves_the_update(cached: int) -> None:
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await handle.execute_update(
                Counter.wait, id="u", rpc_timeout=timedelta(milliseconds=20)
            )
        waiting = asyncio.create_task(handle.get_update_handle("u").result())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await waiting

        await handle.execute_update(Counter.add, 100)
        assert await handle.get_update_handle("u").result() == "waited"


async def test_updates_of_one_batch_see_each_others_effects(cached: int) -> None:
    """Each validator is asked when the handlers before it have begun."""
    async with worker([Counter], cached=cached) as client:
        handle = await client.start_workflow(Counter.run, id="w", task_queue=QUEUE)

        totals = await asyncio.gather(
            *(handle.execute_update(Counter.add, 1, id=f"u{n}") for n in range(20))
        )

        assert sorted(totals) == list(range(1, 21))
        await handle.signal(Counter.finish)
        await handle.result()
        await assert_replays(handle, Counter)
