"""Updates that bring their workflow's start with them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from streamflow.common import WorkflowIDConflictPolicy as Conflict
from streamflow.common import WorkflowIDReusePolicy as Reuse
from streamflow.exceptions import ApplicationError, WorkflowAlreadyStartedError
from streamflow.testing import WorkflowEnvironment
from tests.unit.updates.stage import QUEUE, assert_replays, both_ways, worker

pytestmark = pytest.mark.asyncio


@workflow.defn
class Cart:
    """Begins with its first item, or with an order to close."""

    @workflow.init
    def __init__(self, owner: str, close: bool = False) -> None:
        self.owner = owner
        self.items: list[str] = []
        self.closing = close
        self.order: list[str] = []

    @workflow.run
    async def run(self, owner: str, close: bool = False) -> list[str]:
        self.order.append("run")
        await workflow.wait_condition(lambda: self.closing)
        return self.order

    @workflow.signal
    def close(self) -> None:
        self.closing = True

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def add(self, item: str, wait: bool = False) -> str:
        self.order.append(f"update of {self.owner}")
        await workflow.wait_condition(lambda: self.closing or not wait)
        self.items.append(item)
        return f"{item} {workflow.uuid4()}"

    @add.validator
    def _check(self, item: str, wait: bool = False) -> None:
        if item == "forbidden":
            raise ApplicationError("forbidden")

    @workflow.update
    def fail(self) -> None:
        raise ApplicationError("failed")


def begin(
    *args: Any, id: str = "w", conflict: Conflict = Conflict.FAIL, **options: Any
) -> WithStartWorkflowOperation[Cart, list[str]]:
    return WithStartWorkflowOperation(
        Cart.run,
        args=args or ("ann",),
        id=id,
        task_queue=QUEUE,
        id_conflict_policy=conflict,
        **options,
    )


async def add(
    client: Client, operation: WithStartWorkflowOperation[Any, Any], *args: Any, id: str = "u"
) -> str:
    return await client.execute_update_with_start_workflow(
        Cart.add, args=args or ("pen",), id=id, start_workflow_operation=operation
    )


@both_ways
async def test_the_handler_begins_before_run_does(cached: int) -> None:
    """Both are of the first step; the object is made with run's arguments."""
    async with worker([Cart], cached=cached) as client:
        operation = begin("ann")

        assert (await add(client, operation)).startswith("pen ")

        handle = await operation.workflow_handle()
        assert handle.first_execution_run_id == handle.result_run_id
        await handle.signal(Cart.close)
        assert await handle.result() == ["update of ann", "run"]
        await assert_replays(handle, Cart)


async def test_an_open_run_is_used_or_in_the_way_as_the_policy_says() -> None:
    """The operation's handle and the call fail alike."""
    async with worker([Cart]) as client:
        first = begin()
        await add(client, first)

        used = begin("bob", conflict=Conflict.USE_EXISTING)
        assert (await add(client, used, "cup", id="v")).startswith("cup")
        assert (await used.workflow_handle()).first_execution_run_id == (
            await first.workflow_handle()
        ).first_execution_run_id

        refused = begin("bob")
        with pytest.raises(WorkflowAlreadyStartedError):
            await add(client, refused, "cup", id="x")
        with pytest.raises(WorkflowAlreadyStartedError):
            await refused.workflow_handle()


async def test_an_open_run_may_be_ended_for_it() -> None:
    async with worker([Cart]) as client:
        first, second = begin(), begin("bob", conflict=Conflict.TERMINATE_EXISTING)
        await add(client, first)

        await add(client, second, "cup", id="v")

        former = (await first.workflow_handle()).first_execution_run_id
        assert (await second.workflow_handle()).first_execution_run_id != former
        described = await client.get_workflow_handle("w", run_id=former).describe()
        assert described.status is WorkflowExecutionStatus.TERMINATED


