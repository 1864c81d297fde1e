"""Nexus operations: no history of ours has them, but ported code may ask whether an event is one."""

from __future__ import annotations

from streamflow.api.common.v1 import Payload
from streamflow.api.failure.v1 import Failure
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import long
from streamflow.api.times import Duration


class NexusOperationScheduledEventAttributes(Message):
    endpoint = field(1, "")
    service = field(2, "")
    operation = field(3, "")
    input = child(4, Payload)
    schedule_to_close_timeout = child(5, Duration)
    workflow_task_completed_event_id = long(7)
    request_id = field(8, "")
    endpoint_id = field(9, "")
    schedule_to_start_timeout = child(10, Duration)
    start_to_close_timeout = child(11, Duration)


class NexusOperationStartedEventAttributes(Message):
    scheduled_event_id = long(1)
    operation_id = field(3, "")
    request_id = field(4, "")
    operation_token = field(5, "")


class NexusOperationCompletedEventAttributes(Message):
    scheduled_event_id = long(1)
    result = child(2, Payload)
    request_id = field(3, "")


class NexusOperationFailedEventAttributes(Message):
    scheduled_event_id = long(1)
    failure = child(2, Failure)
    request_id = field(3, "")


class NexusOperationTimedOutEventAttributes(Message):
    scheduled_event_id = long(1)
    failure = child(2, Failure)
    request_id = field(3, "")


class NexusOperationCanceledEventAttributes(Message):
    scheduled_event_id = long(1)
    failure = child(2, Failure)
    request_id = field(3, "")


class NexusOperationCancelRequestedEventAttributes(Message):
    scheduled_event_id = long(1)
    workflow_task_completed_event_id = long(2)


class NexusOperationCancelRequestCompletedEventAttributes(Message):
    requested_event_id = long(1)
    workflow_task_completed_event_id = long(2)
    scheduled_event_id = long(3)


class NexusOperationCancelRequestFailedEventAttributes(Message):
    requested_event_id = long(1)
    workflow_task_completed_event_id = long(2)
    failure = child(3, Failure)
    scheduled_event_id = long(4)
