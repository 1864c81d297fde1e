"""A failure as user code of failure converters sees it. The engine's own is `streamflow.model.failure`."""

from __future__ import annotations

from typing import ClassVar

from streamflow.api.common.v1 import ActivityType, Payloads, WorkflowExecution, WorkflowType
from streamflow.api.enums.v1 import ApplicationErrorCategory, RetryState, TimeoutType
from streamflow.api.files import also_in
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice, long
from streamflow.api.times import Duration
from streamflow.model.payload import Payload

__all__ = [
    "ActivityFailureInfo",
    "ApplicationFailureInfo",
    "CanceledFailureInfo",
    "ChildWorkflowExecutionFailureInfo",
    "Failure",
    "ResetWorkflowFailureInfo",
    "ServerFailureInfo",
    "TerminatedFailureInfo",
    "TimeoutFailureInfo",
]


class ApplicationFailureInfo(Message):
    type = field(1, "")
    non_retryable = field(2, False)
    details = child(3, Payloads)
    next_retry_delay = child(4, Duration)
    category = choice(5, ApplicationErrorCategory)


class TimeoutFailureInfo(Message):
    timeout_type = choice(1, TimeoutType)
    last_heartbeat_details = child(2, Payloads)


class CanceledFailureInfo(Message):
    details = child(1, Payloads)
    identity = field(2, "")


class TerminatedFailureInfo(Message):
    identity = field(1, "")


class ServerFailureInfo(Message):
    non_retryable = field(1, False)


class ResetWorkflowFailureInfo(Message):
    last_heartbeat_details = child(1, Payloads)


class ActivityFailureInfo(Message):
    scheduled_event_id = long(1)
    started_event_id = long(2)
    identity = field(3, "")
    activity_type = child(4, ActivityType)
    activity_id = field(5, "")
    retry_state = choice(6, RetryState)


class ChildWorkflowExecutionFailureInfo(Message):
    namespace = field(1, "")
    workflow_execution = child(2, WorkflowExecution)
    workflow_type = child(3, WorkflowType)
    initiated_event_id = long(4)
    started_event_id = long(5)
    retry_state = choice(6, RetryState)


class Failure(Message):
    """Why something failed; one of the ``..._info`` fields is there and says what kind it is."""

    message = field(1, "")
    source = field(2, "")
    stack_trace = field(3, "")
    cause: child[Failure] = child(4, None)
    application_failure_info = child(5, ApplicationFailureInfo)
    timeout_failure_info = child(6, TimeoutFailureInfo)
    canceled_failure_info = child(7, CanceledFailureInfo)
    terminated_failure_info = child(8, TerminatedFailureInfo)
    server_failure_info = child(9, ServerFailureInfo)
    reset_workflow_failure_info = child(10, ResetWorkflowFailureInfo)
    activity_failure_info = child(11, ActivityFailureInfo)
    child_workflow_execution_failure_info = child(12, ChildWorkflowExecutionFailureInfo)
    encoded_attributes = child(20, Payload)

    _oneofs: ClassVar = {
        "failure_info": (
            "application_failure_info",
            "timeout_failure_info",
            "canceled_failure_info",
            "terminated_failure_info",
            "server_failure_info",
            "reset_workflow_failure_info",
            "activity_failure_info",
            "child_workflow_execution_failure_info",
        )
    }


also_in(__name__, "message_pb2")
