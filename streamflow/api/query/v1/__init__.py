"""A query, and why one was not put to the run. Other names are as in `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.common.v1 import Header, Payloads
from streamflow.api.enums.v1 import WorkflowExecutionStatus
from streamflow.api.files import also_in
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice

__all__ = ["QueryRejected", "WorkflowQuery"]

__getattr__ = absent_messages(__name__)


class WorkflowQuery(Message):
    query_type = field(1, "")
    query_args = child(2, Payloads)
    header = child(3, Header)


class QueryRejected(Message):
    """The run's status is one that the caller did not want to query."""

    status = choice(1, WorkflowExecutionStatus)


also_in(__name__, "message_pb2")
