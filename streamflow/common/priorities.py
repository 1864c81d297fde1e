"""Which work of one queue goes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from streamflow.model.priorities import (
    FAIRNESS_KEY_BYTES_MAX,
    PRIORITY_MAX,
    WEIGHT_UNSET,
    Prioritised,
    PriorityFields,
    bounded,
)


@dataclass(frozen=True)
class Priority:
    """Which work of one queue goes first. ``priority_key`` 1 is first, 5 is last, ``None`` is 3."""

    priority_key: int | None = None
    fairness_key: str | None = None
    fairness_weight: float | None = None

    default: ClassVar[Priority]

    def __post_init__(self) -> None:
        given = cast("object", self.priority_key)
        if given is not None and not isinstance(given, int):
            raise TypeError(f"Expected an int as priority_key, found {given!r}")
        if self.priority_key is not None and not 1 <= self.priority_key <= PRIORITY_MAX:
            raise ValueError(
                f"Expected a priority_key from 1 (first) to {PRIORITY_MAX}, found {self.priority_key}"
            )
        key = self.fairness_key
        if key is not None and len(key.encode()) > FAIRNESS_KEY_BYTES_MAX:
            raise ValueError(
                f"Expected a fairness_key of at most {FAIRNESS_KEY_BYTES_MAX} bytes, found a longer one"
            )

    def _to_model(self) -> PriorityFields:
        """The three fields that everything has in the log which has a priority."""
        return {
            "priority": self.priority_key or 0,
            "fairness_key": self.fairness_key or "",
            "fairness_weight": self.fairness_weight or WEIGHT_UNSET,
        }

    @staticmethod
    def _from_model(record: Prioritised) -> Priority:
        """Of any record, be it older than the bounds."""
        fields = bounded(record)
        weight = fields["fairness_weight"]
        return Priority(
            priority_key=fields["priority"] or None,
            fairness_key=fields["fairness_key"] or None,
            fairness_weight=None if weight == WEIGHT_UNSET else weight,
        )


Priority.default = Priority()
