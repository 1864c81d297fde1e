"""A run's memo and search attributes as its code sees them: the start's, with what the code has changed since.

The mappings and lists here are handed out once and then changed in place, so that who holds them sees the changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from streamflow.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributes,
    SearchAttributeUpdate,
    SearchAttributeValues,
    TypedSearchAttributes,
)
from streamflow.converter import decode_search_attributes, encode_search_attribute_value
from streamflow.converter.search_attributes import encode_untyped, untyped
from streamflow.coroutine.values import Values
from streamflow.model.events import WorkflowStarted
from streamflow.model.intents import UpsertMemo, UpsertSearchAttributes
from streamflow.model.payload import Payload


class Properties:
    """One run's."""

    __slots__ = ("_decoded", "_values", "raw_memo", "typed", "untyped")

    def __init__(self, started: WorkflowStarted, values: Values) -> None:
        self._values = values
        self._decoded: dict[str, Any] | None = None
        self.raw_memo: dict[str, Payload] = dict(started.memo)
        self.typed: TypedSearchAttributes = decode_search_attributes(started.search_attributes)
        self.untyped: dict[str, Any] = untyped(self.typed)

    # -- memo ------------------------------------------------------------------------------------------------------

    def memo(self) -> Mapping[str, Any]:
        """Decoded without type hints."""
        if self._decoded is None:
            self._decoded = {
                name: self._values.decode_one(payload) for name, payload in self.raw_memo.items()
            }
        return self._decoded

    def upsert_memo(self, updates: Mapping[str, Any]) -> UpsertMemo | None:
        """Changes the memo; ``None`` removes. What is to be recorded of it, if anything."""
        changed = {
            name: self._values.encode_one(value)
            for name, value in updates.items()
            if value is not None
        }
        removed = tuple(name for name, value in updates.items() if value is None)
        if not changed and not removed:
            return None
        self.raw_memo.update(changed)
        for name in removed:
            self.raw_memo.pop(name, None)
        if self._decoded is not None:
            # In place, for somebody may hold it; decoded anew, so that it is what a replay would see.
            for name, payload in changed.items():
                self._decoded[name] = self._values.decode_one(payload)
            for name in removed:
                self._decoded.pop(name, None)
        return UpsertMemo(memo=changed, removed=removed)

    # -- search attributes -----------------------------------------------------------------------------------------

    def upsert_search_attributes(
        self, updates: SearchAttributes | Sequence[SearchAttributeUpdate[Any]]
    ) -> UpsertSearchAttributes:
        """Changes search attributes; a missing value removes. What is to be recorded of it."""
        if isinstance(updates, Mapping):
            return self._upsert_untyped(updates)
        changed = {
            update.key.name: encode_search_attribute_value(update)
            for update in updates
            if update.value is not None
        }
        removed = tuple(update.key.name for update in updates if update.value is None)
        for update in updates:
            self._set(update.key.name, update.key, update.value)
            values = TypedSearchAttributes([SearchAttributePair(update.key, update.value)])
            self.untyped[update.key.name] = (
                [] if update.value is None else untyped(values)[update.key.name]
            )
        return UpsertSearchAttributes(search_attributes=changed, removed=removed)

    def _upsert_untyped(self, updates: SearchAttributes) -> UpsertSearchAttributes:
        known = {pair.key.name: pair.key.indexed_value_type.type_name for pair in self.typed}
        changed = {
            name: _encoded_as(known.get(name), name, values)
            for name, values in updates.items()
            if values
        }
        removed = tuple(name for name, values in updates.items() if not values)
        for pair in decode_search_attributes(changed):
            self._set(pair.key.name, pair.key, pair.value)
        for name in removed:
            self._set(name, None, None)
        self.untyped.update(updates)
        return UpsertSearchAttributes(search_attributes=changed, removed=removed)

    def _set(self, name: str, key: SearchAttributeKey[Any] | None, value: Any) -> None:
        pairs = cast("list[SearchAttributePair[Any]]", self.typed.search_attributes)
        pairs[:] = [pair for pair in pairs if pair.key.name != name]
        if key is not None and value is not None:
            pairs.append(SearchAttributePair(key, value))
            pairs.sort(key=lambda pair: pair.key.name)


def _encoded_as(kind: str | None, name: str, values: SearchAttributeValues) -> Payload:
    """Under the type that the run has for this name, else under the one that the values look like."""
    try:
        return encode_untyped(name, values, kind)
    except TypeError:
        if kind is None:
            raise
        return encode_untyped(name, values)
