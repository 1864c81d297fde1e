"""Workflow tasks: how a run's code was run, and what it noted."""

from __future__ import annotations

from streamflow.api.common.v1 import Header, Payloads, WorkerVersionStamp
from streamflow.api.deployment.v1 import WorkerDeploymentVersion
from streamflow.api.enums.v1 import TimeoutType, VersioningBehavior, WorkflowTaskFailedCause
from streamflow.api.failure.v1 import Failure
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice, long
from streamflow.api.message_tables import table
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.times import Duration


class WorkflowTaskScheduledEventAttributes(Message):
    task_queue = child(1, TaskQueue)
    start_to_close_timeout = child(2, Duration)
    attempt = field(3, 0)


class WorkflowTaskStartedEventAttributes(Message):
    scheduled_event_id = long(1)
    identity = field(2, "")
    request_id = field(3, "")
    suggest_continue_as_new = field(4, False)
    history_size_bytes = long(5)
    worker_version = child(6, WorkerVersionStamp)
    build_id_redirect_counter = long(7)
    target_worker_deployment_version_changed = field(9, False)


class WorkflowTaskCompletedEventAttributes(Message):
    scheduled_event_id = long(1)
    started_event_id = long(2)
    identity = field(3, "")
    binary_checksum = field(4, "")
    worker_version = child(5, WorkerVersionStamp)
    versioning_behavior = choice(8, VersioningBehavior)
    worker_deployment_version = field(9, "")
    worker_deployment_name = field(10, "")
    deployment_version = child(11, WorkerDeploymentVersion)


class WorkflowTaskTimedOutEventAttributes(Message):
    scheduled_event_id = long(1)
    started_event_id = long(2)
    timeout_type = choice(3, TimeoutType)


class WorkflowTaskFailedEventAttributes(Message):
    scheduled_event_id = long(1)
    started_event_id = long(2)
    cause = choice(3, WorkflowTaskFailedCause)
    failure = child(4, Failure)
    identity = field(5, "")
    base_run_id = field(6, "")
    new_run_id = field(7, "")
    fork_event_version = long(8)
    binary_checksum = field(9, "")
    worker_version = child(10, WorkerVersionStamp)


class MarkerRecordedEventAttributes(Message):
    marker_name = field(1, "")
    details = table(2, Payloads)
    workflow_task_completed_event_id = long(3)
    header = child(4, Header)
    failure = child(5, Failure)
