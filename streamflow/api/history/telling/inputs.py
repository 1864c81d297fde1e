"""What a run learns: its start, messages, and what became of what it had asked for."""

from __future__ import annotations

from typing import assert_never

from streamflow.api.common.v1 import WorkflowExecution
from streamflow.api.enums.v1 import ContinueAsNewInitiator, EventType
from streamflow.api.history.telling import children
from streamflow.api.history.telling.ledger import Begun, Ledger, say
from streamflow.api.history.telling.values import (
    fill_duration,
    fill_failure,
    fill_payloads,
    fill_queue,
    fill_result,
    fill_retries,
    fill_table,
    retry_state,
)
from streamflow.model import events as facts
from streamflow.model import relations
from streamflow.model.events import Input, Recorded
from streamflow.model.failure import Failure, FailureKind, TimeoutKind


def tell(ledger: Ledger, recorded: Recorded, event: Input) -> None:
    match event:
        case facts.WorkflowStarted():
            _started(ledger, recorded, event)
        case facts.SignalReceived():
            _signaled(ledger, recorded, event)
        case facts.UpdateAccepted():
            raise AssertionError(event)  # told with its activation
        case facts.CancelRequested():
            told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED, recorded)
            asked = told.workflow_execution_cancel_requested_event_attributes
            asked.cause, asked.identity = event.reason, event.identity
        case facts.TimerFired():
            begun = ledger.begun.pop(event.op)
            told = ledger.tell(EventType.EVENT_TYPE_TIMER_FIRED, recorded)
            fired = told.timer_fired_event_attributes
            fired.timer_id, fired.started_event_id = begun.name, begun.event_id
        case facts.ActivityCompleted():
            _activity_completed(ledger, recorded, event)
        case facts.ActivityFailed():
            _activity_failed(ledger, recorded, event)
        case facts.ActivityCanceled():
            _activity_canceled(ledger, recorded, event)
        case (
            relations.ChildStarted()
            | relations.ChildStartFailed()
            | relations.ChildCancelDelivered()
            | relations.ChildClosed()
            | relations.ExternalAnswered()
        ):
            children.tell(ledger, recorded, event)
        case _:
            assert_never(event)


# -- the run itself -----------------------------------------------------------------------------------------------


def _started(ledger: Ledger, recorded: Recorded, event: facts.WorkflowStarted) -> None:
    ledger.queue, ledger.task_timeout_ms = event.queue, event.task_timeout_ms or 0
    told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, recorded)
    say(told, event.static_summary, event.static_details)
    a = told.workflow_execution_started_event_attributes
    a.workflow_id, a.identity, a.attempt = ledger.workflow_id, event.identity, event.attempt
    a.workflow_type.name, a.cron_schedule = event.workflow_type, event.cron_schedule
    a.original_execution_run_id = event.original_run_id or ledger.run_id
    a.first_execution_run_id = event.first_run_id
    fill_queue(a.task_queue, event.queue)
    fill_payloads(a.input, event.args)
    fill_duration(a.workflow_execution_timeout, event.execution_timeout_ms)
    fill_duration(a.workflow_run_timeout, event.run_timeout_ms)
    fill_duration(a.workflow_task_timeout, event.task_timeout_ms)
    fill_retries(a.retry_policy, event.retry_policy)
    if event.execution_deadline_ms is not None:
        a.workflow_execution_expiration_time.FromMilliseconds(event.execution_deadline_ms)
    if event.not_before_ms > recorded.time_ms:
        fill_duration(a.first_workflow_task_backoff, event.not_before_ms - recorded.time_ms)
    fill_table(a.memo.fields, event.memo)
    fill_table(a.search_attributes.indexed_fields, event.search_attributes)
    fill_table(a.header.fields, event.headers)
    fill_payloads(a.last_completion_result, event.last_result)
    fill_failure(a.continued_failure, event.last_failure)
    if event.priority:
        a.priority.priority_key = event.priority
    if event.fairness_key:
        a.priority.fairness_key = event.fairness_key
        a.priority.fairness_weight = event.fairness_weight
    if event.continued_from is not None:
        a.continued_execution_run_id, a.initiator = event.continued_from, _initiator(event)
    _descent(ledger, a.parent_workflow_execution, a.root_workflow_execution, event)
    if event.parent is not None:
        a.parent_workflow_namespace = event.parent.namespace


