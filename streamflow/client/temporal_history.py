"""Reads histories that Temporal's tools exported as JSON into our events, for a `Replayer`.

A workflow task there is an activation here: its inputs are what came before it began, its outcomes the commands that
follow its completion. Operations get the numbers that our runtime gives them, in the order of their commands.

What is not told in such a file is made up: seeds are 0, so that random numbers and generated IDs differ from those of then
(arguments are not compared, but IDs of children are: give them). A local activity is taken as begun when its result was
recorded: several that ran side by side do not fit. Nexus operations and markers of other SDKs are refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from streamflow.client.history_file import HistoryFileError
from streamflow.client.temporal_values import (
    Table,
    failure,
    first_payload,
    milliseconds,
    payload_map,
    payloads,
    retry_policy,
    retry_state,
    table,
    time_ms,
)
from streamflow.model import events as facts
from streamflow.model import relations
from streamflow.model.events import Event, History, Recorded
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.ids import Op, RunId, Seq, WorkflowId
from streamflow.model.options import ActivityTimeouts, Parent, RetryPolicy, Status
from streamflow.model.payload import Payload

_SUFFIX = "EventAttributes"
_PASSED_OVER = frozenset(
    {
        "WorkflowTaskScheduled",
        "WorkflowTaskFailed",
        "WorkflowTaskTimedOut",
        "ActivityTaskStarted",
        "WorkflowExecutionUpdateAdmitted",
        "WorkflowExecutionOptionsUpdated",
        "WorkflowExecutionPaused",
        "WorkflowExecutionUnpaused",
    }
)


def is_temporal(value: Any) -> bool:
    """Whether this looks like such a file: events with types of theirs, and no format of ours."""
    if not isinstance(value, Mapping) or "format" in value:
        return False
    events: Any = cast("Table", value).get("events")
    return isinstance(events, list) and _are_typed(events)  # pyright: ignore[reportUnknownArgumentType]  # of anything


def _are_typed(events: list[Any]) -> bool:
    return all(isinstance(event, Mapping) and "eventType" in event for event in events)


def from_temporal(workflow_id: str | None, value: Table) -> History:
    """The history in our events.

    Raises:
        HistoryFileError: an event has no counterpart, or lacks what it should have; the message names it.
    """
    reading = _Reading()
    for event in value["events"]:
        kind = _kind(event)
        try:
            reading.take(kind, int(event.get("eventId") or 0), event)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, HistoryFileError):
                raise
            raise HistoryFileError(
                f"Expected event {event.get('eventId')} ({kind}) to have what such an event has, found: {error!r}"
            ) from error
    reading.end_step()
    if not reading.recorded:
        raise HistoryFileError("Expected a history with events, found none")
    return History(
        workflow_id=WorkflowId(workflow_id or reading.workflow_id),
        run_id=RunId(reading.run_id),
        events=tuple(reading.recorded),
    )


def _kind(event: Table) -> str:
    """``WorkflowExecutionStarted`` of ``EVENT_TYPE_WORKFLOW_EXECUTION_STARTED``, and of itself."""
    text = str(event["eventType"])
    if text.startswith("EVENT_TYPE_"):
        return "".join(part.capitalize() for part in text.removeprefix("EVENT_TYPE_").split("_"))
    return text


class _Reading:
    """What has been read so far, and how their numbers are to be read."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []
        self.workflow_id = ""
        self.run_id = ""
        self._step = 0
        self._time_ms = 0
        self._task_ms = 0
        self._waiting: list[Seq] = []
        """Inputs that no task has taken yet."""
        self._taken = 0
        """How many of them the task that was started last takes."""
        self._commands: list[Event] | None = None
        """Outcomes of the task that was completed last, until they end; ``None`` outside."""
        self._accepted: list[facts.UpdateAccepted] = []
        self._ops: dict[int, Op] = {}
        self._op_of_timer: dict[str, Op] = {}
        self._count = 0
        self._activities = 0
        self._updates: dict[int, str] = {}

    # -- in order -----------------------------------------------------------------------------------------------

    def take(self, kind: str, number: int, event: Table) -> None:
        self._time_ms = time_ms(event["eventTime"])
        names = [name for name in event if name.endswith(_SUFFIX)]
        attributes: Table = table(event, names[0]) if names else {}
        command = _COMMANDS.get(kind)
        if command is not None and self._commands is not None:
            command(self, number, attributes)
            return
        if kind == "WorkflowTaskCompleted":
            self.end_step()
            self._commands = []
            return
        self.end_step()
        if kind == "WorkflowTaskStarted":
            self._taken = len(self._waiting)
            self._task_ms = self._time_ms
        elif kind in _INPUTS:
            self._input(_INPUTS[kind](self, attributes))
        elif kind not in _PASSED_OVER:
            raise HistoryFileError(
                f"Expected events that have a counterpart, found event {number} ({kind}): a history with it cannot be "
                "replayed here"
            )

    def end_step(self) -> None:
        """Records the task that was completed last: its inputs' activation, and what it asked for."""
        commands, self._commands = self._commands, None
        if commands is None:
            return
        self._activate(commands)

    def _activate(self, commands: list[Event]) -> None:
        inputs = self._waiting[: self._taken]
        del self._waiting[: self._taken]
        self._taken = 0
        # As here they are recorded just before the activation that begins their handlers.
        inputs += [self._record(update) for update in self._accepted]
        self._accepted = []
        if not inputs and not commands:
            return  # a task that only kept a local activity's workflow alive
        self._step += 1
        self._record(facts.Activated(inputs=tuple(inputs), now_ms=self._task_ms, seed=0))
        for command in commands:
            self._record(command)

    def _record(self, event: Event) -> Seq:
        seq = Seq(len(self.recorded) + 1)
        self.recorded.append(Recorded(seq, self._step, self._time_ms, event))
        return seq

    def _input(self, event: Event | None) -> None:
        if event is None:
            return
        seq = self._record(event)
        if not isinstance(event, facts.WorkflowTerminated | facts.WorkflowTimedOut):
            self._waiting.append(seq)

    def _begin(self, number: int) -> Op:
        self._count += 1
        op = self._ops[number] = Op(self._count)
        return op

    def _op(self, attributes: Table, *names: str) -> Op:
        for name in names:
            if attributes.get(name):
                return self._ops[int(attributes[name])]
        raise KeyError(" or ".join(names))

    def _outcome(self, event: Event) -> None:
        assert self._commands is not None
        self._commands.append(event)

    # -- commands -----------------------------------------------------------------------------------------------

    def activity_scheduled(self, number: int, a: Table) -> None:
        self._activities += 1
        op, given = self._begin(number), str(a.get("activityId") or "")
        self._outcome(
            facts.ActivityScheduled(
                op=op,
                activity_id=str(op) if given == str(self._activities) else given,
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

    def activity_cancel_requested(self, _: int, a: Table) -> None:
        self._outcome(facts.ActivityCancelRequested(op=self._op(a, "scheduledEventId")))

    def timer_started(self, number: int, a: Table) -> None:
        op = self._begin(number)
        duration_ms = milliseconds(a.get("startToFireTimeout")) or 0
        self._outcome(
            facts.TimerStarted(
                op=op, fire_at_ms=self._task_ms + duration_ms, duration_ms=duration_ms
            )
        )

    def timer_canceled(self, _: int, a: Table) -> None:
        self._outcome(facts.TimerCanceled(op=self._op(a, "startedEventId")))

    def child_initiated(self, number: int, a: Table) -> None:
        self._outcome(
            relations.ChildInitiated(
                op=self._begin(number),
                child_workflow_id=WorkflowId(a["workflowId"]),
                workflow_type=table(a, "workflowType")["name"],
                queue=table(a, "taskQueue").get("name") or "",
                args=payloads(a, "input"),
                headers=payload_map(a, "header", "fields"),
                options=relations.ChildOptions(),
            )
        )

    def signal_sent(self, number: int, a: Table) -> None:
        self._outcome(
            relations.ExternalSignalSent(
                op=self._begin(number),
                target=_target(a),
                signal_name=a["signalName"],
                args=payloads(a, "input"),
            )
        )

    def cancel_sent(self, number: int, a: Table) -> None:
        child = next(
            (
                recorded.event.op
                for recorded in self.recorded
                if isinstance(recorded.event, relations.ChildInitiated)
                and recorded.event.child_workflow_id
                == table(a, "workflowExecution").get("workflowId")
            ),
            None,
        )
        if a.get("childWorkflowOnly") and child is not None:
            self._ops[number] = child
            self._outcome(relations.ChildCancelRequested(op=child, reason=a.get("reason") or ""))
        else:
            self._outcome(relations.ExternalCancelSent(op=self._begin(number), target=_target(a)))

    def memo_upserted(self, _: int, a: Table) -> None:
        self._outcome(facts.MemoUpserted(memo=payload_map(a, "upsertedMemo", "fields")))

    def attributes_upserted(self, number: int, a: Table) -> None:
        found = payload_map(a, "searchAttributes", "indexedFields")
        # The SDK's own note of the patches that a run has taken is no call of the code's.
        if set(found) - {"TemporalChangeVersion"}:
            self._outcome(facts.SearchAttributesUpserted(search_attributes=found))

    def update_accepted(self, number: int, a: Table) -> None:
        request = table(a, "acceptedRequest")
        meta, asked = table(request, "meta"), table(request, "input")
        update_id = meta.get("updateId") or a.get("protocolInstanceId") or ""
        self._updates[number] = update_id
        self._accepted.append(
            facts.UpdateAccepted(
                update_id=update_id,
                name=asked["name"],
                args=payloads(asked, "args"),
                headers=payload_map(asked, "header", "fields"),
                identity=meta.get("identity") or "",
            )
        )

    def update_completed(self, _: int, a: Table) -> None:
        outcome, meta = table(a, "outcome"), table(a, "meta")
        update_id = meta.get("updateId") or self._updates[int(a["acceptedEventId"])]
        failed = table(outcome, "failure")
        self._outcome(
            facts.UpdateCompleted(
                update_id=update_id,
                result=first_payload(outcome, "success"),
                failure=failure(failed) if failed else None,
            )
        )

    def marker(self, number: int, a: Table) -> None:
        details = table(a, "details")
        match a.get("markerName"):
            case "core_patch":
                data = _json(first_payload(details, "patch-data"))
                patch_id = data.get("id") or _json_value(first_payload(details, "patch_id"))
                deprecated = data.get("deprecated") or _json_value(
                    first_payload(details, "deprecated")
                )
                patched = facts.PatchMarked(patch_id=str(patch_id), deprecated=bool(deprecated))
                self._outcome(patched)
            case "core_local_activity":
                self._local_activity(number, a, details)
            case other:
                raise HistoryFileError(
                    f"Expected markers of patches and local activities, found event {number} with a marker {other!r}: a "
                    "history with it cannot be replayed here"
                )

    def _local_activity(self, number: int, a: Table, details: Table) -> None:
        """It ran within the task: the code asked for it, and went on with its result as in a step of its own."""
        data = _json(first_payload(details, "data"))
        self._activities += 1
        op, given = self._begin(number), str(data.get("activity_id") or "")
        default = given in ("", str(self._activities), str(data.get("seq") or ""))
        self._outcome(
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
        commands = self._commands
        assert commands is not None
        self._activate(commands)
        attempt = int(data.get("attempt") or 1)
        failed = table(a, "failure")
        if failed:
            cause = table(failed, "cause") or failed
            ended: Event = facts.ActivityFailed(
                op=op, attempt=attempt, failure=failure(cause), retry_state=retry_state(failed)
            )
        else:
            result = first_payload(details, "result")
            ended = facts.ActivityCompleted(op=op, attempt=attempt, result=result)
        self._waiting.insert(0, self._record(ended))
        self._taken = 1
        self._commands = []

    # -- ends of the run ----------------------------------------------------------------------------------------

    def completed(self, _: int, a: Table) -> None:
        self._outcome(facts.WorkflowCompleted(result=first_payload(a, "result")))

    def failed(self, _: int, a: Table) -> None:
        self._outcome(
            facts.WorkflowFailed(failure=failure(table(a, "failure")), retry_state=retry_state(a))
        )

    def canceled(self, _: int, a: Table) -> None:
        self._outcome(facts.WorkflowCanceled(details=payloads(a, "details")))

    def continued(self, _: int, a: Table) -> None:
        self._outcome(
            facts.WorkflowContinuedAsNew(
                new_run_id=RunId(a.get("newExecutionRunId") or ""),
                workflow_type=table(a, "workflowType").get("name") or "",
                queue=table(a, "taskQueue").get("name") or "",
                args=payloads(a, "input"),
            )
        )

    # -- inputs -------------------------------------------------------------------------------------------------

    def started(self, a: Table) -> Event:
        self.run_id = a.get("originalExecutionRunId") or a.get("firstExecutionRunId") or ""
        self.workflow_id = a.get("workflowId") or ""
        parent = table(a, "parentWorkflowExecution")
        return facts.WorkflowStarted(
            workflow_type=table(a, "workflowType")["name"],
            queue=table(a, "taskQueue").get("name") or "",
            args=payloads(a, "input"),
            first_run_id=RunId(a.get("firstExecutionRunId") or self.run_id),
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
            headers=payload_map(a, "header", "fields"),
            identity=a.get("identity") or "",
        )

    def signaled(self, a: Table) -> Event:
        return facts.SignalReceived(
            name=a["signalName"],
            args=payloads(a, "input"),
            headers=payload_map(a, "header", "fields"),
            identity=a.get("identity") or "",
        )

    def cancel_requested(self, a: Table) -> Event:
        return facts.CancelRequested(reason=a.get("cause") or "", identity=a.get("identity") or "")

    def timer_fired(self, a: Table) -> Event:
        return facts.TimerFired(op=self._op(a, "startedEventId"))

    def activity_completed(self, a: Table) -> Event:
        op = self._op(a, "scheduledEventId")
        return facts.ActivityCompleted(op=op, attempt=1, result=first_payload(a, "result"))

    def activity_failed(self, a: Table) -> Event:
        return facts.ActivityFailed(
            op=self._op(a, "scheduledEventId"),
            attempt=1,
            failure=failure(table(a, "failure")),
            retry_state=retry_state(a),
        )

    def activity_canceled(self, a: Table) -> Event:
        canceled = Failure(
            kind=FailureKind.CANCELED, message="Cancelled", details=payloads(a, "details")
        )
        op = self._op(a, "scheduledEventId")
        return facts.ActivityCanceled(op=op, attempt=1, failure=canceled)

    def child_started(self, a: Table) -> Event:
        run_id = table(a, "workflowExecution").get("runId") or ""
        return relations.ChildStarted(
            op=self._op(a, "initiatedEventId"), child_run_id=RunId(run_id)
        )

    def child_start_failed(self, a: Table) -> Event:
        return relations.ChildStartFailed(
            op=self._op(a, "initiatedEventId"), refusal=relations.StartRefusal.ALREADY_STARTED
        )

    def child_cancel_delivered(self, a: Table) -> Event | None:
        op = self._op(a, "initiatedEventId")
        is_child = any(
            isinstance(recorded.event, relations.ChildInitiated) and recorded.event.op == op
            for recorded in self.recorded
        )
        if is_child:
            return relations.ChildCancelDelivered(op=op)
        return relations.ExternalAnswered(op=op)

    def external_answered(self, a: Table) -> Event:
        return relations.ExternalAnswered(op=self._op(a, "initiatedEventId"))

    def external_failed(self, a: Table) -> Event:
        missing = Failure(
            kind=FailureKind.APPLICATION,
            message="Unable to reach the external workflow because it was not found",
            type="ExternalWorkflowExecutionNotFound",
        )
        return relations.ExternalAnswered(op=self._op(a, "initiatedEventId"), failure=missing)

    def _child_closed(self, a: Table, status: Status, failed: Failure | None) -> Event:
        return relations.ChildClosed(
            op=self._op(a, "initiatedEventId"),
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

    def child_completed(self, a: Table) -> Event:
        return self._child_closed(a, Status.COMPLETED, None)

    def child_failed(self, a: Table) -> Event:
        return self._child_closed(a, Status.FAILED, failure(table(a, "failure")))

    def child_canceled(self, a: Table) -> Event:
        canceled = Failure(kind=FailureKind.CANCELED, message="Workflow cancelled")
        return self._child_closed(a, Status.CANCELED, canceled)

    def child_timed_out(self, a: Table) -> Event:
        return self._child_closed(
            a, Status.TIMED_OUT, Failure(kind=FailureKind.TIMEOUT, message="Workflow timed out")
        )

    def child_terminated(self, a: Table) -> Event:
        return self._child_closed(
            a, Status.TERMINATED, Failure(kind=FailureKind.TERMINATED, message="Terminated")
        )

    def terminated(self, a: Table) -> Event:
        return facts.WorkflowTerminated(reason=a.get("reason") or "")

    def timed_out(self, _: Table) -> Event:
        return facts.WorkflowTimedOut()


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


_COMMANDS: Mapping[str, Callable[[_Reading, int, Table], None]] = {
    "ActivityTaskScheduled": _Reading.activity_scheduled,
    "ActivityTaskCancelRequested": _Reading.activity_cancel_requested,
    "TimerStarted": _Reading.timer_started,
    "TimerCanceled": _Reading.timer_canceled,
    "StartChildWorkflowExecutionInitiated": _Reading.child_initiated,
    "SignalExternalWorkflowExecutionInitiated": _Reading.signal_sent,
    "RequestCancelExternalWorkflowExecutionInitiated": _Reading.cancel_sent,
    "WorkflowPropertiesModified": _Reading.memo_upserted,
    "UpsertWorkflowSearchAttributes": _Reading.attributes_upserted,
    "WorkflowExecutionUpdateAccepted": _Reading.update_accepted,
    "WorkflowExecutionUpdateCompleted": _Reading.update_completed,
    "MarkerRecorded": _Reading.marker,
    "WorkflowExecutionCompleted": _Reading.completed,
    "WorkflowExecutionFailed": _Reading.failed,
    "WorkflowExecutionCanceled": _Reading.canceled,
    "WorkflowExecutionContinuedAsNew": _Reading.continued,
}
_INPUTS: Mapping[str, Callable[[_Reading, Table], Event | None]] = {
    "WorkflowExecutionStarted": _Reading.started,
    "WorkflowExecutionSignaled": _Reading.signaled,
    "WorkflowExecutionCancelRequested": _Reading.cancel_requested,
    "TimerFired": _Reading.timer_fired,
    "ActivityTaskCompleted": _Reading.activity_completed,
    "ActivityTaskFailed": _Reading.activity_failed,
    "ActivityTaskTimedOut": _Reading.activity_failed,
    "ActivityTaskCanceled": _Reading.activity_canceled,
    "ChildWorkflowExecutionStarted": _Reading.child_started,
    "StartChildWorkflowExecutionFailed": _Reading.child_start_failed,
    "ChildWorkflowExecutionCompleted": _Reading.child_completed,
    "ChildWorkflowExecutionFailed": _Reading.child_failed,
    "ChildWorkflowExecutionCanceled": _Reading.child_canceled,
    "ChildWorkflowExecutionTimedOut": _Reading.child_timed_out,
    "ChildWorkflowExecutionTerminated": _Reading.child_terminated,
    "ExternalWorkflowExecutionSignaled": _Reading.external_answered,
    "ExternalWorkflowExecutionCancelRequested": _Reading.child_cancel_delivered,
    "SignalExternalWorkflowExecutionFailed": _Reading.external_failed,
    "RequestCancelExternalWorkflowExecutionFailed": _Reading.external_failed,
    "WorkflowExecutionTerminated": _Reading.terminated,
    "WorkflowExecutionTimedOut": _Reading.timed_out,
}
