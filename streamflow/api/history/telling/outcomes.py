"""What the code asked for: the commands of a task."""

from __future__ import annotations

from typing import assert_never

from streamflow.api.enums.v1 import EventType, ParentClosePolicy, WorkflowIdReusePolicy
from streamflow.api.history.telling import closing
from streamflow.api.history.telling.children import name_target
from streamflow.api.history.telling.ledger import Beginning, Begun, Ledger, say
from streamflow.api.history.telling.values import (
    fill_duration,
    fill_failure,
    fill_payloads,
    fill_queue,
    fill_result,
    fill_retries,
    fill_table,
    json_payload,
)
from streamflow.api.history.v1 import HistoryEvent
from streamflow.model import events as facts
from streamflow.model import relations
from streamflow.model.events import Outcome, Recorded
from streamflow.model.ids import Op


def tell(ledger: Ledger, recorded: Recorded, event: Outcome) -> None:
    match event:
        case facts.ActivityScheduled():
            _activity_scheduled(ledger, recorded, event)
        case facts.ActivityCancelRequested():
            _activity_cancel_requested(ledger, recorded, event)
        case facts.TimerStarted():
            told = ledger.tell(EventType.EVENT_TYPE_TIMER_STARTED, recorded)
            say(told, event.summary)
            begun = _begin(ledger, told, event.op, event)
            begun.name = ledger.next_timer()
            timer = told.timer_started_event_attributes
            timer.timer_id = begun.name
            timer.workflow_task_completed_event_id = ledger.completed_id
            fill_duration(timer.start_to_fire_timeout, event.duration_ms)
        case facts.TimerCanceled():
            begun = ledger.begun.pop(event.op)
            told = ledger.tell(EventType.EVENT_TYPE_TIMER_CANCELED, recorded)
            stopped = told.timer_canceled_event_attributes
            stopped.timer_id, stopped.started_event_id = begun.name, begun.event_id
            stopped.workflow_task_completed_event_id = ledger.completed_id
        case facts.UpdateCompleted():
            _update_completed(ledger, recorded, event)
        case facts.PatchMarked():
            _patch_marked(ledger, recorded, event)
        case facts.MemoUpserted():
            told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED, recorded)
            memo = told.workflow_properties_modified_event_attributes
            memo.workflow_task_completed_event_id = ledger.completed_id
            fill_table(memo.upserted_memo.fields, event.memo, event.removed)
        case facts.SearchAttributesUpserted():
            told = ledger.tell(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, recorded)
            found = told.upsert_workflow_search_attributes_event_attributes
            found.workflow_task_completed_event_id = ledger.completed_id
            fields = found.search_attributes.indexed_fields
            fill_table(fields, event.search_attributes, event.removed)
        case relations.ChildInitiated():
            _child_initiated(ledger, recorded, event)
        case relations.ChildCancelRequested():
            _child_cancel_requested(ledger, recorded, event)
        case relations.ExternalSignalSent():
            _signal_sent(ledger, recorded, event)
        case relations.ExternalCancelSent():
            told = ledger.tell(_CANCEL, recorded)
            _begin(ledger, told, event.op, event)
            asked = told.request_cancel_external_workflow_execution_initiated_event_attributes
            asked.namespace, asked.reason = ledger.namespace, event.reason
            asked.workflow_task_completed_event_id = ledger.completed_id
            name_target(asked.workflow_execution, event.target)
        case (
            facts.WorkflowCompleted()
            | facts.WorkflowFailed()
            | facts.WorkflowCanceled()
            | facts.WorkflowContinuedAsNew()
        ):
            closing.tell(ledger, recorded, event)
        case _:
            assert_never(event)


_CANCEL = EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED


def _begin(ledger: Ledger, told: HistoryEvent, op: Op, fact: Beginning) -> Begun:
    begun = ledger.begun[op] = Begun(fact, told.event_id)
    return begun


# -- activities ---------------------------------------------------------------------------------------------------


def _activity_scheduled(ledger: Ledger, recorded: Recorded, event: facts.ActivityScheduled) -> None:
    told = ledger.tell(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, recorded)
    say(told, event.summary)
    begun = _begin(ledger, told, event.op, event)
    begun.name = event.activity_id
    ledger.next_activity()
    a = told.activity_task_scheduled_event_attributes
    a.activity_id, a.activity_type.name = event.activity_id, event.activity_type
    a.workflow_task_completed_event_id = ledger.completed_id
    fill_queue(a.task_queue, event.queue)
    fill_payloads(a.input, event.args)
    fill_table(a.header.fields, event.headers)
    limits = event.timeouts
    fill_duration(a.schedule_to_close_timeout, limits.schedule_to_close_ms)
    fill_duration(a.schedule_to_start_timeout, limits.schedule_to_start_ms)
    fill_duration(a.start_to_close_timeout, limits.start_to_close_ms)
    fill_duration(a.heartbeat_timeout, limits.heartbeat_ms)
    fill_retries(a.retry_policy, event.retry_policy)
    if event.priority:
        a.priority.priority_key = event.priority
    if event.fairness_key:
        a.priority.fairness_key = event.fairness_key
        a.priority.fairness_weight = event.fairness_weight


def _activity_cancel_requested(
    ledger: Ledger, recorded: Recorded, event: facts.ActivityCancelRequested
) -> None:
    begun = ledger.begun.get(event.op)
    if begun is None:  # a local activity: nothing has told of it
        ledger.leave_unsaid(recorded)
        return
    told = ledger.tell(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, recorded)
    begun.cancel_id = told.event_id
    a = told.activity_task_cancel_requested_event_attributes
    a.scheduled_event_id = begun.event_id
    a.workflow_task_completed_event_id = ledger.completed_id


