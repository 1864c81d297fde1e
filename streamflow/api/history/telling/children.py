"""What became of child workflows, and of messages to other workflows."""

from __future__ import annotations

from typing import assert_never

from streamflow.api.common.v1 import WorkflowExecution
from streamflow.api.enums.v1 import (
    CancelExternalWorkflowExecutionFailedCause,
    EventType,
    SignalExternalWorkflowExecutionFailedCause,
    StartChildWorkflowExecutionFailedCause,
)
from streamflow.api.history.telling.ledger import Begun, Ledger
from streamflow.api.history.telling.values import (
    fill_failure,
    fill_payloads,
    fill_result,
    retry_state,
)
from streamflow.model.events import Recorded
from streamflow.model.options import Status
from streamflow.model.relations import (
    ChildCancelDelivered,
    ChildClosed,
    ChildInitiated,
    ChildStarted,
    ChildStartFailed,
    ExternalAnswered,
    ExternalCancelSent,
    ExternalSignalSent,
    StartRefusal,
    Target,
)

_CAUSES = {
    StartRefusal.ALREADY_STARTED: StartChildWorkflowExecutionFailedCause(1),
    StartRefusal.NO_SUCH_QUEUE: StartChildWorkflowExecutionFailedCause(2),
    StartRefusal.INVALID: StartChildWorkflowExecutionFailedCause(0),
}
_NOT_FOUND = 1

Report = ChildStarted | ChildStartFailed | ChildCancelDelivered | ChildClosed | ExternalAnswered


def tell(ledger: Ledger, recorded: Recorded, event: Report) -> None:
    match event:
        case ChildStarted():
            _child_started(ledger, recorded, event)
        case ChildStartFailed():
            _child_start_failed(ledger, recorded, event)
        case ChildCancelDelivered():
            begun = ledger.begun.get(event.op)
            told = ledger.tell(
                EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, recorded
            )
            a = told.external_workflow_execution_cancel_requested_event_attributes
            a.namespace = ledger.namespace
            if begun is not None:
                a.initiated_event_id = begun.cancel_id
                _name_child(a.workflow_execution, begun)
        case ChildClosed():
            _child_closed(ledger, recorded, event)
        case ExternalAnswered():
            _answered(ledger, recorded, event)
        case _:
            assert_never(event)


def _child(begun: Begun) -> ChildInitiated:
    assert isinstance(begun.fact, ChildInitiated), begun
    return begun.fact


def _name_child(execution: WorkflowExecution, begun: Begun) -> None:
    execution.workflow_id = _child(begun).child_workflow_id
    if begun.run_id:
        execution.run_id = begun.run_id


def _child_started(ledger: Ledger, recorded: Recorded, event: ChildStarted) -> None:
    begun = ledger.begun[event.op]
    begun.run_id = event.child_run_id
    told = ledger.tell(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, recorded)
    begun.started_id = told.event_id
    a = told.child_workflow_execution_started_event_attributes
    a.namespace, a.initiated_event_id = ledger.namespace, begun.event_id
    a.workflow_type.name = _child(begun).workflow_type
    _name_child(a.workflow_execution, begun)
    a.header.fields.update(_child(begun).headers)


def _child_start_failed(ledger: Ledger, recorded: Recorded, event: ChildStartFailed) -> None:
    begun = ledger.begun.pop(event.op)
    told = ledger.tell(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, recorded)
    a = told.start_child_workflow_execution_failed_event_attributes
    a.namespace, a.initiated_event_id = ledger.namespace, begun.event_id
    a.workflow_task_completed_event_id = ledger.completed_id
    a.workflow_id, a.workflow_type.name = (
        _child(begun).child_workflow_id,
        _child(begun).workflow_type,
    )
    a.cause = _CAUSES[event.refusal]


