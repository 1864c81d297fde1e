"""A page of runs: split into stretches that an index can serve, each found as `planning` says.

Rows are found first and their summaries fetched after: sorting would carry them along.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    or_,
    select,
    text,
    tuple_,
)

from streamflow.visibility import planning, sql
from streamflow.visibility.binding import Bound, Compare, Condition, IsNull, Not
from streamflow.visibility.paging import Key, KeyValue, Order, Place, place_of, token_of
from streamflow.visibility.planning import Bounds, Gather, Plan, Rows, Walk, Whole
from streamflow.visibility.rows import START_BYTES, attribute_key
from streamflow.visibility.stretches import Stretch, stretches
from streamflow.visibility.tables import INDEXES, VALUE_INDEXES, attributes, executions

PAGE_MAX: Final = 1_000
_BY_ROW: Final = "INDEXED BY sqlite_autoindex_sf_executions_1"


@dataclass(frozen=True)
class Page:
    """Runs as the feed wrote them, and where the next page begins (empty: nowhere)."""

    summaries: Sequence[bytes]
    next_page_token: str


def read_page(
    connection: Connection,
    scopes: Sequence[str],
    bound: Bound,
    bounds: Bounds,
    *,
    page_size: int,
    token: str,
) -> Page:
    """Raises `FilterError` for a token of another list."""
    size = max(1, min(page_size, PAGE_MAX))
    order = Order.of(bound.order_by)
    found = _Reading(connection, scopes, bound, order, bounds).places(
        place_of(order, token), size + 1
    )
    here = found[:size]
    summaries = _summaries(connection, [place.row for place in here])
    return Page(
        [summaries[place.row] for place in here if place.row in summaries],
        token_of(order, here[-1]) if len(found) > size else "",
    )


class _Reading:
    def __init__(
        self,
        connection: Connection,
        scopes: Sequence[str],
        bound: Bound,
        order: Order,
        bounds: Bounds,
    ) -> None:
        self._connection = connection
        self._scopes = scopes
        self._order = order
        self._bounds = bounds
        self._parts = planning.parts_of(bound.where)
        self._counted: Sequence[planning.Counted] = ()
        self._gather: Gather | None = None

    def places(self, behind: Place | None, limit: int) -> list[Place]:
        keys = self._order.keys
        key = keys[0].attribute if keys else None
        if len(self._scopes) == 1 and not planning.is_served(
            planning.walk(self._parts, key, ()), self._parts, key
        ):
            self._counted = planning.count_parts(self._parts, self._scopes, self._count)
            self._gather = planning.rare(
                self._counted, self._parts, by_row=not keys, bounds=self._bounds
            )
        found: list[Place] = []
        for stretch in stretches(
            self._order, behind, self._values_of if self._is_walking else None
        ):
            found += self._read(stretch, limit - len(found))
            if len(found) >= limit:
                break
        return found

    # -- statements

    @property
    def _is_walking(self) -> bool:
        return self._gather is None and len(self._scopes) == 1

    def _values_of(self, key: Key, start: KeyValue) -> Iterator[str]:
        """The values that runs have, in the key's direction, from a value on; one look into the index for each."""
        column = executions.c[str(key.attribute.column)]
        end = func.max(column) if key.descending else func.min(column)
        in_scope = select(end).where(sql.in_scopes(self._scopes))
        value = start
        if value is None:
            value = self._connection.execute(in_scope).scalar()
        while isinstance(value, str):
            yield value
            beyond = column < value if key.descending else column > value
            value = self._connection.execute(in_scope.where(beyond)).scalar()

    def _count(self, rows: Rows) -> int:
        few = rows.limit(self._bounds.counted).subquery()
        return self._connection.execute(select(func.count()).select_from(few)).scalar_one()

    def _read(self, stretch: Stretch, limit: int) -> list[Place]:
        parts = (*self._parts, *stretch.parts)
        key = stretch.keys[0].attribute if stretch.keys else None
        plan: Plan = self._gather or Whole()
        if self._is_walking:
            plan = planning.walk(parts, key, self._counted)
        _advise(self._connection, plan)
        if isinstance(plan, Gather) and plan.alone:
            query = self._sorted(plan, stretch)
        else:
            query = self._query(plan, parts, stretch)
        return [
            Place((*stretch.values, *(_plain(value) for value in found[1:])), bytes(found[0]))
            for found in self._connection.execute(query.limit(limit))
        ]

    def _sorted(self, plan: Gather, stretch: Stretch) -> Select[Any]:
        """Rows that an index has found, without a look at the runs."""
        # Else PostgreSQL would rather walk all runs by start, not knowing how many it passes.
        found = plan.rows.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
        row = found.c.row
        query = select(row).distinct()  # alternatives, and lists of values, find some twice
        sorting = _Sorting(stretch, (), row, self._order.descending, plan)
        if stretch.behind is not None:
            query = query.where(sorting.behind(stretch.behind))
        return query.order_by(*sorting.clauses())

    def _query(self, plan: Plan, parts: Sequence[Condition], stretch: Stretch) -> Select[Any]:
        row: ColumnElement[Any] = executions.c.row
        values = [sql.sort_value(key.attribute) for key in stretch.keys]
        hints: list[tuple[Any, str]] = []
        where: list[ColumnElement[bool]] = [sql.in_scopes(self._scopes)]
        match plan:
            case Gather():
                found = plan.rows.subquery("found")
                where.append(row.in_(select(found.c.row)))
                hints.append((executions, _BY_ROW))
            case Walk(attribute=None):
                hints.append((executions, f"INDEXED BY {INDEXES[plan.columns].name}"))
            case Walk():
                assert plan.attribute is not None
                row = attributes.c.row
                held = sql.held(plan.attribute.kind)
                if not plan.fixed:
                    values[0] = held
                index = VALUE_INDEXES[held.name]
                hints += [(attributes, f"INDEXED BY {index.name}"), (executions, _BY_ROW)]
                where += [
                    attributes.c.scope == self._scopes[0],
                    attributes.c.attribute
                    == attribute_key(plan.attribute.kind, plan.attribute.name),
                    *([] if plan.fixed else [sql.is_there(held)]),
                    attributes.c.row == executions.c.row,
                    *(sql.test_of(part)(held) for part in plan.fixed if isinstance(part, Compare)),
                ]
            case Whole():
                pass
        one_by_one = not isinstance(plan, Whole)
        done: tuple[Condition, ...] = ()
        if isinstance(plan, Gather):
            done = plan.fixed
        elif isinstance(plan, Walk) and plan.attribute is not None:
            done = (*plan.fixed, Not(IsNull(plan.attribute)))
        where += [
            sql.condition(part, self._scopes, one_by_one=one_by_one)
            for part in parts
            if part not in done
        ]
        query = select(executions.c.row, *values).where(*where)
        sorting = _Sorting(stretch, values, row, self._order.descending, plan)
        if stretch.behind is not None:
            query = query.where(sorting.behind(stretch.behind))
        for table, hint in hints:
            query = query.with_hint(table, hint, "sqlite")
        return query.order_by(*sorting.clauses())