def local_ended(
    ledger: Ledger,
    recorded: Recorded,
    event: facts.ActivityCompleted | facts.ActivityFailed | facts.ActivityCanceled,
    scheduled: facts.ActivityScheduled,
    number: int,
) -> None:
    """A marker says that it ran, and how it ended."""
    told = ledger.tell(EventType.EVENT_TYPE_MARKER_RECORDED, recorded)
    a = told.marker_recorded_event_attributes
    a.marker_name = "core_local_activity"
    a.workflow_task_completed_event_id = ledger.completed_id
    ended = {"seconds": recorded.time_ms // 1_000, "nanos": recorded.time_ms % 1_000 * 1_000_000}
    data = {
        "seq": number,
        "attempt": event.attempt,
        "activity_id": scheduled.activity_id,
        "activity_type": scheduled.activity_type,
        "complete_time": ended,
        "backoff": None,
        "original_schedule_time": ended,
    }
    a.details["data"].payloads.append(json_payload(data))
    if isinstance(event, facts.ActivityCompleted):
        fill_result(a.details["result"], event.result)
        return
    fill_failure(a.failure, event.failure)


# -- messages and notes -------------------------------------------------------------------------------------------


def _update_completed(ledger: Ledger, recorded: Recorded, event: facts.UpdateCompleted) -> None:
    told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, recorded)
    a = told.workflow_execution_update_completed_event_attributes
    a.meta.update_id = event.update_id
    a.accepted_event_id = ledger.accepted.pop(event.update_id, 0)
    if event.failure is not None:
        fill_failure(a.outcome.failure, event.failure)
    else:
        a.outcome.success.SetInParent()
        fill_result(a.outcome.success, event.result)


def _patch_marked(ledger: Ledger, recorded: Recorded, event: facts.PatchMarked) -> None:
    told = ledger.tell(EventType.EVENT_TYPE_MARKER_RECORDED, recorded)
    a = told.marker_recorded_event_attributes
    a.marker_name = "core_patch"
    a.workflow_task_completed_event_id = ledger.completed_id
    data = {"id": event.patch_id, "deprecated": event.deprecated}
    a.details["patch-data"].payloads.append(json_payload(data))


# -- other workflows ----------------------------------------------------------------------------------------------


def _child_initiated(ledger: Ledger, recorded: Recorded, event: relations.ChildInitiated) -> None:
    told = ledger.tell(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, recorded)
    options = event.options
    say(told, options.static_summary, options.static_details)
    _begin(ledger, told, event.op, event)
    a = told.start_child_workflow_execution_initiated_event_attributes
    a.namespace, a.workflow_id = ledger.namespace, event.child_workflow_id
    a.workflow_type.name, a.cron_schedule = event.workflow_type, options.cron_schedule
    a.workflow_task_completed_event_id = ledger.completed_id
    fill_queue(a.task_queue, event.queue)
    fill_payloads(a.input, event.args)
    fill_duration(a.workflow_execution_timeout, options.execution_timeout_ms)
    fill_duration(a.workflow_run_timeout, options.run_timeout_ms)
    fill_duration(a.workflow_task_timeout, options.task_timeout_ms)
    a.parent_close_policy = ParentClosePolicy[
        f"PARENT_CLOSE_POLICY_{options.parent_close_policy.name}"
    ]
    a.workflow_id_reuse_policy = WorkflowIdReusePolicy[
        f"WORKFLOW_ID_REUSE_POLICY_{options.id_reuse_policy.name}"
    ]
    fill_retries(a.retry_policy, options.retry_policy)
    fill_table(a.header.fields, event.headers)
    fill_table(a.memo.fields, options.memo)
    fill_table(a.search_attributes.indexed_fields, options.search_attributes)
    if options.priority:
        a.priority.priority_key = options.priority
    if options.fairness_key:
        a.priority.fairness_key = options.fairness_key
        a.priority.fairness_weight = options.fairness_weight


def _child_cancel_requested(
    ledger: Ledger, recorded: Recorded, event: relations.ChildCancelRequested
) -> None:
    told = ledger.tell(_CANCEL, recorded)
    a = told.request_cancel_external_workflow_execution_initiated_event_attributes
    a.namespace, a.reason, a.child_workflow_only = ledger.namespace, event.reason, True
    a.workflow_task_completed_event_id = ledger.completed_id
    begun = ledger.begun.get(event.op)
    if begun is not None and isinstance(begun.fact, relations.ChildInitiated):
        begun.cancel_id = told.event_id
        a.workflow_execution.workflow_id = begun.fact.child_workflow_id
        a.workflow_execution.run_id = begun.run_id


def _signal_sent(ledger: Ledger, recorded: Recorded, event: relations.ExternalSignalSent) -> None:
    told = ledger.tell(EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, recorded)
    _begin(ledger, told, event.op, event)
    a = told.signal_external_workflow_execution_initiated_event_attributes
    a.namespace, a.signal_name = ledger.namespace, event.signal_name
    a.child_workflow_only = event.target.child_op is not None
    a.workflow_task_completed_event_id = ledger.completed_id
    name_target(a.workflow_execution, event.target)
    fill_payloads(a.input, event.args)
    fill_table(a.header.fields, event.headers)
