"""None of these messages is there: `streamflow.api.absent` says what to use."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.files import also_in

__getattr__ = absent_messages(__name__)

also_in(__name__, "message_pb2")
