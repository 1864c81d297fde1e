"""Which work of one queue goes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast


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
        if self.priority_key is not None and not 1 <= self.priority_key <= 5:
            raise ValueError(
                f"Expected a priority_key from 1 (first) to 5, found {self.priority_key}"
            )
        if self.fairness_key is not None and len(self.fairness_key.encode()) > 64:
            raise ValueError("Expected a fairness_key of at most 64 bytes, found a longer one")

    def _to_model(self) -> int:
        """0 is unset."""
        return self.priority_key or 0

    @staticmethod
    def _from_model(priority: int) -> Priority:
        return Priority(priority_key=priority) if priority else Priority.default


Priority.default = Priority()