@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("conflict", [Conflict.FAIL, Conflict.USE_EXISTING])
@pytest.mark.parametrize("reuse", [Reuse.ALLOW_DUPLICATE, Reuse.REJECT_DUPLICATE])
async def test_a_completed_update_is_joined_whatever_the_policies_say(
    close: bool, conflict: Conflict, reuse: Reuse
) -> None:
    """In an open run and in a closed one."""
    async with worker([Cart]) as client:
        first, second = (
            begin("ann", close, conflict=conflict, id_reuse_policy=reuse) for _ in range(2)
        )

        assert await add(client, first) == await add(client, second, "other")

        one, two = await first.workflow_handle(), await second.workflow_handle()
        assert one.first_execution_run_id == two.first_execution_run_id


async def test_an_update_under_way_in_an_open_run_is_joined() -> None:
    async with worker([Cart]) as client:
        updates = [
            await client.start_update_with_start_workflow(
                Cart.add,
                args=["pen", True],
                id="u",
                start_workflow_operation=operation,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            )
            for operation in (begin(), begin("bob"))
        ]

        await client.get_workflow_handle_for(Cart.run, "w").signal(Cart.close)

        assert await updates[0].result() == await updates[1].result()


@pytest.mark.parametrize("reuse", [Reuse.ALLOW_DUPLICATE, Reuse.REJECT_DUPLICATE])
async def test_an_update_that_a_closed_run_abandoned_is_not_joined(reuse: Reuse) -> None:
    """The start's policies decide, as if the update had never been."""

    @workflow.defn(name="Cart")
    class Abandons:
        @workflow.run
        async def run(self, owner: str) -> list[str]:
            return []

        @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
        async def add(self, item: str, wait: bool = False) -> str:
            await workflow.wait_condition(lambda: not wait)
            return item

    async with worker([Abandons]) as client:
        first = begin(id_reuse_policy=reuse)
        await client.start_update_with_start_workflow(
            "add",
            args=["pen", True],
            id="u",
            start_workflow_operation=first,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        )
        await (await first.workflow_handle()).result()

        again = begin(id_reuse_policy=reuse)
        if reuse is Reuse.REJECT_DUPLICATE:
            with pytest.raises(WorkflowAlreadyStartedError):
                await add(client, again)
            return
        assert await add(client, again) == "pen"
        assert (await again.workflow_handle()).first_execution_run_id != (
            await first.workflow_handle()
        ).first_execution_run_id


@both_ways
async def test_a_refused_or_failing_update_leaves_the_workflow_started(cached: int) -> None:
    async with worker([Cart], cached=cached) as client:
        refused, failing = begin(), begin(id="w2")

        with pytest.raises(WorkflowUpdateFailedError):
            await add(client, refused, "forbidden")
        with pytest.raises(WorkflowUpdateFailedError):
            await client.execute_update_with_start_workflow(
                Cart.fail, start_workflow_operation=failing
            )

        for operation in (refused, failing):
            handle = await operation.workflow_handle()
            assert handle.first_execution_run_id is not None
            await handle.signal(Cart.close)
            assert await handle.result() == ["run"]
            await assert_replays(handle, Cart)


async def test_an_operation_is_used_once_and_says_its_policy() -> None:
    async with worker([Cart]) as client:
        operation = begin()
        await add(client, operation)
        with pytest.raises(RuntimeError, match="WithStartWorkflowOperation cannot be reused"):
            await add(client, operation)

    with pytest.raises(ValueError, match="WorkflowIDConflictPolicy is required"):
        begin(conflict=Conflict.UNSPECIFIED)
    with pytest.raises(TypeError, match="id_conflict_policy"):
        WithStartWorkflowOperation(Cart.run, args=["ann"], id="w", task_queue=QUEUE)  # type: ignore[call-overload]


async def test_a_call_that_nobody_answers_fails_the_operations_handle_too() -> None:
    """No worker runs: the caller's patience ends."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        operation = begin()
        waiting = asyncio.create_task(operation.workflow_handle())

        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await env.client.execute_update_with_start_workflow(
                Cart.add,
                "pen",
                start_workflow_operation=operation,
                rpc_timeout=timedelta(milliseconds=20),
            )

        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await waiting
