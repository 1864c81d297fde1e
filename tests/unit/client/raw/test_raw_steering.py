"""Requests that start runs, speak to them, steer them and end them; what runs do is what handles would see."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from streamflow.api.common.v1 import WorkflowType
from streamflow.api.enums.v1 import (
    EventType,
    PendingActivityState,
    ResetReapplyType,
)
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.workflowservice import v1 as api
from streamflow.client import Client, RPCError, RPCStatusCode, WorkflowFailureError
from streamflow.exceptions import TerminatedError
from tests.unit.client.raw.programs import QUEUE, Hears, Retries, begun, named, payloads

pytestmark = pytest.mark.asyncio


async def test_a_run_is_started_once_for_one_request_and_hears_each_signal_once(
    client: Client,
) -> None:
    request = api.StartWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_id="w",
        workflow_type=WorkflowType(name="Hears"),
        task_queue=TaskQueue(name=QUEUE),
        request_id="once",
        memo={"fields": {"note": payloads(client, "n").payloads[0]}},
        workflow_run_timeout=timedelta(hours=1),
    )
    signal = api.SignalWorkflowExecutionRequest(
        workflow_execution=named(),
        signal_name="hear",
        input=payloads(client, "a"),
        request_id="once",
    )

    first = await client.workflow_service.start_workflow_execution(request)
    again = await client.workflow_service.start_workflow_execution(request)
    for _ in range(2):
        await client.workflow_service.signal_workflow_execution(signal)

    handle = client.get_workflow_handle("w")
    assert first.run_id == again.run_id == (await handle.describe()).run_id
    assert await handle.query(Hears.words) == ["a"]
    assert await (await handle.describe()).memo() == {"note": "n"}
    request.request_id = "another"
    with pytest.raises(RPCError, match="already running") as caught:
        await client.workflow_service.start_workflow_execution(request)
    assert caught.value.status is RPCStatusCode.ALREADY_EXISTS
    request.task_queue.Clear()
    with pytest.raises(RPCError, match="task_queue"):
        await client.workflow_service.start_workflow_execution(request)


async def test_a_signal_with_its_start(client: Client) -> None:
    request = api.SignalWithStartWorkflowExecutionRequest(
        workflow_id="w",
        workflow_type={"name": "Hears"},
        task_queue={"name": QUEUE},
        signal_name="hear",
        signal_input=payloads(client, "stop"),
    )

    answer = await client.workflow_service.signal_with_start_workflow_execution(request)

    handle = client.get_workflow_handle("w", run_id=answer.run_id)
    assert await handle.result() == ["stop"]
    assert answer.started


async def test_a_run_is_cancelled_or_terminated(client: Client) -> None:
    one, other = await begun(client, id="one"), await begun(client, id="other")

    await client.workflow_service.request_cancel_workflow_execution(
        api.RequestCancelWorkflowExecutionRequest(workflow_execution=named("one"))
    )
    await client.workflow_service.terminate_workflow_execution(
        api.TerminateWorkflowExecutionRequest(
            workflow_execution=named("other"), reason="why", details=payloads(client, "d")
        )
    )

    with pytest.raises(WorkflowFailureError):
        await one.result()
    with pytest.raises(WorkflowFailureError) as caught:
        await other.result()
    assert isinstance(caught.value.cause, TerminatedError)
    assert (str(caught.value.cause), caught.value.cause.details) == ("why", ("d",))


@pytest.mark.parametrize("kept", [True, False])
async def test_a_run_is_reset_with_or_without_its_signals(client: Client, kept: bool) -> None:
    handle = await begun(client)
    await handle.signal(Hears.hear, "a")
    completed = [
        event.event_id
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]

    answer = await client.workflow_service.reset_workflow_execution(
        api.ResetWorkflowExecutionRequest(
            workflow_execution=named(),
            workflow_task_finish_event_id=completed[0],
            reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_UNSPECIFIED
            if kept
            else ResetReapplyType.RESET_REAPPLY_TYPE_NONE,
        )
    )

    new = client.get_workflow_handle("w", run_id=answer.run_id)
    assert await new.query("words") == (["a"] if kept else [])


async def test_a_run_is_held_back_let_on_and_deleted(client: Client) -> None:
    service, handle = client.workflow_service, await begun(client)

    await service.pause_workflow_execution(
        api.PauseWorkflowExecutionRequest(workflow_id="w", reason="wait")
    )
    held = (await handle.describe()).trouble
    await service.unpause_workflow_execution(api.UnpauseWorkflowExecutionRequest(workflow_id="w"))

    assert held is not None
    assert held.kind == "paused"
    assert (await handle.describe()).trouble is None
    delete = api.DeleteWorkflowExecutionRequest(workflow_execution=named())
    with pytest.raises(RPCError) as caught:
        await service.delete_workflow_execution(delete)
    assert caught.value.status is RPCStatusCode.FAILED_PRECONDITION
    await handle.terminate()
    await service.delete_workflow_execution(delete)
    with pytest.raises(RPCError):
        await handle.describe()


async def test_an_activity_is_held_back_and_begun_anew(client: Client) -> None:
    service, handle = client.workflow_service, await begun(client, Retries)

    async def state() -> tuple[PendingActivityState, int]:
        seen = await service.describe_workflow_execution(
            api.DescribeWorkflowExecutionRequest(execution=named())
        )
        pending = seen.pending_activities[0]
        return PendingActivityState(pending.state), pending.attempt

    async with asyncio.timeout(10):
        while (await state())[1] < 2:  # noqa: ASYNC110  # nothing tells of an attempt's end
            await asyncio.sleep(0)
    await service.pause_activity(api.PauseActivityRequest(execution=named(), id="one"))
    assert (await state())[0] is PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED
    await service.reset_activity(
        api.ResetActivityRequest(execution=named(), match_all=True, keep_paused=True)
    )
    assert await state() == (PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED, 1)
    await service.unpause_activity(api.UnpauseActivityRequest(execution=named(), type="fails"))
    assert (await state())[0] is not PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED
    with pytest.raises(RPCError, match="neither"):
        await service.pause_activity(api.PauseActivityRequest(execution=named()))
    await handle.terminate()
