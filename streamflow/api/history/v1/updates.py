"""Updates."""

from __future__ import annotations

from streamflow.api.enums.v1 import UpdateAdmittedEventOrigin
from streamflow.api.failure.v1 import Failure
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice, long
from streamflow.api.update.v1 import Meta, Outcome, Request


class WorkflowExecutionUpdateAcceptedEventAttributes(Message):
    protocol_instance_id = field(1, "")
    accepted_request_message_id = field(2, "")
    accepted_request_sequencing_event_id = long(3)
    accepted_request = child(4, Request)


class WorkflowExecutionUpdateCompletedEventAttributes(Message):
    meta = child(1, Meta)
    outcome = child(2, Outcome)
    accepted_event_id = long(3)


class WorkflowExecutionUpdateRejectedEventAttributes(Message):
    protocol_instance_id = field(1, "")
    rejected_request_message_id = field(2, "")
    rejected_request_sequencing_event_id = long(3)
    rejected_request = child(4, Request)
    failure = child(5, Failure)


class WorkflowExecutionUpdateAdmittedEventAttributes(Message):
    request = child(1, Request)
    origin = choice(2, UpdateAdmittedEventOrigin)
