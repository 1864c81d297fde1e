"""Options of activities. Other names are as in `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.common.v1 import Priority, RetryPolicy
from streamflow.api.files import also_in
from streamflow.api.message import Message, child
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.times import Duration

__all__ = ["ActivityOptions"]

__getattr__ = absent_messages(__name__)


class ActivityOptions(Message):
    task_queue = child(1, TaskQueue)
    schedule_to_close_timeout = child(2, Duration)
    schedule_to_start_timeout = child(3, Duration)
    start_to_close_timeout = child(4, Duration)
    heartbeat_timeout = child(5, Duration)
    retry_policy = child(6, RetryPolicy)
    priority = child(7, Priority)


also_in(__name__, "message_pb2")
