"""What an operator does to a whole run."""

from __future__ import annotations

from enum import Enum

import msgspec

from streamflow.model.ids import RunId, WorkflowId


class WorkflowControl(Enum):
    PAUSE = "pause"
    UNPAUSE = "unpause"
    DELETE = "delete"


class ControlWorkflow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Holds a run's code back, lets it go on, or takes a closed run away before its retention ends."""

    workflow_id: WorkflowId
    run_id: RunId | None = None
    control: WorkflowControl
    reason: str = ""
    identity: str = ""


PAUSED = "paused"
"""The kind of trouble that a paused run is in: its code is not tried again until somebody says so."""
