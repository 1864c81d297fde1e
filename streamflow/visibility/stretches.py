"""An order cut into stretches, one behind the other, so that each can be walked on one index.

ORDER BY CloseTime                        those that have one; those that have none, by their start
ORDER BY ExecutionStatus, CloseTime       for each status: those that have a close time, those that have none
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from streamflow.visibility.binding import Compare, Condition, IsNull, Not
from streamflow.visibility.paging import Key, KeyValue, Order, Place
from streamflow.visibility.syntax import Operator

ValuesOf = Callable[[Key, KeyValue], Iterator[str]]
"""The values that runs have, in the key's direction, from a value on."""

_FEW_VALUES: Final = frozenset({"status", "workflow_type", "queue"})
"""Columns in which many runs have the same value."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Runs that follow each other in the order, and what they have in common."""

    parts: tuple[Condition, ...]
    """Beside the filter's own."""
    values: tuple[KeyValue, ...]
    """Of the first keys of the order, which are the same in all of it."""
    keys: tuple[Key, ...]
    """The rest of the keys; of the first of these, every run has a value."""
    behind: Place | None


def stretches(order: Order, behind: Place | None, values_of: ValuesOf | None) -> Iterator[Stretch]:
    """The whole order, behind a place.

    ``values_of``: with it, runs are also told apart by the values of a first key of which there are few.
    """
    yield from _Cutting(order, values_of).cut(order.keys, behind)


class _Cutting:
    def __init__(self, order: Order, values_of: ValuesOf | None) -> None:
        self._order = order
        self._values_of = values_of

    def cut(self, keys: tuple[Key, ...], behind: Place | None) -> Iterator[Stretch]:
        if not keys:
            yield Stretch((), (), (), behind)
            return
        first, rest = keys[0], keys[1:]
        last = behind.values[0] if behind is not None else None
        inner = None if behind is None else Place(behind.values[1:], behind.row)
        if first.may_be_missing:
            missing = IsNull(first.attribute)
            if behind is None or last is not None:
                yield Stretch((Not(missing),), (), keys, behind)
                inner = None
            yield from self._within(missing, None, rest, inner)
        elif self._values_of and self._is_to_be_cut(first, rest):
            for value in self._values_of(first, last):
                same = Compare(first.attribute, Operator.EQUAL, value)
                yield from self._within(same, value, rest, inner if value == last else None)
        else:
            yield Stretch((), (), keys, behind)

    def _within(
        self, part: Condition, value: KeyValue, keys: tuple[Key, ...], behind: Place | None
    ) -> Iterator[Stretch]:
        for stretch in self.cut(keys, behind):
            yield replace(stretch, parts=(part, *stretch.parts), values=(value, *stretch.values))

    def _is_to_be_cut(self, key: Key, rest: tuple[Key, ...]) -> bool:
        """Whether an index over this key alone would leave many runs to be sorted."""
        is_in_order = not rest and key.descending == self._order.descending
        return key.attribute.column in _FEW_VALUES and not is_in_order
