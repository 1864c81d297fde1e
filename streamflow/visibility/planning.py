"""How a page is found: by which index, so that neither the table nor many runs have to be looked at.

    gather   a condition that few runs pass, as an index says: those are fetched, tested and sorted
    walk     no such condition: an index is followed in the order of the page, and runs are tested until it is full
    whole    neither: no index has this order, so that every run has to be tested and sorted

Databases guess badly here, as they do not know how soon a page is full. So it is counted, up to a bound, before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CompoundSelect, Select, select, text, union_all

from streamflow.visibility import binding, sql
from streamflow.visibility.binding import And, Between, Compare, Condition, In, IsNull, Not, Or
from streamflow.visibility.catalog import STATUS_NAMES, Attribute, Kind
from streamflow.visibility.syntax import Operator
from streamflow.visibility.tables import (
    INDEXES,
    ONLY_WHETHER,
    ORDERED,
    VALUE_INDEXES,
    attributes,
    executions,
)

Rows = Select[Any] | CompoundSelect[Any]
"""A query for rows, which may find some twice."""

ALTERNATIVES_MAX: Final = 20
"""Of an OR that is gathered."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Numbers of runs by which plans are chosen."""

    gathered: int = 20_000
    """Of fewer it takes at most some 50 ms to fetch, test and sort them all for a page; on PostgreSQL, twice that."""
    sorted: int = 40_000
    """The same where nothing is left to fetch and to test, as an index says all."""
    counted: int = 50_000
    """From here on all conditions are the same: common."""


POSTGRES: Final = Bounds(gathered=10_000)
FEW: Final = 500
"""So few are soon looked through: no other condition needs to be counted."""
PARTS_MAX: Final = 10

Equal = Compare | IsNull


@dataclass(frozen=True, slots=True)
class Gather:
    rows: Rows
    fixed: tuple[Condition, ...]
    """What all of them pass, so that it is not tested again."""
    alone: bool
    """Whether nothing else is asked of them, nor of their order: they only have to be sorted."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Over an index of `executions`, or over that of an attribute's values."""

    columns: tuple[str, ...] = ()
    attribute: Attribute | None = None
    fixed: tuple[Condition, ...] = ()
    """What its part of the index has in common. None for an attribute: the walk is in the order of its values."""


@dataclass(frozen=True, slots=True)
class Whole:
    pass


Plan = Gather | Walk | Whole


@dataclass(frozen=True, slots=True)
class Counted:
    """How many runs pass conditions that an index can count, as far as it was counted."""

    condition: Condition
    rows: Rows
    count: int


def parts_of(where: Condition | None) -> tuple[Condition, ...]:
    """What all has to be true."""
    match where:
        case None:
            return ()
        case And():
            return tuple(part for inner in where.parts for part in parts_of(inner))
        case _:
            return (where,)


def count_parts(
    parts: Sequence[Condition], scopes: Sequence[str], count: Callable[[Rows], int]
) -> list[Counted]:
    """The first of those parts that an index can count, the rarest first."""
    found: list[Counted] = []
    for part in parts:
        rows = rows_of(part, scopes)
        if rows is not None:
            found.append(Counted(part, rows, count(rows)))
            if found[-1].count < FEW or len(found) == PARTS_MAX:
                break
    return sorted(found, key=lambda one: one.count)


def rare(
    counted: Sequence[Counted], parts: Sequence[Condition], *, by_row: bool, bounds: Bounds
) -> Gather | None:
    """``by_row``: whether the order is that of the rows alone."""
    if not counted:
        return None
    rarest = counted[0]
    fixed = (rarest.condition,) if _is_exact(rarest.condition) else ()
    alone = by_row and all(part in fixed for part in parts)
    few = bounds.sorted if alone else bounds.gathered
    return Gather(rarest.rows, fixed, alone) if rarest.count < few else None


def _is_exact(part: Condition) -> bool:
    """Whether `rows_of` finds no more than what passes: of an AND it takes one part only."""
    match part:
        case Or():
            return all(_is_exact(inner) for inner in part.parts)
        case And():
            return False
        case _:
            return True


def is_served(found: Walk | Whole, parts: Sequence[Condition], key: Attribute | None) -> bool:
    """Whether every run of a walk passes these parts: nothing has to be counted then."""
    return isinstance(found, Walk) and all(
        part in found.fixed or (key is None and _column(part) == "started_ms") for part in parts
    )


def walk(
    parts: Sequence[Condition], key: Attribute | None, counted: Sequence[Counted]
) -> Walk | Whole:
    """The walk past the fewest runs. ``key`` is the first of the order; ``None``: by start."""
    if key is not None and key.column is None:
        return Walk(attribute=key)
    counts = {id(one.condition): one.count for one in counted}
    equal = _equalities(parts)
    choices: list[tuple[int, int, Walk]] = []
    for columns in ORDERED:
        fixed = _fixed(columns, key)
        if fixed is not None and all(name in equal for name in fixed):
            same = tuple(equal[name] for name in fixed)
            fewest = min((counts.get(id(part), sys.maxsize) for part in same), default=sys.maxsize)
            choices.append((fewest, -len(fixed), Walk(columns, fixed=same)))
    if key is None:
        for part in parts:
            if isinstance(part, Compare) and _is_equal_attribute(part):
                count = counts.get(id(part), sys.maxsize)
                choices.append((count, -1, Walk(attribute=part.attribute, fixed=(part,))))
    return min(choices, key=lambda one: one[:2])[2] if choices else Whole()


