"""What workflow code gets from activities, children and other workflows, as type checkers see it."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_type

from streamflow import workflow
from tests.typing.declared import (
    Callable,
    Methods,
    NoArgument,
    Order,
    Shop,
    TwoArguments,
    none_async,
    none_sync,
    one_async,
    one_sync,
    two_async,
    two_sync,
)

SOON = timedelta(seconds=1)
ORDER = Order("1")


async def activities_by_function() -> None:
    assert_type(await workflow.execute_activity(none_async, start_to_close_timeout=SOON), int)
    assert_type(await workflow.execute_activity(none_sync, start_to_close_timeout=SOON), int)
    assert_type(await workflow.execute_activity(one_async, ORDER, start_to_close_timeout=SOON), str)
    assert_type(await workflow.execute_activity(one_sync, ORDER, start_to_close_timeout=SOON), str)
    assert_type(
        await workflow.execute_activity(two_async, args=[ORDER, 2], start_to_close_timeout=SOON),
        list[Order],
    )
    assert_type(
        await workflow.execute_activity(two_sync, args=[ORDER, 2], start_to_close_timeout=SOON),
        list[Order],
    )
    handle = workflow.start_activity(one_async, ORDER, schedule_to_close_timeout=SOON)
    assert_type(handle, workflow.ActivityHandle[str])
    assert_type(await handle, str)


async def activities_with_wrong_arguments() -> None:
    await workflow.execute_activity(one_async, 3, start_to_close_timeout=SOON)  # type: ignore[arg-type]
    await workflow.execute_activity(one_sync, start_to_close_timeout=SOON)  # type: ignore[arg-type]
    await workflow.execute_local_activity(one_sync, 3, start_to_close_timeout=SOON)  # type: ignore[arg-type]
    workflow.start_activity_method(Methods.one_async, 3, start_to_close_timeout=SOON)  # type: ignore[arg-type]


async def activities_by_name() -> None:
    assert_type(await workflow.execute_activity("one", ORDER, start_to_close_timeout=SOON), Any)
    assert_type(
        await workflow.execute_activity("one", ORDER, result_type=str, start_to_close_timeout=SOON),
        str,
    )


async def activities_by_class_and_method() -> None:
    assert_type(
        await workflow.execute_activity_class(Callable, ORDER, start_to_close_timeout=SOON), float
    )
    assert_type(
        await workflow.execute_activity_method(Methods.none_async, start_to_close_timeout=SOON),
        int,
    )
    assert_type(
        await workflow.execute_activity_method(
            Methods.one_async, ORDER, start_to_close_timeout=SOON
        ),
        str,
    )
    assert_type(
        await workflow.execute_activity_method(
            Methods.one_sync, ORDER, start_to_close_timeout=SOON
        ),
        str,
    )
    assert_type(
        await workflow.execute_activity_method(
            Methods.two_sync, args=[ORDER, 1], start_to_close_timeout=SOON
        ),
        bytes,
    )
    started = workflow.start_activity_method(Methods.one_async, ORDER, start_to_close_timeout=SOON)
    assert_type(await started, str)


async def local_activities() -> None:
    assert_type(
        await workflow.execute_local_activity(one_sync, ORDER, start_to_close_timeout=SOON), str
    )
    assert_type(await workflow.execute_local_activity(none_async, start_to_close_timeout=SOON), int)
    assert_type(
        await workflow.execute_local_activity_method(
            Methods.one_async, ORDER, start_to_close_timeout=SOON
        ),
        str,
    )
    assert_type(
        await workflow.execute_local_activity_class(Callable, ORDER, start_to_close_timeout=SOON),
        float,
    )


async def children() -> None:
    assert_type(await workflow.execute_child_workflow(NoArgument.run), int)
    assert_type(await workflow.execute_child_workflow(Shop.run, ORDER, id="s"), str)
    assert_type(await workflow.execute_child_workflow(TwoArguments.run, args=[ORDER, 2]), list[str])
    assert_type(await workflow.execute_child_workflow("Shop", ORDER), Any)
    handle = await workflow.start_child_workflow(Shop.run, ORDER)
    assert_type(handle, workflow.ChildWorkflowHandle[Shop, str])
    assert_type(await handle, str)
    await handle.signal(Shop.pay, 3)
    await handle.signal(Shop.close)
    await handle.signal(Shop.move, args=["Main", 3])
    await handle.signal(Shop.pay, "three")  # type: ignore[arg-type]  # the point


async def other_workflows() -> None:
    handle = workflow.get_external_workflow_handle_for(Shop.run, "s")
    assert_type(handle, workflow.ExternalWorkflowHandle[Shop])
    await handle.signal(Shop.pay, 3)
    await handle.signal(Shop.pay, "three")  # type: ignore[arg-type]  # the point
    assert_type(workflow.get_external_workflow_handle("s"), workflow.ExternalWorkflowHandle[Any])
