"""Where ported code looks for the runners."""

from __future__ import annotations

from streamflow.worker.runners import (
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)

__all__ = [
    "UnsandboxedWorkflowRunner",
    "WorkflowInstance",
    "WorkflowInstanceDetails",
    "WorkflowRunner",
]
