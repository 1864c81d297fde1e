"""Payloads, and other small parts. `Payload` is the class that the engine itself carries: nothing is copied."""

from __future__ import annotations

from streamflow.api.described import Described
from streamflow.api.files import also_in
from streamflow.api.message import Message, child, field, many
from streamflow.api.message_fields import real, texts
from streamflow.api.message_tables import table
from streamflow.api.times import Duration
from streamflow.model.payload import Payload

__all__ = [
    "ActivityType",
    "Any",
    "GrpcStatus",
    "Header",
    "Memo",
    "Payload",
    "Payloads",
    "Priority",
    "RetryPolicy",
    "SearchAttributes",
    "WorkerVersionCapabilities",
    "WorkerVersionStamp",
    "WorkflowExecution",
    "WorkflowType",
]


Payload.DESCRIPTOR = Described()  # the class itself knows nothing of messages


class Payloads(Message):
    """A list of payloads: ``Payloads(payloads=[...])``."""

    payloads = many(1, Payload)


class SearchAttributes(Message):
    indexed_fields = table(1, Payload)


class Memo(Message):
    fields = table(1, Payload)


class Header(Message):
    fields = table(1, Payload)


class WorkflowExecution(Message):
    """Names one run."""

    workflow_id = field(1, "")
    run_id = field(2, "")


class WorkflowType(Message):
    name = field(1, "")


class ActivityType(Message):
    name = field(1, "")


class RetryPolicy(Message):
    initial_interval = child(1, Duration)
    backoff_coefficient = real(2)
    maximum_interval = child(3, Duration)
    maximum_attempts = field(4, 0)
    non_retryable_error_types = texts(5)


class Priority(Message):
    priority_key = field(1, 0)
    fairness_key = field(2, "")
    fairness_weight = real(3, single=True)


class WorkerVersionStamp(Message):
    """The build that ran something."""

    build_id = field(1, "")
    use_versioning = field(3, False)


class WorkerVersionCapabilities(Message):
    """What a worker says of its build; no message of ours has it."""

    build_id = field(1, "")
    use_versioning = field(2, False)
    deployment_series_name = field(4, "")


class Any(Message):
    """A message of any kind, as bytes; ``type_url`` says of which."""

    type_url = field(1, "")
    value = field(2, b"")


class GrpcStatus(Message):
    """How a call ended, as gRPC services say it."""

    code = field(1, 0)
    message = field(2, "")
    details = many(3, Any)


also_in(__name__, "message_pb2")
