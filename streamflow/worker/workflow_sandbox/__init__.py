"""Sandbox classes of ported code. There is no sandbox here, but guards, which they set: see `restrictions`."""

from __future__ import annotations

from streamflow.worker.workflow_sandbox.restrictions import (
    RestrictedWorkflowAccessError,
    SandboxMatcher,
    SandboxRestrictions,
    UnintentionalPassthroughError,
)
from streamflow.worker.workflow_sandbox.runner import SandboxedWorkflowRunner

__all__ = [
    "RestrictedWorkflowAccessError",
    "SandboxMatcher",
    "SandboxRestrictions",
    "SandboxedWorkflowRunner",
    "UnintentionalPassthroughError",
]
