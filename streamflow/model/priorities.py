"""The priority of work in a queue, as records of the log have it: three fields, each with a value for "unset"."""

from __future__ import annotations

from typing import Final, Protocol, TypedDict

WEIGHT_UNSET: Final = 1.0


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
    unset = asked.fairness_weight == WEIGHT_UNSET
    return {
        "priority": asked.priority or beginner.priority,
        "fairness_key": asked.fairness_key or beginner.fairness_key,
        "fairness_weight": beginner.fairness_weight if unset else asked.fairness_weight,
    }
