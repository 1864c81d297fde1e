"""Names of task queues, and who serves one. Other names are as in `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.enums.v1 import TaskQueueKind
from streamflow.api.files import also_in
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice, real
from streamflow.api.times import Timestamp

__all__ = ["PollerInfo", "TaskQueue"]

__getattr__ = absent_messages(__name__)


class TaskQueue(Message):
    name = field(1, "")
    kind = choice(2, TaskQueueKind)
    normal_name = field(3, "")


class PollerInfo(Message):
    """A worker that serves the queue. Its identity is the name of its instance."""

    last_access_time = child(1, Timestamp)
    identity = field(2, "")
    rate_per_second = real(3)


also_in(__name__, "message_pb2")
