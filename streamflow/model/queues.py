"""The directory of task queues: what one is, how many partitions it has, and who made its topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

QueueKind = Literal["workflow", "activity"]
"""Whether a queue runs workflows (inbox, history and activities) or only activities."""


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A queue as ``topology apply`` made it. Its presence is the stamp that processors ask for."""

    name: str
    partitions: int
    """Of its inbox and history; of its activities where the queue is for activities only. Never changes."""
    kind: QueueKind = "workflow"
    topics: Mapping[str, int] = {}
    """Every topic made for this queue, with its partition count."""
    declaration: str = ""
    """Fingerprint of the declared settings that were applied last."""
    applied_ms: int = 0
    made_ms: int = 0
    """When it was first stamped: local state from before is that of a deleted namesake. 0 if that was not noted."""
