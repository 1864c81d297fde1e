"""What starting an activity of its own does when its ID was used before."""

from __future__ import annotations

from enum import IntEnum

from streamflow.model import options as model


class ActivityIDReusePolicy(IntEnum):
    """Whether the ID of an activity that has ended may be used again. ``UNSPECIFIED`` is ``ALLOW_DUPLICATE``."""

    UNSPECIFIED = 0
    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3

    def _to_model(self) -> model.IdReusePolicy:
        if self is ActivityIDReusePolicy.UNSPECIFIED:
            return model.IdReusePolicy.ALLOW_DUPLICATE
        return model.IdReusePolicy[self.name]


class ActivityIDConflictPolicy(IntEnum):
    """What a start does while an activity of that ID is running. ``UNSPECIFIED`` is ``FAIL``."""

    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2

    def _to_model(self) -> model.IdConflictPolicy:
        if self is ActivityIDConflictPolicy.UNSPECIFIED:
            return model.IdConflictPolicy.FAIL
        return model.IdConflictPolicy[self.name]
