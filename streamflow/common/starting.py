"""Whether a start is taken when its workflow ID is in use, and which runs a query is not put to."""

from __future__ import annotations

from enum import Enum

from streamflow.model import options as model


class WorkflowIDReusePolicy(Enum):
    """Whether a workflow ID whose last run is closed may be started again."""

    ALLOW_DUPLICATE = "allow_duplicate"
    ALLOW_DUPLICATE_FAILED_ONLY = "allow_duplicate_failed_only"
    REJECT_DUPLICATE = "reject_duplicate"
    TERMINATE_IF_RUNNING = "terminate_if_running"

    def _to_model(self) -> model.IdReusePolicy:
        return model.IdReusePolicy(self.value)


class WorkflowIDConflictPolicy(Enum):
    """What a start does when a run of that ID is open. ``UNSPECIFIED`` is ``FAIL``."""

    UNSPECIFIED = "unspecified"
    FAIL = "fail"
    USE_EXISTING = "use_existing"
    TERMINATE_EXISTING = "terminate_existing"

    def _to_model(self) -> model.IdConflictPolicy:
        if self is WorkflowIDConflictPolicy.UNSPECIFIED:
            return model.IdConflictPolicy.FAIL
        return model.IdConflictPolicy(self.value)


class QueryRejectCondition(Enum):
    """Which runs a query is not to be put to. The value is what `QueryWorkflow.reject_condition` carries."""

    NONE = "none"
    NOT_OPEN = "not_open"
    NOT_COMPLETED_CLEANLY = "not_completed_cleanly"

    def _to_model(self) -> str:
        return self.value
