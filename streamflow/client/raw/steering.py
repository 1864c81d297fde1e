"""An operator's hand on runs, and on their pending activities."""

from __future__ import annotations

from typing import Any

from streamflow.api.enums.v1 import ResetReapplyExcludeType, ResetReapplyType
from streamflow.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DeleteWorkflowExecutionResponse,
    PauseActivityRequest,
    PauseActivityResponse,
    PauseWorkflowExecutionRequest,
    PauseWorkflowExecutionResponse,
    ResetActivityRequest,
    ResetActivityResponse,
    ResetWorkflowExecutionRequest,
    ResetWorkflowExecutionResponse,
    UnpauseActivityRequest,
    UnpauseActivityResponse,
    UnpauseWorkflowExecutionRequest,
    UnpauseWorkflowExecutionResponse,
    UpdateActivityOptionsRequest,
    UpdateActivityOptionsResponse,
)
from streamflow.client.activities.options import changed_options
from streamflow.client.calls.address import Address
from streamflow.client.raw.activity_options import change_of, message_of
from streamflow.client.raw.asked import Asked
from streamflow.model.answers import Description, Done
from streamflow.model.commands import ActivityControl, ControlActivity, DescribeWorkflow
from streamflow.model.control import ControlWorkflow, WorkflowControl
from streamflow.service import RPCError, RPCStatusCode

ActivityRequest = (
    PauseActivityRequest
    | UnpauseActivityRequest
    | ResetActivityRequest
    | UpdateActivityOptionsRequest
)


async def reset_workflow_execution(
    asked: Asked, request: ResetWorkflowExecutionRequest
) -> ResetWorkflowExecutionResponse:
    """Signals from there on are given to the new run, unless the request excludes them; nothing else is."""
    address = asked.address(request.workflow_execution)
    left_out = ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL
    handle = asked.client.get_workflow_handle(address.workflow_id, run_id=address.run_id)
    new = await handle.reset(
        event_id=request.workflow_task_finish_event_id,
        reapply_signals=request.reset_reapply_type != ResetReapplyType.RESET_REAPPLY_TYPE_NONE
        and left_out not in request.reset_reapply_exclude_types,
        reason=request.reason,
        rpc_timeout=asked.timeout,
    )
    return ResetWorkflowExecutionResponse(run_id=new.result_run_id or "")


async def delete_workflow_execution(
    asked: Asked, request: DeleteWorkflowExecutionRequest
) -> DeleteWorkflowExecutionResponse:
    """An open run is refused: terminate it first."""
    address = asked.address(request.workflow_execution)
    await _control(asked, address, WorkflowControl.DELETE)
    return DeleteWorkflowExecutionResponse()


async def pause_workflow_execution(
    asked: Asked, request: PauseWorkflowExecutionRequest
) -> PauseWorkflowExecutionResponse:
    address = Address(asked.client, request.workflow_id, request.run_id, None)
    await _control(asked, address, WorkflowControl.PAUSE, request)
    return PauseWorkflowExecutionResponse()


async def unpause_workflow_execution(
    asked: Asked, request: UnpauseWorkflowExecutionRequest
) -> UnpauseWorkflowExecutionResponse:
    address = Address(asked.client, request.workflow_id, request.run_id, None)
    await _control(asked, address, WorkflowControl.UNPAUSE, request)
    return UnpauseWorkflowExecutionResponse()


async def pause_activity(asked: Asked, request: PauseActivityRequest) -> PauseActivityResponse:
    await _control_activities(asked, request, ActivityControl.PAUSE, reason=request.reason)
    return PauseActivityResponse()


async def unpause_activity(
    asked: Asked, request: UnpauseActivityRequest
) -> UnpauseActivityResponse:
    await _control_activities(
        asked,
        request,
        ActivityControl.UNPAUSE,
        every=request.unpause_all,
        reset_attempts=request.reset_attempts,
        reset_heartbeat=request.reset_heartbeat,
    )
    return UnpauseActivityResponse()


async def reset_activity(asked: Asked, request: ResetActivityRequest) -> ResetActivityResponse:
    await _control_activities(
        asked,
        request,
        ActivityControl.RESET,
        every=request.match_all,
        keep_paused=request.keep_paused,
        reset_heartbeat=request.reset_heartbeat,
        restore_options=request.restore_original_options,
    )
    return ResetActivityResponse()


async def update_activity_options(
    asked: Asked, request: UpdateActivityOptionsRequest
) -> UpdateActivityOptionsResponse:
    """Of several activities, the answer has the options of the last."""
    change = change_of(request)
    done = await _control_activities(
        asked,
        request,
        ActivityControl.UPDATE_OPTIONS,
        every=request.match_all,
        options=change,
        restore_options=change is None,
    )
    made = UpdateActivityOptionsResponse()
    if done is not None:
        made.activity_options.CopyFrom(message_of(changed_options(done)))
    return made


async def _control(
    asked: Asked,
    address: Address,
    control: WorkflowControl,
    request: PauseWorkflowExecutionRequest | UnpauseWorkflowExecutionRequest | None = None,
) -> None:
    command = ControlWorkflow(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        control=control,
        reason="" if request is None else request.reason,
        identity=asked.identity("" if request is None else request.identity),
    )
    request_id = "" if request is None else request.request_id
    await asked.ask(address, command, Done, request_id=request_id)


async def _control_activities(
    asked: Asked,
    request: ActivityRequest,
    control: ActivityControl,
    *,
    every: bool = False,
    **options: Any,
) -> Done | None:
    """The last activity's answer; ``None`` where there is none."""
    address = asked.address(request.execution)
    if not (request.id or request.type or every):
        raise RPCError(
            "Expected an activity's id or type in the request, found neither",
            RPCStatusCode.INVALID_ARGUMENT,
        )
    ids = [request.id]
    if every:
        seen = DescribeWorkflow(workflow_id=address.workflow_id, run_id=address.run_id)
        facts = await asked.ask(address, seen, Description)
        ids = [each.activity_id for each in facts.pending_activities if not each.local]
    done: Done | None = None
    for activity_id in ids:
        command = ControlActivity(
            workflow_id=address.workflow_id,
            run_id=address.run_id,
            activity_id=activity_id,
            activity_type="" if every else request.type,
            control=control,
            identity=asked.identity(request.identity),
            **options,
        )
        done = await asked.ask(address, command, Done)
    return done


ANSWERS = (
    delete_workflow_execution,
    pause_activity,
    pause_workflow_execution,
    reset_activity,
    reset_workflow_execution,
    unpause_activity,
    unpause_workflow_execution,
    update_activity_options,
)
