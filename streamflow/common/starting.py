"""Whether a start is taken when its workflow ID is in use, and which runs a query is not put to."""

from __future__ import annotations

from enum import IntEnum

from streamflow.model import options as model


class WorkflowIDReusePolicy(IntEnum):
    """Whether a workflow ID whose last run is closed may be started again."""

    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3
    TERMINATE_IF_RUNNING = 4

    def _to_model(self) -> model.IdReusePolicy:
        return model.IdReusePolicy[self.name]


class WorkflowIDConflictPolicy(IntEnum):
    """What a start does when a run of that ID is open. ``UNSPECIFIED`` is ``FAIL``."""

    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2
    TERMINATE_EXISTING = 3

    def _to_model(self) -> model.IdConflictPolicy:
        if self is WorkflowIDConflictPolicy.UNSPECIFIED:
            return model.IdConflictPolicy.FAIL
        return model.IdConflictPolicy[self.name]


class QueryRejectCondition(IntEnum):
    """Which runs a query is not to be put to."""

    NONE = 1
    NOT_OPEN = 2
    NOT_COMPLETED_CLEANLY = 3

    def _to_model(self) -> str:
        """What `QueryWorkflow.reject_condition` carries."""
        return self.name.lower()
