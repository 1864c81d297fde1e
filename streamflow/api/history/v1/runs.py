"""How a run began and ended, and what was asked of it."""

from __future__ import annotations

from streamflow.api.common.v1 import (
    Header,
    Memo,
    Payloads,
    Priority,
    RetryPolicy,
    SearchAttributes,
    WorkerVersionStamp,
    WorkflowExecution,
    WorkflowType,
)
from streamflow.api.deployment.v1 import WorkerDeploymentVersion
from streamflow.api.enums.v1 import (
    ContinueAsNewInitiator,
    ContinueAsNewVersioningBehavior,
    RetryState,
)
from streamflow.api.failure.v1 import Failure
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice, long
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.times import Duration, Timestamp


class WorkflowExecutionStartedEventAttributes(Message):
    workflow_type = child(1, WorkflowType)
    parent_workflow_namespace = field(2, "")
    parent_workflow_execution = child(3, WorkflowExecution)
    parent_initiated_event_id = long(4)
    task_queue = child(5, TaskQueue)
    input = child(6, Payloads)
    workflow_execution_timeout = child(7, Duration)
    workflow_run_timeout = child(8, Duration)
    workflow_task_timeout = child(9, Duration)
    continued_execution_run_id = field(10, "")
    initiator = choice(11, ContinueAsNewInitiator)
    continued_failure = child(12, Failure)
    last_completion_result = child(13, Payloads)
    original_execution_run_id = field(14, "")
    identity = field(15, "")
    first_execution_run_id = field(16, "")
    retry_policy = child(17, RetryPolicy)
    attempt = field(18, 0)
    workflow_execution_expiration_time = child(19, Timestamp)
    cron_schedule = field(20, "")
    first_workflow_task_backoff = child(21, Duration)
    memo = child(22, Memo)
    search_attributes = child(23, SearchAttributes)
    header = child(25, Header)
    parent_initiated_event_version = long(26)
    parent_workflow_namespace_id = field(27, "")
    workflow_id = field(28, "")
    source_version_stamp = child(29, WorkerVersionStamp)
    root_workflow_execution = child(31, WorkflowExecution)
    inherited_build_id = field(32, "")
    parent_pinned_worker_deployment_version = field(34, "")
    priority = child(35, Priority)
    inherited_pinned_version = child(37, WorkerDeploymentVersion)
    eager_execution_accepted = field(38, False)


class WorkflowExecutionCompletedEventAttributes(Message):
    result = child(1, Payloads)
    workflow_task_completed_event_id = long(2)
    new_execution_run_id = field(3, "")


class WorkflowExecutionFailedEventAttributes(Message):
    failure = child(1, Failure)
    retry_state = choice(2, RetryState)
    workflow_task_completed_event_id = long(3)
    new_execution_run_id = field(4, "")


class WorkflowExecutionTimedOutEventAttributes(Message):
    retry_state = choice(1, RetryState)
    new_execution_run_id = field(2, "")


class WorkflowExecutionContinuedAsNewEventAttributes(Message):
    new_execution_run_id = field(1, "")
    workflow_type = child(2, WorkflowType)
    task_queue = child(3, TaskQueue)
    input = child(4, Payloads)
    workflow_run_timeout = child(5, Duration)
    workflow_task_timeout = child(6, Duration)
    workflow_task_completed_event_id = long(7)
    backoff_start_interval = child(8, Duration)
    initiator = choice(9, ContinueAsNewInitiator)
    failure = child(10, Failure)
    last_completion_result = child(11, Payloads)
    header = child(12, Header)
    memo = child(13, Memo)
    search_attributes = child(14, SearchAttributes)
    inherit_build_id = field(15, False)
    initial_versioning_behavior = choice(16, ContinueAsNewVersioningBehavior)


class WorkflowExecutionCancelRequestedEventAttributes(Message):
    cause = field(1, "")
    external_initiated_event_id = long(2)
    external_workflow_execution = child(3, WorkflowExecution)
    identity = field(4, "")


class WorkflowExecutionCanceledEventAttributes(Message):
    workflow_task_completed_event_id = long(1)
    details = child(2, Payloads)


class WorkflowExecutionTerminatedEventAttributes(Message):
    reason = field(1, "")
    details = child(2, Payloads)
    identity = field(3, "")


class WorkflowExecutionSignaledEventAttributes(Message):
    signal_name = field(1, "")
    input = child(2, Payloads)
    identity = field(3, "")
    header = child(4, Header)
    skip_generate_workflow_task = field(5, False)
    external_workflow_execution = child(6, WorkflowExecution)
    request_id = field(7, "")


class UpsertWorkflowSearchAttributesEventAttributes(Message):
    workflow_task_completed_event_id = long(1)
    search_attributes = child(2, SearchAttributes)


class WorkflowPropertiesModifiedEventAttributes(Message):
    workflow_task_completed_event_id = long(1)
    upserted_memo = child(2, Memo)


class WorkflowPropertiesModifiedExternallyEventAttributes(Message):
    new_task_queue = field(1, "")
    new_workflow_task_timeout = child(2, Duration)
    new_workflow_run_timeout = child(3, Duration)
    new_workflow_execution_timeout = child(4, Duration)
    upserted_memo = child(5, Memo)


class WorkflowExecutionOptionsUpdatedEventAttributes(Message):
    unset_versioning_override = field(2, False)
    attached_request_id = field(3, "")
    identity = field(5, "")
    priority = child(6, Priority)
    time_skipping_config_updated = field(9, False)


class WorkflowExecutionPausedEventAttributes(Message):
    identity = field(1, "")
    reason = field(2, "")
    request_id = field(3, "")


class WorkflowExecutionUnpausedEventAttributes(Message):
    identity = field(1, "")
    reason = field(2, "")
    request_id = field(3, "")


class WorkflowExecutionTimeSkippingTransitionedEventAttributes(Message):
    target_time = child(1, Timestamp)
    disabled_after_fast_forward = field(2, False)
    wall_clock_time = child(3, Timestamp)
