"""What a workflow task's commands in Temporal's histories are here: outcomes of an activation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from streamflow.client.history.file import HistoryFileError
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
from streamflow.model.failure import FailureKind
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.payload import Payload


def _activity_scheduled(tape: Tape, number: int, a: Table) -> None:
    tape.activities += 1
    op, given = tape.begin(number), str(a.get("activityId") or "")
    tape.outcome(
        facts.ActivityScheduled(
            op=op,
            activity_id=str(op) if given == str(tape.activities) else given,
            activity_type=table(a, "activityType")["name"],
            queue=table(a, "taskQueue").get("name") or "",
            args=payloads(a, "input"),
            timeouts=ActivityTimeouts(
                schedule_to_close_ms=milliseconds(a.get("scheduleToCloseTimeout")),
                schedule_to_start_ms=milliseconds(a.get("scheduleToStartTimeout")),
                start_to_close_ms=milliseconds(a.get("startToCloseTimeout")),
                heartbeat_ms=milliseconds(a.get("heartbeatTimeout")),
            ),
            retry_policy=retry_policy(a) or RetryPolicy(),
            headers=payload_map(a, "header", "fields"),
        )
    )


def _activity_cancel_requested(tape: Tape, _: int, a: Table) -> None:
    tape.outcome(facts.ActivityCancelRequested(op=tape.op_of(a, "scheduledEventId")))


def _timer_started(tape: Tape, number: int, a: Table) -> None:
    op = tape.begin(number)
    duration_ms = milliseconds(a.get("startToFireTimeout")) or 0
    tape.outcome(
        facts.TimerStarted(op=op, fire_at_ms=tape.task_ms + duration_ms, duration_ms=duration_ms)
    )


def _timer_canceled(tape: Tape, _: int, a: Table) -> None:
    tape.outcome(facts.TimerCanceled(op=tape.op_of(a, "startedEventId")))


def _child_initiated(tape: Tape, number: int, a: Table) -> None:
    tape.outcome(
        relations.ChildInitiated(
            op=tape.begin(number),
            child_workflow_id=WorkflowId(a["workflowId"]),
            workflow_type=table(a, "workflowType")["name"],
            queue=table(a, "taskQueue").get("name") or "",
            args=payloads(a, "input"),
            headers=payload_map(a, "header", "fields"),
            options=relations.ChildOptions(),
        )
    )


def _signal_sent(tape: Tape, number: int, a: Table) -> None:
    tape.outcome(
        relations.ExternalSignalSent(
            op=tape.begin(number),
            target=_target(a),
            signal_name=a["signalName"],
            args=payloads(a, "input"),
        )
    )


def _cancel_sent(tape: Tape, number: int, a: Table) -> None:
    child = next(
        (
            recorded.event.op
            for recorded in tape.recorded
            if isinstance(recorded.event, relations.ChildInitiated)
            and recorded.event.child_workflow_id == table(a, "workflowExecution").get("workflowId")
        ),
        None,
    )
    if a.get("childWorkflowOnly") and child is not None:
        tape.ops[number] = child
        tape.outcome(relations.ChildCancelRequested(op=child, reason=a.get("reason") or ""))
    else:
        tape.outcome(relations.ExternalCancelSent(op=tape.begin(number), target=_target(a)))


def _memo_upserted(tape: Tape, _: int, a: Table) -> None:
    found, removed = _changes(payload_map(a, "upsertedMemo", "fields"))
    tape.outcome(facts.MemoUpserted(memo=found, removed=removed))


def _attributes_upserted(tape: Tape, number: int, a: Table) -> None:
    found, removed = _changes(payload_map(a, "searchAttributes", "indexedFields"))
    # The SDK's own note of the patches that a run has taken is no call of the code's.
    if {*found, *removed} - {"TemporalChangeVersion"}:
        tape.outcome(facts.SearchAttributesUpserted(search_attributes=found, removed=removed))


def _changes(found: dict[str, Payload]) -> tuple[dict[str, Payload], tuple[str, ...]]:
    """What is set, and what is removed: an empty value says that."""
    removed = tuple(
        name for name, one in found.items() if one.metadata.get("encoding") == b"binary/null"
    )
    return {name: one for name, one in found.items() if name not in removed}, removed


def _update_accepted(tape: Tape, number: int, a: Table) -> None:
    request = table(a, "acceptedRequest")
    meta, asked = table(request, "meta"), table(request, "input")
    update_id = meta.get("updateId") or a.get("protocolInstanceId") or ""
    tape.updates[number] = update_id
    tape.accepted.append(
        facts.UpdateAccepted(
            update_id=update_id,
            name=asked["name"],
            args=payloads(asked, "args"),
            headers=payload_map(asked, "header", "fields"),
            identity=meta.get("identity") or "",
        )
    )


def _update_completed(tape: Tape, _: int, a: Table) -> None:
    outcome, meta = table(a, "outcome"), table(a, "meta")
    update_id = meta.get("updateId") or tape.updates[int(a["acceptedEventId"])]
    failed = table(outcome, "failure")
    tape.outcome(
        facts.UpdateCompleted(
            update_id=update_id,
            result=first_payload(outcome, "success"),
            failure=failure(failed) if failed else None,
        )
    )


def _marker(tape: Tape, number: int, a: Table) -> None:
    details = table(a, "details")
    match a.get("markerName"):
        case "core_patch":
            data = _json(first_payload(details, "patch-data"))
            patch_id = data.get("id") or _json_value(first_payload(details, "patch_id"))
            deprecated = data.get("deprecated") or _json_value(first_payload(details, "deprecated"))
            patched = facts.PatchMarked(patch_id=str(patch_id), deprecated=bool(deprecated))
            tape.outcome(patched)
        case "core_local_activity":
            _local_activity(tape, number, a, details)
        case other:
            raise HistoryFileError(
                f"Expected markers of patches and local activities, found event {number} with a marker {other!r}: a "
                "history with it cannot be replayed here"
            )


def _local_activity(tape: Tape, number: int, a: Table, details: Table) -> None:
    """It ran within the task: the code asked for it, and went on with its result as in a step of its own."""
    data = _json(first_payload(details, "data"))
    tape.activities += 1
    op, given = tape.begin(number), str(data.get("activity_id") or "")
    default = given in ("", str(tape.activities), str(data.get("seq") or ""))
    tape.outcome(
        facts.ActivityScheduled(
            op=op,
            activity_id=str(op) if default else given,
            activity_type=str(data["activity_type"]),
            queue="",
            timeouts=ActivityTimeouts(),
            retry_policy=RetryPolicy(),
            local=True,
        )
    )
    attempt = int(data.get("attempt") or 1)
    failed = table(a, "failure")
    if failed:
        wrapped = "activityFailureInfo" in failed
        found = failure(table(failed, "cause") if wrapped else failed)
        if found.kind is FailureKind.CANCELED:
            ended: Event = facts.ActivityCanceled(op=op, attempt=attempt, failure=found)
        else:
            ended = facts.ActivityFailed(
                op=op, attempt=attempt, failure=found, retry_state=retry_state(failed)
            )
    else:
        result = first_payload(details, "result")
        ended = facts.ActivityCompleted(op=op, attempt=attempt, result=result)
    tape.split_step(ended)


def _completed(tape: Tape, _: int, a: Table) -> None:
    tape.outcome(facts.WorkflowCompleted(result=first_payload(a, "result")))


def _failed(tape: Tape, _: int, a: Table) -> None:
    tape.outcome(
        facts.WorkflowFailed(failure=failure(table(a, "failure")), retry_state=retry_state(a))
    )


def _canceled(tape: Tape, _: int, a: Table) -> None:
    tape.outcome(facts.WorkflowCanceled(details=payloads(a, "details")))


def _continued(tape: Tape, _: int, a: Table) -> None:
    tape.outcome(
        facts.WorkflowContinuedAsNew(
            new_run_id=RunId(a.get("newExecutionRunId") or ""),
            workflow_type=table(a, "workflowType").get("name") or "",
            queue=table(a, "taskQueue").get("name") or "",
            args=payloads(a, "input"),
        )
    )


def _target(a: Table) -> relations.Target:
    execution = table(a, "workflowExecution")
    run_id = execution.get("runId")
    return relations.Target(
        workflow_id=WorkflowId(execution["workflowId"]), run_id=RunId(run_id) if run_id else None
    )


def _json(value: Payload | None) -> Table:
    """An object; empty if there is none."""
    found = _json_value(value)
    return cast("Table", found) if isinstance(found, Mapping) else {}


def _json_value(value: Payload | None) -> Any:
    return None if value is None else json.loads(value.data)


COMMANDS: Mapping[str, Callable[[Tape, int, Table], None]] = {
    "ActivityTaskScheduled": _activity_scheduled,
    "ActivityTaskCancelRequested": _activity_cancel_requested,
    "TimerStarted": _timer_started,
    "TimerCanceled": _timer_canceled,
    "StartChildWorkflowExecutionInitiated": _child_initiated,
    "SignalExternalWorkflowExecutionInitiated": _signal_sent,
    "RequestCancelExternalWorkflowExecutionInitiated": _cancel_sent,
    "WorkflowPropertiesModified": _memo_upserted,
    "UpsertWorkflowSearchAttributes": _attributes_upserted,
    "WorkflowExecutionUpdateAccepted": _update_accepted,
    "WorkflowExecutionUpdateCompleted": _update_completed,
    "MarkerRecorded": _marker,
    "WorkflowExecutionCompleted": _completed,
    "WorkflowExecutionFailed": _failed,
    "WorkflowExecutionCanceled": _canceled,
    "WorkflowExecutionContinuedAsNew": _continued,
}