def _child_closed(ledger: Ledger, recorded: Recorded, event: ChildClosed) -> None:
    begun = ledger.begun.pop(event.op)
    begun.run_id = event.child_run_id or begun.run_id
    told = ledger.tell(_CLOSINGS[event.status], recorded)
    match event.status:
        case Status.COMPLETED:
            completed = told.child_workflow_execution_completed_event_attributes
            fill_result(completed.result, event.result)
        case Status.FAILED:
            failed = told.child_workflow_execution_failed_event_attributes
            failed.retry_state = retry_state(event.retry_state)
            fill_failure(failed.failure, event.failure)
        case Status.CANCELED:
            canceled = told.child_workflow_execution_canceled_event_attributes
            fill_payloads(canceled.details, () if event.failure is None else event.failure.details)
        case Status.TIMED_OUT:
            late = told.child_workflow_execution_timed_out_event_attributes
            late.retry_state = retry_state(event.retry_state)
        case Status.TERMINATED:
            pass
        case Status.RUNNING | Status.CONTINUED_AS_NEW:
            raise AssertionError(event)
        case _:
            assert_never(event.status)
    name = told.WhichOneof("attributes")
    assert name is not None
    a = getattr(told, name)
    a.namespace, a.initiated_event_id, a.started_event_id = (
        ledger.namespace,
        begun.event_id,
        begun.started_id,
    )
    a.workflow_type.name = _child(begun).workflow_type
    _name_child(a.workflow_execution, begun)


_CLOSINGS = {
    Status.COMPLETED: EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
    Status.FAILED: EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
    Status.CANCELED: EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
    Status.TIMED_OUT: EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
    Status.TERMINATED: EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
}


def _answered(ledger: Ledger, recorded: Recorded, event: ExternalAnswered) -> None:
    begun = ledger.begun.pop(event.op)
    match begun.fact:
        case ExternalSignalSent(target=target):
            _signal_answered(ledger, recorded, event, begun, target)
        case ExternalCancelSent(target=target):
            _cancel_answered(ledger, recorded, event, begun, target)
        case _:
            raise AssertionError(begun)


def _signal_answered(
    ledger: Ledger, recorded: Recorded, event: ExternalAnswered, begun: Begun, target: Target
) -> None:
    if event.failure is None:
        told = ledger.tell(EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, recorded)
        sent = told.external_workflow_execution_signaled_event_attributes
        sent.namespace, sent.initiated_event_id = ledger.namespace, begun.event_id
        name_target(sent.workflow_execution, target, event.target_run_id)
        return
    told = ledger.tell(EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, recorded)
    failed = told.signal_external_workflow_execution_failed_event_attributes
    failed.namespace, failed.initiated_event_id = ledger.namespace, begun.event_id
    failed.workflow_task_completed_event_id = ledger.completed_id
    failed.cause = SignalExternalWorkflowExecutionFailedCause(_NOT_FOUND)
    name_target(failed.workflow_execution, target)


def _cancel_answered(
    ledger: Ledger, recorded: Recorded, event: ExternalAnswered, begun: Begun, target: Target
) -> None:
    if event.failure is None:
        told = ledger.tell(
            EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, recorded
        )
        sent = told.external_workflow_execution_cancel_requested_event_attributes
        sent.namespace, sent.initiated_event_id = ledger.namespace, begun.event_id
        name_target(sent.workflow_execution, target)
        return
    told = ledger.tell(
        EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, recorded
    )
    failed = told.request_cancel_external_workflow_execution_failed_event_attributes
    failed.namespace, failed.initiated_event_id = ledger.namespace, begun.event_id
    failed.workflow_task_completed_event_id = ledger.completed_id
    failed.cause = CancelExternalWorkflowExecutionFailedCause(_NOT_FOUND)
    name_target(failed.workflow_execution, target)


def name_target(execution: WorkflowExecution, target: Target, run_id: str | None = None) -> None:
    execution.workflow_id = target.workflow_id
    execution.run_id = run_id or target.run_id or ""
