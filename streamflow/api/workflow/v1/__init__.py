"""What is said of runs, in the shape that programs look into. Other names are as in `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.common.v1 import (
    ActivityType,
    Header,
    Memo,
    Payloads,
    Priority,
    RetryPolicy,
    SearchAttributes,
    WorkflowExecution,
    WorkflowType,
)
from streamflow.api.enums.v1 import WorkflowIdReusePolicy
from streamflow.api.failure.v1 import Failure
from streamflow.api.files import also_in
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice
from streamflow.api.sdk.v1 import UserMetadata
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.times import Duration, Timestamp

__all__ = [
    "NewWorkflowExecutionInfo",
    "PendingActivityInfo",
    "PendingChildExecutionInfo",
    "PendingWorkflowTaskInfo",
    "WorkflowExecutionConfig",
    "WorkflowExecutionExtendedInfo",
    "WorkflowExecutionInfo",
]

__getattr__ = absent_messages(__name__)


class WorkflowExecutionInfo(Message):
    """A run as lists show it."""

    execution = child(1, WorkflowExecution)
    type = child(2, WorkflowType)
    start_time = child(3, Timestamp)
    close_time = child(4, Timestamp)
    status = field(5, 0)
    history_length = field(6, 0)
    parent_namespace_id = field(7, "")
    parent_execution = child(8, WorkflowExecution)
    execution_time = child(9, Timestamp)
    memo = child(10, Memo)
    search_attributes = child(11, SearchAttributes)
    task_queue = field(13, "")
    history_size_bytes = field(15, 0)
    execution_duration = child(17, Duration)
    root_execution = child(18, WorkflowExecution)
    first_run_id = field(21, "")


class PendingActivityInfo(Message):
    """An activity that has no end yet."""

    activity_id = field(1, "")
    activity_type = child(2, ActivityType)
    state = field(3, 0)
    heartbeat_details = child(4, Payloads)
    last_heartbeat_time = child(5, Timestamp)
    last_started_time = child(6, Timestamp)
    attempt = field(7, 0)
    maximum_attempts = field(8, 0)
    scheduled_time = child(9, Timestamp)
    expiration_time = child(10, Timestamp)
    last_failure = child(11, Failure)
    last_worker_identity = field(12, "")
    next_attempt_schedule_time = child(18, Timestamp)
    paused = field(19, False)


class PendingChildExecutionInfo(Message):
    """A child workflow that has not ended."""

    workflow_id = field(1, "")
    run_id = field(2, "")
    workflow_type_name = field(3, "")
    initiated_id = field(4, 0)
    parent_close_policy = field(5, 0)


class PendingWorkflowTaskInfo(Message):
    """The step that a run whose code failed is to make again."""

    state = field(1, 0)
    scheduled_time = child(2, Timestamp)
    original_scheduled_time = child(3, Timestamp)
    started_time = child(4, Timestamp)
    attempt = field(5, 0)


class WorkflowExecutionConfig(Message):
    """What the run was started with."""

    task_queue = child(1, TaskQueue)
    user_metadata = child(5, UserMetadata)


class WorkflowExecutionExtendedInfo(Message):
    cancel_requested = field(3, False)


class NewWorkflowExecutionInfo(Message):
    """A workflow that is to be started, by a schedule."""

    workflow_id = field(1, "")
    workflow_type = child(2, WorkflowType)
    task_queue = child(3, TaskQueue)
    input = child(4, Payloads)
    workflow_execution_timeout = child(5, Duration)
    workflow_run_timeout = child(6, Duration)
    workflow_task_timeout = child(7, Duration)
    workflow_id_reuse_policy = choice(8, WorkflowIdReusePolicy)
    retry_policy = child(9, RetryPolicy)
    cron_schedule = field(10, "")
    memo = child(11, Memo)
    search_attributes = child(12, SearchAttributes)
    header = child(13, Header)
    user_metadata = child(14, UserMetadata)
    priority = child(16, Priority)


also_in(__name__, "message_pb2")
