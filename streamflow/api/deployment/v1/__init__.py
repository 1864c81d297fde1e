"""Versions of workers. What a server tells of them is not here; see `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.message import Message, field

__all__ = ["WorkerDeploymentVersion"]


class WorkerDeploymentVersion(Message):
    build_id = field(1, "")
    deployment_name = field(2, "")


__getattr__ = absent_messages(__name__)
