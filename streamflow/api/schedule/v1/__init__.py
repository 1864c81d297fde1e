"""No message of this part of a server's API is here; see `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.files import also_in

__getattr__ = absent_messages(__name__)

also_in(__name__, "message_pb2")
