"""How many runs there are, and how many in each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from streamflow.model.options import Status
from streamflow.visibility import sql
from streamflow.visibility.binding import Bound
from streamflow.visibility.catalog import STATUS_NAMES, Attribute, Kind
from streamflow.visibility.tables import executions

GROUPS_MAX: Final = 1_000


@dataclass(frozen=True)
class Group:
    count: int
    values: Sequence[str | int | float | bool | None]


@dataclass(frozen=True)
class Count:
    count: int
    groups: Sequence[Group]


def count(connection: Connection, scopes: Sequence[str], bound: Bound) -> Count:
    """The largest group comes first."""
    where = [sql.in_scopes(scopes)]
    if bound.where is not None:
        where.append(sql.condition(bound.where, scopes, one_by_one=False))
    if not bound.group_by:
        total = select(func.count()).select_from(executions).where(*where)
        return Count(connection.execute(total).scalar_one(), ())
    values = [
        sql.sort_value(attribute).label(f"g{number}")
        for number, attribute in enumerate(bound.group_by)
    ]
    inner = select(*values).select_from(executions).where(*where).subquery()
    counted = func.count().label("n")
    rows = connection.execute(
        select(counted, *inner.c)
        .group_by(*inner.c)
        .order_by(counted.desc(), *inner.c)
        .limit(GROUPS_MAX)
    ).all()
    groups = tuple(Group(row[0], tuple(map(_shown, bound.group_by, row[1:]))) for row in rows)
    return Count(sum(group.count for group in groups), groups)


def _shown(attribute: Attribute, value: Any) -> str | int | float | bool | None:
    match attribute.kind:
        case _ if value is None:
            return None
        case Kind.STATUS:
            return STATUS_NAMES[Status(value)]
        case Kind.BOOL:
            return bool(value)
        case _:
            # Databases give some numbers as decimals.
            return value if isinstance(value, str | int | float) else float(value)
