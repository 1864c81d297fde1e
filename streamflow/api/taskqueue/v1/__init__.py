"""Names of task queues. What a server tells of them is not here; see `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.enums.v1 import TaskQueueKind
from streamflow.api.files import also_in
from streamflow.api.message import Message, field
from streamflow.api.message_fields import choice

__all__ = ["TaskQueue"]


class TaskQueue(Message):
    name = field(1, "")
    kind = choice(2, TaskQueueKind)
    normal_name = field(3, "")


__getattr__ = absent_messages(__name__)
also_in(__name__, "message_pb2")
