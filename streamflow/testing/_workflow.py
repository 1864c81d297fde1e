"""Where code that was ported may look for `WorkflowEnvironment`; its home is `streamflow.testing`."""

from __future__ import annotations

from streamflow.testing.environment import WorkflowEnvironment

__all__ = ["WorkflowEnvironment"]
