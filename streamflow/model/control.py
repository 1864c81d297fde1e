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


class ResetWorkflow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Begins a new run with what a run had done before one of its steps; that step is then made anew."""

    workflow_id: WorkflowId
    run_id: RunId | None = None
    event_id: int
    """The step that this event belongs to, or that takes it in, is the first that is made anew."""
    reapply_signals: bool = True
    """Whether signals from there on are given to the new run as well."""
    reason: str = ""
    identity: str = ""


PAUSED = "paused"
"""The kind of trouble that a paused run is in: its code is not tried again until somebody says so."""
