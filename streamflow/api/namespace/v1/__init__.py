"""What is told of a namespace. Other names are as in `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.enums.v1 import NamespaceState
from streamflow.api.files import also_in
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice
from streamflow.api.message_tables import texts_by_name
from streamflow.api.times import Duration

__all__ = ["NamespaceConfig", "NamespaceFilter", "NamespaceInfo"]

__getattr__ = absent_messages(__name__)


class NamespaceInfo(Message):
    """Which namespace it is."""

    name = field(1, "")
    state = choice(2, NamespaceState)
    description = field(3, "")
    owner_email = field(4, "")
    data = texts_by_name(5)
    id = field(6, "")
    supports_schedules = field(100, False)


class NamespaceConfig(Message):
    """How long closed runs are kept unless a worker says otherwise."""

    workflow_execution_retention_ttl = child(1, Duration)


class NamespaceFilter(Message):
    include_deleted = field(1, False)


also_in(__name__, "message_pb2")
