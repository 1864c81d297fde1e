"""What an update asked for and what became of it. Requests to a server are not here; see `streamflow.api.absent`."""

from __future__ import annotations

from typing import ClassVar

from streamflow.api.absent import absent_messages
from streamflow.api.common.v1 import Header, Payloads
from streamflow.api.failure.v1 import Failure
from streamflow.api.files import also_in
from streamflow.api.message import Message, child, field

__all__ = ["Input", "Meta", "Outcome", "Request"]


class Meta(Message):
    update_id = field(1, "")
    identity = field(2, "")


class Input(Message):
    header = child(1, Header)
    name = field(2, "")
    args = child(3, Payloads)


class Request(Message):
    meta = child(1, Meta)
    input = child(2, Input)
    request_id = field(3, "")


class Outcome(Message):
    """One of the two is there."""

    success = child(1, Payloads)
    failure = child(2, Failure)

    _oneofs: ClassVar = {"value": ("success", "failure")}


__getattr__ = absent_messages(__name__)

also_in(__name__, "message_pb2")
