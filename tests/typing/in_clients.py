"""What callers of workflows get, as type checkers see it."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import Any, assert_type

from streamflow.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from streamflow.common import WorkflowIDConflictPolicy
from tests.typing.declared import NoArgument, Order, Shop, TwoArguments

ORDER = Order("1")


async def starts(client: Client) -> None:
    assert_type(await client.execute_workflow(NoArgument.run, id="w", task_queue="q"), int)
    assert_type(await client.execute_workflow(Shop.run, ORDER, id="w", task_queue="q"), str)
    assert_type(
        await client.execute_workflow(TwoArguments.run, args=[ORDER, 2], id="w", task_queue="q"),
        list[str],
    )
    assert_type(await client.execute_workflow("Shop", ORDER, id="w", task_queue="q"), Any)
    assert_type(
        await client.execute_workflow("Shop", ORDER, id="w", task_queue="q", result_type=str), str
    )
    handle = await client.start_workflow(Shop.run, ORDER, id="w", task_queue="q")
    assert_type(handle, WorkflowHandle[Shop, str])
    assert_type(await handle.result(), str)
    await client.start_workflow(Shop.run, 1, id="w", task_queue="q")  # type: ignore[arg-type]


async def handles(client: Client) -> None:
    assert_type(client.get_workflow_handle("w"), WorkflowHandle[Any, Any])
    handle = client.get_workflow_handle_for(Shop.run, "w")
    assert_type(handle, WorkflowHandle[Shop, str])
    assert_type(await handle.result(), str)


async def messages(handle: WorkflowHandle[Shop, str]) -> None:
    await handle.signal(Shop.pay, 3)
    await handle.signal(Shop.close)
    await handle.signal(Shop.move, args=["Main", 3])
    await handle.signal("other", 3)
    await handle.signal(Shop.pay, "three")  # type: ignore[arg-type]  # the point
    assert_type(await handle.query(Shop.total), int)
    assert_type(await handle.query(Shop.price, ORDER), float)
    assert_type(await handle.query("other", result_type=int), int)
    assert_type(await handle.query("other"), Any)


async def updates(client: Client, handle: WorkflowHandle[Shop, str]) -> None:
    assert_type(await handle.execute_update(Shop.add, ORDER), int)
    assert_type(await handle.execute_update(Shop.rename, args=["a", "b"]), str)
    await handle.execute_update(Shop.clear)
    started = await handle.start_update(
        Shop.add, ORDER, wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    assert_type(started, WorkflowUpdateHandle[int])
    assert_type(await started.result(), int)
    assert_type(handle.get_update_handle_for(Shop.add, "u"), WorkflowUpdateHandle[int])
    operation = WithStartWorkflowOperation(
        Shop.run,
        ORDER,
        id="w",
        task_queue="q",
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    assert_type(
        await client.execute_update_with_start_workflow(
            Shop.add, ORDER, start_workflow_operation=operation
        ),
        int,
    )
    assert_type(await operation.workflow_handle(), WorkflowHandle[Shop, str])
