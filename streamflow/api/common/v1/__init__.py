"""Payloads, and other small parts. `Payload` is the class that the engine itself carries: nothing is copied."""

from __future__ import annotations

from streamflow.api.message import Message, field, many, table
from streamflow.model.payload import Payload

__all__ = [
    "ActivityType",
    "Header",
    "Memo",
    "Payload",
    "Payloads",
    "SearchAttributes",
    "WorkflowExecution",
    "WorkflowType",
]


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
