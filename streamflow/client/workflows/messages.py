"""What `describe` and lists know, in the shape of a server's messages: for programs that look into `raw_description`."""

from __future__ import annotations

from datetime import timedelta

from streamflow.api.enums.v1 import (
    ParentClosePolicy,
    PendingActivityState,
    PendingWorkflowTaskState,
    TaskQueueKind,
    WorkflowExecutionStatus,
)
from streamflow.api.failure.stored import opened
from streamflow.api.times import Timestamp
from streamflow.api.workflow.v1 import (
    PendingActivityInfo,
    PendingChildExecutionInfo,
    WorkflowExecutionInfo,
)
from streamflow.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from streamflow.converter import DataConverter
from streamflow.model.answers import Description, PendingActivity, PendingChild, Trouble

_STATE_PREFIX = "PENDING_ACTIVITY_STATE_"


def info_of(facts: Description) -> WorkflowExecutionInfo:
    """The run as a list shows it."""
    made = WorkflowExecutionInfo(
        status=int(WorkflowExecutionStatus[f"WORKFLOW_EXECUTION_STATUS_{facts.status.name}"]),
        history_length=facts.history_length,
        history_size_bytes=facts.history_bytes,
        task_queue=facts.queue,
        first_run_id=facts.first_run_id,
    )
    made.execution.workflow_id, made.execution.run_id = facts.workflow_id, facts.run_id
    made.type.name = facts.workflow_type
    _at(made.start_time, facts.started_ms)
    _at(made.execution_time, facts.execution_ms or facts.started_ms)
    _at(made.close_time, facts.closed_ms)
    if facts.closed_ms:
        lasted_ms = facts.closed_ms - (facts.execution_ms or facts.started_ms)
        made.execution_duration.FromTimedelta(timedelta(milliseconds=lasted_ms))
    if facts.parent_workflow_id:
        made.parent_execution.workflow_id = facts.parent_workflow_id
        made.parent_execution.run_id = facts.parent_run_id
    made.root_execution.workflow_id = facts.root_workflow_id or facts.workflow_id
    made.root_execution.run_id = facts.root_run_id or facts.run_id
    made.memo.fields.update(facts.memo)
    made.search_attributes.indexed_fields.update(facts.search_attributes)
    return made


def description_of(
    facts: Description, converter: DataConverter
) -> DescribeWorkflowExecutionResponse:
    """The run with what it waits for. Local activities are left out: no server knows of them."""
    made = DescribeWorkflowExecutionResponse(
        workflow_execution_info=info_of(facts),
        pending_activities=[_activity(each) for each in facts.pending_activities if not each.local],
        pending_children=[_child(each) for each in facts.pending_children],
    )
    config = made.execution_config
    config.task_queue.name = facts.queue
    config.task_queue.kind = int(TaskQueueKind.TASK_QUEUE_KIND_NORMAL)
    encode = converter.payload_converter.to_payload
    if facts.static_summary:
        config.user_metadata.summary.CopyFrom(encode(facts.static_summary))
    if facts.static_details:
        config.user_metadata.details.CopyFrom(encode(facts.static_details))
    made.workflow_extended_info.cancel_requested = facts.cancel_requested
    if facts.trouble is not None:
        _step_to_make(made, facts.trouble)
    return made


def _step_to_make(made: DescribeWorkflowExecutionResponse, trouble: Trouble) -> None:
    task = made.pending_workflow_task
    task.state = int(PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED)
    task.attempt = trouble.count + 1
    _at(task.original_scheduled_time, trouble.since_ms)
    _at(task.scheduled_time, trouble.next_try_ms)


def _activity(facts: PendingActivity) -> PendingActivityInfo:
    # What is not begun is scheduled, wherever its task is.
    states = PendingActivityState.__members__
    state = states.get(_STATE_PREFIX + facts.state.upper())
    made = PendingActivityInfo(
        activity_id=facts.activity_id,
        state=int(state or PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED),
        attempt=facts.attempt,
        maximum_attempts=facts.maximum_attempts,
        last_worker_identity=facts.last_identity,
        paused=facts.paused,
    )
    made.activity_type.name = facts.activity_type
    made.heartbeat_details.payloads.extend(facts.heartbeat_details)
    _at(made.scheduled_time, facts.scheduled_ms)
    _at(made.last_started_time, facts.last_started_ms)
    _at(made.last_heartbeat_time, facts.last_heartbeat_ms)
    _at(made.next_attempt_schedule_time, facts.next_retry_ms)
    _at(made.expiration_time, facts.expires_ms)
    if facts.last_failure is not None:
        made.last_failure.CopyFrom(opened(facts.last_failure))
    return made


def _child(facts: PendingChild) -> PendingChildExecutionInfo:
    policy = ParentClosePolicy[f"PARENT_CLOSE_POLICY_{facts.parent_close_policy.upper()}"]
    return PendingChildExecutionInfo(
        workflow_id=facts.workflow_id,
        run_id=facts.run_id,
        workflow_type_name=facts.workflow_type,
        parent_close_policy=int(policy),
    )


def _at(stamp: Timestamp, milliseconds: int) -> None:
    """0 is never."""
    if milliseconds:
        stamp.FromMilliseconds(milliseconds)
