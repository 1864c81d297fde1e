"""The order of a list, and the tokens by which its pages are continued.

Runs are in the order of the keys that ORDER BY names, then of their rows: that tells any two apart, and as rows begin
with the start, it sorts by start where nothing else does. A token is the last run's keys and row, so that a page begins behind it
whatever was added or taken away since.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from streamflow.visibility.binding import Ordering
from streamflow.visibility.catalog import Attribute, Kind
from streamflow.visibility.errors import FilterError
from streamflow.visibility.tables import ROW_BYTES, executions
from streamflow.visibility.words import clean

KeyValue = str | int | float | None
_TEXT_KINDS: Final = frozenset({Kind.KEYWORD, Kind.STATUS})
_REAL_KINDS: Final = frozenset({Kind.DOUBLE, Kind.DATETIME})


@dataclass(frozen=True, slots=True)
class Key:
    """Runs without a value come last, in either direction."""

    attribute: Attribute
    descending: bool

    @property
    def may_be_missing(self) -> bool:
        column = self.attribute.column
        return column is None or bool(executions.c[column].nullable)


@dataclass(frozen=True, slots=True)
class Order:
    keys: tuple[Key, ...]
    descending: bool
    """Of the rows, behind all keys."""

    @staticmethod
    def of(orderings: Sequence[Ordering]) -> Order:
        """Without any: the newest first."""
        if not orderings:
            return Order((), descending=True)
        keys: dict[Attribute, Key] = {}
        for ordering in orderings:  # an attribute that is named again decides nothing more
            keys.setdefault(ordering.attribute, Key(ordering.attribute, ordering.descending))
        found = tuple(keys.values())
        # A start at the end is what rows are sorted by themselves, then in its own direction.
        if found[-1].attribute.column == "started_ms":
            return Order(found[:-1], found[-1].descending)
        return Order(found, found[0].descending)


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which run a page begins."""

    values: tuple[KeyValue, ...]
    row: bytes


class _Token(msgspec.Struct, array_like=True):
    order: int
    row: str
    values: list[str | int | float | None]


def token_of(order: Order, place: Place) -> str:
    return msgspec.json.encode(_Token(_mark(order), place.row.hex(), list(place.values))).decode()


def place_of(order: Order, token: str) -> Place | None:
    """Where a token points to; ``None`` for no token.

    Raises:
        FilterError: it is no token of a list in this order.
    """
    if not token:
        return None
    try:
        found = msgspec.json.decode(token, type=_Token)
        row = bytes.fromhex(found.row)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise FilterError(
            "Expected a page token that a list has given, found another text", 0
        ) from None
    fits = len(found.values) == len(order.keys) and all(map(_fits, order.keys, found.values))
    if found.order != _mark(order) or len(row) != ROW_BYTES or not fits:
        raise FilterError(
            "Expected a page token of a list with this ORDER BY, found one of another list: begin without a token",
            0,
        )
    return Place(tuple(clean(v) if isinstance(v, str) else v for v in found.values), row)


def _mark(order: Order) -> int:
    """Tells orders apart: their tokens mean nothing to each other."""
    names = [(key.attribute.name, key.attribute.kind.value, key.descending) for key in order.keys]
    return zlib.crc32(repr((names, order.descending)).encode())


def _fits(key: Key, value: Any) -> bool:
    kind = key.attribute.kind
    match value:
        case None:
            return key.may_be_missing
        case str():
            return kind in _TEXT_KINDS
        case int():
            return kind not in _TEXT_KINDS and -(2**63) <= value < 2**63
        case _:
            return kind in _REAL_KINDS and key.attribute.column is None
