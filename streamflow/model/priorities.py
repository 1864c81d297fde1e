"""The priority of work in a queue, as records of the log have it: three fields, each with a value for "unset"."""

from __future__ import annotations

import math
from typing import Final, Protocol, TypedDict

WEIGHT_UNSET: Final = 1.0
PRIORITY_MAX: Final = 5
FAIRNESS_KEY_BYTES_MAX: Final = 64


class Prioritised(Protocol):
    """A record that has a priority."""

    @property
    def priority(self) -> int:
        """1 is first, 5 is last, 0 is unset."""
        ...

    @property
    def fairness_key(self) -> str:
        """Whose work it is; empty is unset. Those of one priority take turns."""
        ...

    @property
    def fairness_weight(self) -> float:
        """How much of the turns its key is due; 1 is unset, too."""
        ...


class PriorityFields(TypedDict):
    """The same to make a record of."""

    priority: int
    fairness_key: str
    fairness_weight: float


def inherited(asked: Prioritised, beginner: Prioritised) -> PriorityFields:
    """Of what a run begins: each that its code has not set is the run's own."""
    unset, own = asked.fairness_weight == WEIGHT_UNSET, bounded(beginner)
    return {
        "priority": asked.priority or own["priority"],
        "fairness_key": asked.fairness_key or own["fairness_key"],
        "fairness_weight": own["fairness_weight"] if unset else asked.fairness_weight,
    }


def bounded(record: Prioritised) -> PriorityFields:
    """The nearest that is within the bounds, for records that are older than these."""
    weight = record.fairness_weight
    return {
        "priority": min(max(record.priority, 1), PRIORITY_MAX) if record.priority else 0,
        "fairness_key": _shortened(record.fairness_key),
        "fairness_weight": weight if math.isfinite(weight) else WEIGHT_UNSET,
    }


def _shortened(key: str) -> str:
    return key.encode()[:FAIRNESS_KEY_BYTES_MAX].decode(errors="ignore")
