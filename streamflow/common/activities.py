"""What starting an activity of its own does when its ID was used before."""

from __future__ import annotations

from enum import Enum

from streamflow.model import options as model


class ActivityIDReusePolicy(Enum):
    """Whether the ID of an activity that has ended may be used again. ``UNSPECIFIED`` is ``ALLOW_DUPLICATE``."""

    UNSPECIFIED = "unspecified"
    ALLOW_DUPLICATE = "allow_duplicate"
    ALLOW_DUPLICATE_FAILED_ONLY = "allow_duplicate_failed_only"
    REJECT_DUPLICATE = "reject_duplicate"

    def _to_model(self) -> model.IdReusePolicy:
        if self is ActivityIDReusePolicy.UNSPECIFIED:
            return model.IdReusePolicy.ALLOW_DUPLICATE
        return model.IdReusePolicy(self.value)


class ActivityIDConflictPolicy(Enum):
    """What a start does while an activity of that ID is running. ``UNSPECIFIED`` is ``FAIL``."""

    UNSPECIFIED = "unspecified"
    FAIL = "fail"
    USE_EXISTING = "use_existing"

    def _to_model(self) -> model.IdConflictPolicy:
        if self is ActivityIDConflictPolicy.UNSPECIFIED:
            return model.IdConflictPolicy.FAIL
        return model.IdConflictPolicy(self.value)
