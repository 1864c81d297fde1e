"""The activities that a worker offers, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from streamflow.activity.definition import ActivityDefinition, definition_of


class Registry:
    """Activities by type; at most one dynamic one takes the rest."""

    def __init__(self, activities: Sequence[Callable[..., Any]]) -> None:
        self._by_name: dict[str, ActivityDefinition] = {}
        self._dynamic: ActivityDefinition | None = None
        for activity in activities:
            self._add(definition_of(activity))

    def __len__(self) -> int:
        return len(self._by_name) + (self._dynamic is not None)

    @property
    def names(self) -> list[str]:
        return sorted(self._by_name)

    @property
    def has_sync(self) -> bool:
        """Whether any of them needs a thread."""
        definitions = [*self._by_name.values(), *([self._dynamic] if self._dynamic else [])]
        return any(not definition.is_async for definition in definitions)

    def find(self, name: str) -> ActivityDefinition | None:
        return self._by_name.get(name) or self._dynamic

    def _add(self, definition: ActivityDefinition) -> None:
        if definition.name is None:
            if self._dynamic is not None:
                raise ValueError("Expected at most one dynamic activity, found two")
            self._dynamic = definition
            return
        if definition.name in self._by_name:
            raise ValueError(
                f"Expected each activity name once, found {definition.name!r} twice; "
                "give one of them @activity.defn(name=...)"
            )
        self._by_name[definition.name] = definition
