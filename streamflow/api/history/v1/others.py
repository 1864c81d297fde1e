"""Child workflows, and messages to other workflows."""

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
    CancelExternalWorkflowExecutionFailedCause,
    ParentClosePolicy,
    RetryState,
    SignalExternalWorkflowExecutionFailedCause,
    StartChildWorkflowExecutionFailedCause,
    WorkflowIdReusePolicy,
)
from streamflow.api.failure.v1 import Failure
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice, long
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.times import Duration


class RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(Message):
    workflow_task_completed_event_id = long(1)
    namespace = field(2, "")
    workflow_execution = child(3, WorkflowExecution)
    control = field(4, "")
    child_workflow_only = field(5, False)
    reason = field(6, "")
    namespace_id = field(7, "")


class RequestCancelExternalWorkflowExecutionFailedEventAttributes(Message):
    cause = choice(1, CancelExternalWorkflowExecutionFailedCause)
    workflow_task_completed_event_id = long(2)
    namespace = field(3, "")
    workflow_execution = child(4, WorkflowExecution)
    initiated_event_id = long(5)
    control = field(6, "")
    namespace_id = field(7, "")


class ExternalWorkflowExecutionCancelRequestedEventAttributes(Message):
    initiated_event_id = long(1)
    namespace = field(2, "")
    workflow_execution = child(3, WorkflowExecution)
    namespace_id = field(4, "")


class SignalExternalWorkflowExecutionInitiatedEventAttributes(Message):
    workflow_task_completed_event_id = long(1)
    namespace = field(2, "")
    workflow_execution = child(3, WorkflowExecution)
    signal_name = field(4, "")
    input = child(5, Payloads)
    control = field(6, "")
    child_workflow_only = field(7, False)
    header = child(8, Header)
    namespace_id = field(9, "")


class SignalExternalWorkflowExecutionFailedEventAttributes(Message):
    cause = choice(1, SignalExternalWorkflowExecutionFailedCause)
    workflow_task_completed_event_id = long(2)
    namespace = field(3, "")
    workflow_execution = child(4, WorkflowExecution)
    initiated_event_id = long(5)
    control = field(6, "")
    namespace_id = field(7, "")


class ExternalWorkflowExecutionSignaledEventAttributes(Message):
    initiated_event_id = long(1)
    namespace = field(2, "")
    workflow_execution = child(3, WorkflowExecution)
    control = field(4, "")
    namespace_id = field(5, "")


class StartChildWorkflowExecutionInitiatedEventAttributes(Message):
    namespace = field(1, "")
    workflow_id = field(2, "")
    workflow_type = child(3, WorkflowType)
    task_queue = child(4, TaskQueue)
    input = child(5, Payloads)
    workflow_execution_timeout = child(6, Duration)
    workflow_run_timeout = child(7, Duration)
    workflow_task_timeout = child(8, Duration)
    parent_close_policy = choice(9, ParentClosePolicy)
    control = field(10, "")
    workflow_task_completed_event_id = long(11)
    workflow_id_reuse_policy = choice(12, WorkflowIdReusePolicy)
    retry_policy = child(13, RetryPolicy)
    cron_schedule = field(14, "")
    header = child(15, Header)
    memo = child(16, Memo)
    search_attributes = child(17, SearchAttributes)
    namespace_id = field(18, "")
    inherit_build_id = field(19, False)
    priority = child(20, Priority)


class StartChildWorkflowExecutionFailedEventAttributes(Message):
    namespace = field(1, "")
    workflow_id = field(2, "")
    workflow_type = child(3, WorkflowType)
    cause = choice(4, StartChildWorkflowExecutionFailedCause)
    control = field(5, "")
    initiated_event_id = long(6)
    workflow_task_completed_event_id = long(7)
    namespace_id = field(8, "")


class ChildWorkflowExecutionStartedEventAttributes(Message):
    namespace = field(1, "")
    initiated_event_id = long(2)
    workflow_execution = child(3, WorkflowExecution)
    workflow_type = child(4, WorkflowType)
    header = child(5, Header)
    namespace_id = field(6, "")


class ChildWorkflowExecutionCompletedEventAttributes(Message):
    result = child(1, Payloads)
    namespace = field(2, "")
    workflow_execution = child(3, WorkflowExecution)
    workflow_type = child(4, WorkflowType)
    initiated_event_id = long(5)
    started_event_id = long(6)
    namespace_id = field(7, "")


class ChildWorkflowExecutionFailedEventAttributes(Message):
    failure = child(1, Failure)
    namespace = field(2, "")
    workflow_execution = child(3, WorkflowExecution)
    workflow_type = child(4, WorkflowType)
    initiated_event_id = long(5)
    started_event_id = long(6)
    retry_state = choice(7, RetryState)
    namespace_id = field(8, "")


class ChildWorkflowExecutionCanceledEventAttributes(Message):
    details = child(1, Payloads)
    namespace = field(2, "")
    workflow_execution = child(3, WorkflowExecution)
    workflow_type = child(4, WorkflowType)
    initiated_event_id = long(5)
    started_event_id = long(6)
    namespace_id = field(7, "")


class ChildWorkflowExecutionTimedOutEventAttributes(Message):
    namespace = field(1, "")
    workflow_execution = child(2, WorkflowExecution)
    workflow_type = child(3, WorkflowType)
    initiated_event_id = long(4)
    started_event_id = long(5)
    retry_state = choice(6, RetryState)
    namespace_id = field(7, "")


class ChildWorkflowExecutionTerminatedEventAttributes(Message):
    namespace = field(1, "")
    workflow_execution = child(2, WorkflowExecution)
    workflow_type = child(3, WorkflowType)
    initiated_event_id = long(4)
    started_event_id = long(5)
    namespace_id = field(6, "")
