"""Messages that start runs, speak to them and end them."""

from __future__ import annotations

from streamflow.api.common.v1 import (
    Header,
    Memo,
    Payloads,
    Priority,
    RetryPolicy,
    SearchAttributes,
    WorkflowExecution,
    WorkflowType,
)
from streamflow.api.enums.v1 import (
    WorkflowExecutionStatus,
    WorkflowIdConflictPolicy,
    WorkflowIdReusePolicy,
)
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice
from streamflow.api.sdk.v1 import UserMetadata
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.times import Duration


class StartWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    workflow_id = field(2, "")
    workflow_type = child(3, WorkflowType)
    task_queue = child(4, TaskQueue)
    input = child(5, Payloads)
    workflow_execution_timeout = child(6, Duration)
    workflow_run_timeout = child(7, Duration)
    workflow_task_timeout = child(8, Duration)
    identity = field(9, "")
    request_id = field(10, "")
    workflow_id_reuse_policy = choice(11, WorkflowIdReusePolicy)
    retry_policy = child(12, RetryPolicy)
    cron_schedule = field(13, "")
    memo = child(14, Memo)
    search_attributes = child(15, SearchAttributes)
    header = child(16, Header)
    request_eager_execution = field(17, False)
    workflow_start_delay = child(20, Duration)
    workflow_id_conflict_policy = choice(22, WorkflowIdConflictPolicy)
    user_metadata = child(23, UserMetadata)
    priority = child(27, Priority)


class StartWorkflowExecutionResponse(Message):
    run_id = field(1, "")
    started = field(3, False)
    status = choice(5, WorkflowExecutionStatus)
    first_execution_run_id = field(6, "")


class SignalWithStartWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    workflow_id = field(2, "")
    workflow_type = child(3, WorkflowType)
    task_queue = child(4, TaskQueue)
    input = child(5, Payloads)
    workflow_execution_timeout = child(6, Duration)
    workflow_run_timeout = child(7, Duration)
    workflow_task_timeout = child(8, Duration)
    identity = field(9, "")
    request_id = field(10, "")
    workflow_id_reuse_policy = choice(11, WorkflowIdReusePolicy)
    signal_name = field(12, "")
    signal_input = child(13, Payloads)
    control = field(14, "")
    retry_policy = child(15, RetryPolicy)
    cron_schedule = field(16, "")
    memo = child(17, Memo)
    search_attributes = child(18, SearchAttributes)
    header = child(19, Header)
    workflow_start_delay = child(20, Duration)
    workflow_id_conflict_policy = choice(22, WorkflowIdConflictPolicy)
    user_metadata = child(23, UserMetadata)
    priority = child(26, Priority)


class SignalWithStartWorkflowExecutionResponse(Message):
    run_id = field(1, "")
    started = field(2, False)
    first_execution_run_id = field(4, "")


class SignalWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    workflow_execution = child(2, WorkflowExecution)
    signal_name = field(3, "")
    input = child(4, Payloads)
    identity = field(5, "")
    request_id = field(6, "")
    control = field(7, "")
    header = child(8, Header)


class SignalWorkflowExecutionResponse(Message):
    """Nothing."""


class RequestCancelWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    workflow_execution = child(2, WorkflowExecution)
    identity = field(3, "")
    request_id = field(4, "")
    first_execution_run_id = field(5, "")
    reason = field(6, "")


class RequestCancelWorkflowExecutionResponse(Message):
    """Nothing."""


class TerminateWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    workflow_execution = child(2, WorkflowExecution)
    reason = field(3, "")
    details = child(4, Payloads)
    identity = field(5, "")
    first_execution_run_id = field(6, "")


class TerminateWorkflowExecutionResponse(Message):
    """Nothing."""