def _initiator(event: facts.WorkflowStarted) -> ContinueAsNewInitiator:
    if event.attempt > 1:
        return ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY
    if event.cron_schedule:
        return ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
    return ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW


def _descent(
    ledger: Ledger,
    parent: WorkflowExecution,
    root: WorkflowExecution,
    event: facts.WorkflowStarted,
) -> None:
    found = event.parent
    if found is None:
        root.workflow_id, root.run_id = ledger.workflow_id, event.first_run_id
        return
    parent.workflow_id, parent.run_id = found.workflow_id, found.run_id
    root.workflow_id = found.root_workflow_id or found.workflow_id
    root.run_id = found.root_run_id or found.run_id


def _signaled(ledger: Ledger, recorded: Recorded, event: facts.SignalReceived) -> None:
    told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, recorded)
    a = told.workflow_execution_signaled_event_attributes
    a.signal_name, a.identity = event.name, event.identity
    fill_payloads(a.input, event.args)
    fill_table(a.header.fields, event.headers)


def update_accepted(
    ledger: Ledger, recorded: Recorded, event: facts.UpdateAccepted, sequencing_id: int
) -> None:
    told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, recorded)
    a = told.workflow_execution_update_accepted_event_attributes
    a.protocol_instance_id = event.update_id
    a.accepted_request_message_id = f"{event.update_id}/request"
    a.accepted_request_sequencing_event_id = sequencing_id
    request = a.accepted_request
    request.meta.update_id, request.meta.identity = event.update_id, event.identity
    request.input.name = event.name
    fill_payloads(request.input.args, event.args)
    fill_table(request.input.header.fields, event.headers)
    ledger.accepted[event.update_id] = told.event_id


# -- activities ---------------------------------------------------------------------------------------------------


def _activity_started(
    ledger: Ledger, recorded: Recorded, begun: Begun, attempt: int, identity: str
) -> int:
    """Our history does not say when the last attempt began: the event has the time of its end."""
    told = ledger.add(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED, recorded.time_ms)
    a = told.activity_task_started_event_attributes
    a.scheduled_event_id, a.attempt, a.identity = begun.event_id, attempt, identity
    return told.event_id


def _activity_completed(ledger: Ledger, recorded: Recorded, event: facts.ActivityCompleted) -> None:
    begun = ledger.begun.pop(event.op)
    started_id = _activity_started(ledger, recorded, begun, event.attempt, event.identity)
    told = ledger.tell(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, recorded)
    a = told.activity_task_completed_event_attributes
    a.scheduled_event_id, a.started_event_id = begun.event_id, started_id
    a.identity = event.identity
    fill_result(a.result, event.result)


def _activity_failed(ledger: Ledger, recorded: Recorded, event: facts.ActivityFailed) -> None:
    begun = ledger.begun.pop(event.op)
    started_id = 0
    if _was_started(event.failure):
        started_id = _activity_started(ledger, recorded, begun, event.attempt, event.identity)
    if event.failure.kind is FailureKind.TIMEOUT:
        told = ledger.tell(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, recorded)
        late = told.activity_task_timed_out_event_attributes
        late.scheduled_event_id, late.started_event_id = begun.event_id, started_id
        late.retry_state = retry_state(event.retry_state)
        fill_failure(late.failure, event.failure)
        return
    told = ledger.tell(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, recorded)
    failed = told.activity_task_failed_event_attributes
    failed.scheduled_event_id, failed.started_event_id = begun.event_id, started_id
    failed.retry_state, failed.identity = retry_state(event.retry_state), event.identity
    fill_failure(failed.failure, event.failure)


def _was_started(failure: Failure) -> bool:
    return failure.timeout_kind is not TimeoutKind.SCHEDULE_TO_START


def _activity_canceled(ledger: Ledger, recorded: Recorded, event: facts.ActivityCanceled) -> None:
    begun = ledger.begun.pop(event.op)
    started_id = 0
    if event.identity:  # else it was cancelled before any worker had it
        started_id = _activity_started(ledger, recorded, begun, event.attempt, event.identity)
    told = ledger.tell(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED, recorded)
    a = told.activity_task_canceled_event_attributes
    a.scheduled_event_id, a.started_event_id = begun.event_id, started_id
    a.latest_cancel_requested_event_id, a.identity = begun.cancel_id, event.identity
    fill_payloads(a.details, event.failure.details)