def rows_of(part: Condition, scopes: Sequence[str]) -> Rows | None:
    """A query for all that pass the condition, and perhaps some more; ``None``: no index finds them."""
    match part:
        case Or():
            return _any_of([rows_of(inner, scopes) for inner in part.parts])
        case And():
            found = [rows_of(inner, scopes) for inner in part.parts]
            return next((rows for rows in found if rows is not None), None)
        case Not(IsNull() as missing):
            return _indexed(missing.attribute, scopes, sql.is_there)
        case Compare() if part.operator is Operator.NOT_EQUAL:
            if part.attribute.kind is not Kind.STATUS:
                return None
            others = tuple(one.value for one in STATUS_NAMES if one.value != part.value)
            return rows_of(In(part.attribute, others), scopes)
        case Compare() if (
            part.operator is Operator.CONTAINS and part.attribute.kind is Kind.KEYWORD
        ):
            return None
        case IsNull() if part.attribute.column == "closed_ms":
            return _indexed(part.attribute, scopes, lambda value: value.is_(None))
        case Compare() | Between() | In():
            return _indexed(
                part.attribute, scopes, sql.test_of(part), above_one=_passes_above_one_only(part)
            )
        case _:
            return None


def _any_of(found: Sequence[Rows | None]) -> Rows | None:
    """Nothing, where one of the alternatives is not found by an index."""
    selects: list[Any] = []
    for rows in found:
        match rows:
            case None:
                return None
            case CompoundSelect():  # SQLite has no union within a union
                selects += rows.selects
            case _:
                selects.append(rows)
    return None if len(selects) > ALTERNATIVES_MAX else union_all(*selects)


def _indexed(
    attribute: Attribute, scopes: Sequence[str], test: sql.Test, *, above_one: bool = False
) -> Rows | None:
    if attribute.column is None:
        name = VALUE_INDEXES[sql.held(attribute.kind).name].name
        rows = sql.rows_with(attribute, scopes, test)
        return rows.with_hint(attributes, f"INDEXED BY {name}", "sqlite")
    if (attribute.column,) not in INDEXES:
        return None
    name = INDEXES[(attribute.column,)].name
    column = executions.c[attribute.column]
    rows = select(executions.c.row).where(sql.in_scopes(scopes), test(column))
    if attribute.column == "max_attempt":
        if not above_one:
            return None
        rows = rows.where(column > text("1"))  # as the index is defined
    elif attribute.column in ONLY_WHETHER:
        rows = rows.where(sql.is_there(column))  # no value is in the index that could say so
    return rows.with_hint(executions, f"INDEXED BY {name}", "sqlite")


def _passes_above_one_only(part: Compare | Between | In) -> bool:
    match part:
        case Between():
            least = [part.low]
        case In():
            least = list(part.values)
        case Compare(operator=Operator.GREATER):
            return isinstance(part.value, int | float) and part.value >= 1
        case Compare(operator=Operator.EQUAL | Operator.GREATER_OR_EQUAL):
            least = [part.value]
        case _:
            return False
    return all(isinstance(value, int | float) and value > 1 for value in least)


def _fixed(columns: tuple[str, ...], key: Attribute | None) -> tuple[str, ...] | None:
    """What has to be equal for an index to have runs in an order; ``None``: it never has them in it."""
    if key is not None:
        return columns[:-1] if columns[-1] == key.column else None
    return () if columns == ("started_ms",) else columns


def _equalities(parts: Sequence[Condition]) -> Mapping[str, Equal]:
    found: dict[str, Equal] = {}
    for part in parts:
        if isinstance(part, Compare) and part.operator is Operator.EQUAL and part.attribute.column:
            found[part.attribute.column] = part
        elif isinstance(part, IsNull) and part.attribute.column == "closed_ms":
            found["closed_ms"] = part
    return found


def _is_equal_attribute(part: Compare) -> bool:
    """A run has each of its values once, so that it comes once in such a walk."""
    if part.attribute.column is not None:
        return False
    match part.attribute.kind:
        case Kind.TEXT:
            return False
        case Kind.KEYWORD_LIST:
            return part.operator in (Operator.EQUAL, Operator.CONTAINS)
        case _:
            return part.operator is Operator.EQUAL


def _column(part: Condition) -> str | None:
    match part:
        case binding.Compare() | binding.Between() | binding.In() | binding.IsNull():
            return part.attribute.column
        case _:
            return None
