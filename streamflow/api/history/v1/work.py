"""Activities and timers."""

from __future__ import annotations

from streamflow.api.common.v1 import (
    ActivityType,
    Header,
    Payloads,
    Priority,
    RetryPolicy,
    WorkerVersionStamp,
)
from streamflow.api.enums.v1 import ActivityTaskFailedCause, RetryState
from streamflow.api.failure.v1 import Failure
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice, long
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.times import Duration


class ActivityTaskScheduledEventAttributes(Message):
    activity_id = field(1, "")
    activity_type = child(2, ActivityType)
    task_queue = child(4, TaskQueue)
    header = child(5, Header)
    input = child(6, Payloads)
    schedule_to_close_timeout = child(7, Duration)
    schedule_to_start_timeout = child(8, Duration)
    start_to_close_timeout = child(9, Duration)
    heartbeat_timeout = child(10, Duration)
    workflow_task_completed_event_id = long(11)
    retry_policy = child(12, RetryPolicy)
    use_workflow_build_id = field(13, False)
    priority = child(14, Priority)


class ActivityTaskStartedEventAttributes(Message):
    scheduled_event_id = long(1)
    identity = field(2, "")
    request_id = field(3, "")
    attempt = field(4, 0)
    last_failure = child(5, Failure)
    worker_version = child(6, WorkerVersionStamp)
    build_id_redirect_counter = long(7)


class ActivityTaskCompletedEventAttributes(Message):
    result = child(1, Payloads)
    scheduled_event_id = long(2)
    started_event_id = long(3)
    identity = field(4, "")
    worker_version = child(5, WorkerVersionStamp)


class ActivityTaskFailedEventAttributes(Message):
    failure = child(1, Failure)
    scheduled_event_id = long(2)
    started_event_id = long(3)
    identity = field(4, "")
    retry_state = choice(5, RetryState)
    worker_version = child(6, WorkerVersionStamp)
    cause = choice(7, ActivityTaskFailedCause)


class ActivityTaskTimedOutEventAttributes(Message):
    failure = child(1, Failure)
    scheduled_event_id = long(2)
    started_event_id = long(3)
    retry_state = choice(4, RetryState)


class ActivityTaskCancelRequestedEventAttributes(Message):
    scheduled_event_id = long(1)
    workflow_task_completed_event_id = long(2)


class ActivityTaskCanceledEventAttributes(Message):
    details = child(1, Payloads)
    latest_cancel_requested_event_id = long(2)
    scheduled_event_id = long(3)
    started_event_id = long(4)
    identity = field(5, "")
    worker_version = child(6, WorkerVersionStamp)


class ActivityPropertiesModifiedExternallyEventAttributes(Message):
    scheduled_event_id = long(1)
    new_retry_policy = child(2, RetryPolicy)


class TimerStartedEventAttributes(Message):
    timer_id = field(1, "")
    start_to_fire_timeout = child(2, Duration)
    workflow_task_completed_event_id = long(3)


class TimerFiredEventAttributes(Message):
    timer_id = field(1, "")
    started_event_id = long(2)


class TimerCanceledEventAttributes(Message):
    timer_id = field(1, "")
    started_event_id = long(2)
    workflow_task_completed_event_id = long(3)
    identity = field(4, "")
