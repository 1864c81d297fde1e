"""How a run ended."""

from __future__ import annotations

from typing import assert_never

from streamflow.api.enums.v1 import (
    ContinueAsNewInitiator,
    ContinueAsNewVersioningBehavior,
    EventType,
)
from streamflow.api.history.telling.ledger import Ledger
from streamflow.api.history.telling.values import (
    fill_duration,
    fill_failure,
    fill_payloads,
    fill_queue,
    fill_result,
    fill_table,
    retry_state,
)
from streamflow.model import events as facts
from streamflow.model.events import Closed, Recorded

CLOSINGS = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    }
)
"""Types of the events that end a run."""


def tell(ledger: Ledger, recorded: Recorded, event: Closed) -> None:
    match event:
        case facts.WorkflowCompleted():
            told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, recorded)
            completed = told.workflow_execution_completed_event_attributes
            completed.workflow_task_completed_event_id = ledger.completed_id
            completed.new_execution_run_id = event.new_run_id or ""
            fill_result(completed.result, event.result)
        case facts.WorkflowFailed():
            told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, recorded)
            failed = told.workflow_execution_failed_event_attributes
            failed.workflow_task_completed_event_id = ledger.completed_id
            failed.retry_state = retry_state(event.retry_state)
            failed.new_execution_run_id = event.new_run_id or ""
            fill_failure(failed.failure, event.failure)
        case facts.WorkflowCanceled():
            told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, recorded)
            canceled = told.workflow_execution_canceled_event_attributes
            canceled.workflow_task_completed_event_id = ledger.completed_id
            fill_payloads(canceled.details, event.details)
        case facts.WorkflowContinuedAsNew():
            _continued(ledger, recorded, event)
        case facts.WorkflowTerminated():
            told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, recorded)
            ended = told.workflow_execution_terminated_event_attributes
            ended.reason, ended.identity = event.reason, event.identity
            fill_payloads(ended.details, event.details)
        case facts.WorkflowTimedOut():
            told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, recorded)
            late = told.workflow_execution_timed_out_event_attributes
            late.retry_state = retry_state(event.retry_state)
            late.new_execution_run_id = event.new_run_id or ""
        case _:
            assert_never(event)


def _continued(ledger: Ledger, recorded: Recorded, event: facts.WorkflowContinuedAsNew) -> None:
    told = ledger.tell(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, recorded)
    a = told.workflow_execution_continued_as_new_event_attributes
    a.new_execution_run_id, a.workflow_type.name = event.new_run_id, event.workflow_type
    a.workflow_task_completed_event_id = ledger.completed_id
    a.initiator = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW
    fill_queue(a.task_queue, event.queue)
    fill_payloads(a.input, event.args)
    fill_duration(a.workflow_run_timeout, event.run_timeout_ms)
    fill_duration(a.workflow_task_timeout, event.task_timeout_ms)
    fill_table(a.header.fields, event.headers)
    fill_table(a.memo.fields, event.memo or {})
    fill_table(a.search_attributes.indexed_fields, event.search_attributes or {})
    if event.backoff_ms:
        fill_duration(a.backoff_start_interval, event.backoff_ms)
    if event.versioning:
        a.initial_versioning_behavior = ContinueAsNewVersioningBehavior[
            f"CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_{event.versioning.upper()}"
        ]
