"""What a workflow task learns in Temporal's histories is here: inputs of an activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamflow.client.temporal_json.tape import Tape
from streamflow.client.temporal_json.values import (
    Table,
    failure,
    first_payload,
    milliseconds,
    payload_map,
    payloads,
    retry_policy,
    retry_state,
    table,
)
from streamflow.model import events as facts
from streamflow.model import relations
from streamflow.model.events import Event
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.ids import RunId
from streamflow.model.options import Parent, Status


def _started(tape: Tape, a: Table) -> Event:
    tape.run_id = a.get("originalExecutionRunId") or a.get("firstExecutionRunId") or ""
    tape.workflow_id = a.get("workflowId") or ""
    parent = table(a, "parentWorkflowExecution")
    return facts.WorkflowStarted(
        workflow_type=table(a, "workflowType")["name"],
        queue=table(a, "taskQueue").get("name") or "",
        args=payloads(a, "input"),
        first_run_id=RunId(a.get("firstExecutionRunId") or tape.run_id),
        continued_from=RunId(a["continuedExecutionRunId"])
        if a.get("continuedExecutionRunId")
        else None,
        parent=Parent(
            namespace=a.get("parentWorkflowNamespace") or "",
            queue="",
            workflow_id=parent.get("workflowId") or "",
            run_id=parent.get("runId") or "",
            op=0,
        )
        if parent
        else None,
        attempt=int(a.get("attempt") or 1),
        retry_policy=retry_policy(a),
        execution_timeout_ms=milliseconds(a.get("workflowExecutionTimeout")),
        run_timeout_ms=milliseconds(a.get("workflowRunTimeout")),
        task_timeout_ms=milliseconds(a.get("workflowTaskTimeout")),
        cron_schedule=a.get("cronSchedule") or "",
        memo=payload_map(a, "memo", "fields"),
        search_attributes=payload_map(a, "searchAttributes", "indexedFields"),
        headers=payload_map(a, "header", "fields"),
        identity=a.get("identity") or "",
    )


def _signaled(tape: Tape, a: Table) -> Event:
    return facts.SignalReceived(
        name=a["signalName"],
        args=payloads(a, "input"),
        headers=payload_map(a, "header", "fields"),
        identity=a.get("identity") or "",
    )


def _cancel_requested(tape: Tape, a: Table) -> Event:
    return facts.CancelRequested(reason=a.get("cause") or "", identity=a.get("identity") or "")


def _timer_fired(tape: Tape, a: Table) -> Event:
    return facts.TimerFired(op=tape.op_of(a, "startedEventId"))


def _activity_completed(tape: Tape, a: Table) -> Event:
    op = tape.op_of(a, "scheduledEventId")
    return facts.ActivityCompleted(op=op, attempt=1, result=first_payload(a, "result"))


def _activity_failed(tape: Tape, a: Table) -> Event:
    return facts.ActivityFailed(
        op=tape.op_of(a, "scheduledEventId"),
        attempt=1,
        failure=failure(table(a, "failure")),
        retry_state=retry_state(a),
    )


def _activity_canceled(tape: Tape, a: Table) -> Event:
    canceled = Failure(
        kind=FailureKind.CANCELED, message="Cancelled", details=payloads(a, "details")
    )
    op = tape.op_of(a, "scheduledEventId")
    return facts.ActivityCanceled(op=op, attempt=1, failure=canceled)


def _child_started(tape: Tape, a: Table) -> Event:
    run_id = table(a, "workflowExecution").get("runId") or ""
    return relations.ChildStarted(op=tape.op_of(a, "initiatedEventId"), child_run_id=RunId(run_id))


def _child_start_failed(tape: Tape, a: Table) -> Event:
    return relations.ChildStartFailed(
        op=tape.op_of(a, "initiatedEventId"), refusal=relations.StartRefusal.ALREADY_STARTED
    )


def _child_cancel_delivered(tape: Tape, a: Table) -> Event | None:
    op = tape.op_of(a, "initiatedEventId")
    is_child = any(
        isinstance(recorded.event, relations.ChildInitiated) and recorded.event.op == op
        for recorded in tape.recorded
    )
    if is_child:
        return relations.ChildCancelDelivered(op=op)
    return relations.ExternalAnswered(op=op)


def _external_answered(tape: Tape, a: Table) -> Event:
    return relations.ExternalAnswered(op=tape.op_of(a, "initiatedEventId"))


def _external_failed(tape: Tape, a: Table) -> Event:
    missing = Failure(
        kind=FailureKind.APPLICATION,
        message="Unable to reach the external workflow because it was not found",
        type="ExternalWorkflowExecutionNotFound",
    )
    return relations.ExternalAnswered(op=tape.op_of(a, "initiatedEventId"), failure=missing)


def _child_closed(tape: Tape, a: Table, status: Status, failed: Failure | None) -> Event:
    return relations.ChildClosed(
        op=tape.op_of(a, "initiatedEventId"),
        child_run_id=RunId(table(a, "workflowExecution").get("runId") or ""),
        status=status,
        result=first_payload(a, "result"),
        failure=failed,
        retry_state=retry_state(a)
        if status is Status.FAILED
        else RetryState.TIMEOUT
        if status is Status.TIMED_OUT
        else None,
    )


def _child_completed(tape: Tape, a: Table) -> Event:
    return _child_closed(tape, a, Status.COMPLETED, None)


def _child_failed(tape: Tape, a: Table) -> Event:
    return _child_closed(tape, a, Status.FAILED, failure(table(a, "failure")))


def _child_canceled(tape: Tape, a: Table) -> Event:
    canceled = Failure(kind=FailureKind.CANCELED, message="Workflow cancelled")
    return _child_closed(tape, a, Status.CANCELED, canceled)


def _child_timed_out(tape: Tape, a: Table) -> Event:
    return _child_closed(
        tape, a, Status.TIMED_OUT, Failure(kind=FailureKind.TIMEOUT, message="Workflow timed out")
    )


def _child_terminated(tape: Tape, a: Table) -> Event:
    return _child_closed(
        tape, a, Status.TERMINATED, Failure(kind=FailureKind.TERMINATED, message="Terminated")
    )


def _terminated(tape: Tape, a: Table) -> Event:
    return facts.WorkflowTerminated(reason=a.get("reason") or "")


def _timed_out(tape: Tape, _: Table) -> Event:
    return facts.WorkflowTimedOut()


INPUTS: Mapping[str, Callable[[Tape, Table], Event | None]] = {
    "WorkflowExecutionStarted": _started,
    "WorkflowExecutionSignaled": _signaled,
    "WorkflowExecutionCancelRequested": _cancel_requested,
    "TimerFired": _timer_fired,
    "ActivityTaskCompleted": _activity_completed,
    "ActivityTaskFailed": _activity_failed,
    "ActivityTaskTimedOut": _activity_failed,
    "ActivityTaskCanceled": _activity_canceled,
    "ChildWorkflowExecutionStarted": _child_started,
    "StartChildWorkflowExecutionFailed": _child_start_failed,
    "ChildWorkflowExecutionCompleted": _child_completed,
    "ChildWorkflowExecutionFailed": _child_failed,
    "ChildWorkflowExecutionCanceled": _child_canceled,
    "ChildWorkflowExecutionTimedOut": _child_timed_out,
    "ChildWorkflowExecutionTerminated": _child_terminated,
    "ExternalWorkflowExecutionSignaled": _external_answered,
    "ExternalWorkflowExecutionCancelRequested": _child_cancel_delivered,
    "SignalExternalWorkflowExecutionFailed": _external_failed,
    "RequestCancelExternalWorkflowExecutionFailed": _external_failed,
    "WorkflowExecutionTerminated": _terminated,
    "WorkflowExecutionTimedOut": _timed_out,
}
