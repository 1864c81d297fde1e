"""Where ported code looks for the runners."""

from __future__ import annotations

import logging

from streamflow.worker.runners import (
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)

logger = logging.getLogger(__name__)
"""Says of steps that fail, with the workflow under ``temporal_workflow``; at level INFO, as `run_stuck` warns already."""

__all__ = [
    "UnsandboxedWorkflowRunner",
    "WorkflowInstance",
    "WorkflowInstanceDetails",
    "WorkflowRunner",
    "logger",
]