class _Sorting:
    """ORDER BY of a stretch, and what says that a run is behind a place in it."""

    def __init__(
        self,
        stretch: Stretch,
        values: Sequence[ColumnElement[Any]],
        row: ColumnElement[Any],
        descending: bool,
        plan: Plan,
    ) -> None:
        self._keys = stretch.keys
        self._values = values
        self._row = row
        self._descending = descending
        # The one index that has the start beside the row, which begins with it.
        self._by_start = not stretch.keys and plan == Walk(("started_ms",))

    def clauses(self) -> Iterator[ColumnElement[Any]]:
        if self._by_start:
            yield _directed(executions.c.started_ms, self._descending)
        for number, (key, value) in enumerate(zip(self._keys, self._values, strict=True)):
            if number and key.may_be_missing:
                yield value.is_(None)
            yield _directed(value, key.descending)
        yield _directed(self._row, self._descending)

    def behind(self, place: Place) -> ColumnElement[bool]:
        if self._by_start:
            started_ms = int.from_bytes(place.row[:START_BYTES], "big")
            here = tuple_(executions.c.started_ms, self._row)
            there = tuple_(started_ms, place.row)
            return here < there if self._descending else here > there
        beyond_row = self._row < place.row if self._descending else self._row > place.row
        if not self._keys:
            return beyond_row
        choices: list[ColumnElement[bool]] = []
        equal: list[ColumnElement[bool]] = []
        for number, (key, value, last) in enumerate(
            zip(self._keys, self._values, place.values, strict=True)
        ):
            if last is None:
                equal.append(value.is_(None))
                continue
            beyond = value < last if key.descending else value > last
            if number and key.may_be_missing:
                beyond = or_(beyond, value.is_(None))
            choices.append(and_(*equal, beyond))
            equal.append(value == last)
        first, last = self._keys[0], place.values[0]
        # Says nothing new, but where an index is to be entered.
        entry = self._values[0] <= last if first.descending else self._values[0] >= last
        return and_(entry, or_(*choices, and_(*equal, beyond_row)))


def _directed(value: ColumnElement[Any], descending: bool) -> ColumnElement[Any]:
    return value.desc() if descending else value.asc()


def _advise(connection: Connection, plan: Plan) -> None:
    """PostgreSQL takes no hints of indexes, but it can be kept from sorting what is not to be sorted."""
    if connection.dialect.name == "postgresql":
        off = (
            {"enable_seqscan", "enable_hashjoin", "enable_mergejoin"}
            if not isinstance(plan, Whole)
            else set[str]()
        )
        if isinstance(plan, Walk):
            off |= {"enable_sort", "enable_bitmapscan"}
        settings = ", ".join(
            f"set_config('{name}', '{'off' if name in off else 'on'}', true)"
            for name in (
                "enable_seqscan",
                "enable_hashjoin",
                "enable_mergejoin",
                "enable_sort",
                "enable_bitmapscan",
            )
        )
        connection.execute(text(f"SELECT {settings}, set_config('jit', 'off', true)"))


def _summaries(connection: Connection, rows: Sequence[bytes]) -> dict[bytes, bytes]:
    found = select(executions.c.row, executions.c.summary).where(executions.c.row.in_(rows))
    return {bytes(one.row): bytes(one.summary) for one in connection.execute(found)}


def _plain(value: Any) -> KeyValue:
    """As JSON has it: databases give some numbers as decimals."""
    return value if value is None or isinstance(value, str | int | float) else float(value)
