"""Filling the tables: what a stretch of the feed said, and how far it was, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    select,
    text,
    true,
    update,
)

from streamflow.model.answers import ExecutionSummary
from streamflow.visibility.database import lock_until_commit
from streamflow.visibility.rows import (
    START_BYTES,
    AttributeRow,
    ExecutionRow,
    attribute_rows,
    execution_row,
    row_id,
    row_mark,
    scope_of,
)
from streamflow.visibility.tables import attributes, executions, feeds, kinds, positions
from streamflow.visibility.words import clean

ANALYZE_AFTER_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Gone:
    """A run that was deleted."""

    scope: str
    workflow_id: str
    run_id: str
    mark: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """What a stretch of one partition says. Each run is in it once."""

    rows: list[ExecutionRow] = field(default_factory=list[ExecutionRow])
    attributes: list[AttributeRow] = field(default_factory=list[AttributeRow])
    kinds: dict[str, str] = field(default_factory=dict[str, str])
    """Of the search attributes seen in it, by name."""
    gone: list[Gone] = field(default_factory=list[Gone])

    def add(self, namespace: str, summary: ExecutionSummary, value: bytes) -> None:
        """``value`` is the summary as the feed wrote it."""
        row = row_id(namespace, summary)
        self.rows.append(execution_row(row, namespace, summary, value))
        self.attributes.extend(attribute_rows(row, namespace, summary, kinds=self.kinds))

    def take_away(self, namespace: str, queue: str, workflow_id: str, run_id: str) -> None:
        self.gone.append(
            Gone(
                scope=scope_of(namespace, queue),
                workflow_id=clean(workflow_id),
                run_id=clean(run_id),
                mark=row_mark(namespace, queue, workflow_id, run_id),
            )
        )


def move(
    connection: Connection, topic: str, partition: int, *, begins: int, next_offset: int
) -> bool:
    """Notes how far the feed was read; False: it is not read up to where this begins, so another was quicker."""
    lock_until_commit(connection, topic, shared=True)
    # Two projectors of one feed: the second waits here, and then finds the position moved.
    lock_until_commit(connection, f"{topic}/{partition}")
    here = and_(positions.c.topic == topic, positions.c.part == partition)
    found = connection.execute(select(positions.c.next_offset).where(here)).scalar()
    if (0 if found is None else found) != begins:
        return False
    connection.execute(delete(positions).where(here))
    connection.execute(
        insert(positions).values(topic=topic, part=partition, next_offset=next_offset)
    )
    return True


def note_skipped(connection: Connection, topic: str, schemas: str) -> None:
    """Notes that a reader of these schemas left something of the topic out."""
    known = func.coalesce(feeds.c.skipped_by, schemas)
    noted = case((known == schemas, schemas), else_="")
    connection.execute(update(feeds).where(feeds.c.topic == topic).values(skipped_by=noted))


def write(connection: Connection, namespace: str, changes: Changes) -> None:
    """The changes in the tables; rows that are there already are replaced."""
    for gone in changes.gone:
        _take_away(connection, gone)
    _write_kinds(connection, namespace, changes.kinds)
    keys = [row[0] for row in changes.rows]
    if connection.dialect.name == "sqlite":
        _write_to_sqlite(connection, keys, changes)
    else:
        _write_to_postgres(connection, keys, changes)


def forget(connection: Connection, topic: str, scopes: Sequence[str], namespace: str) -> None:
    """Drops every row of the scopes, and that anything was read of the topic."""
    # Who writes just now would leave a position behind, beyond rows that are dropped here.
    lock_until_commit(connection, topic)
    others = select(func.count()).select_from(positions).where(positions.c.topic != topic)
    is_only = connection.execute(others).scalar() == 0
    for table in (attributes, executions):
        # Emptying a whole table is far quicker than deleting each of its rows.
        connection.execute(delete(table).where(true() if is_only else table.c.scope.in_(scopes)))
    connection.execute(delete(kinds).where(kinds.c.namespace == namespace))
    connection.execute(delete(positions).where(positions.c.topic == topic))
    connection.execute(delete(feeds).where(feeds.c.topic == topic))


def _take_away(connection: Connection, gone: Gone) -> None:
    mark = func.substr(executions.c.row, START_BYTES + 1)
    found = connection.execute(
        select(executions.c.row).where(
            executions.c.scope == gone.scope,
            executions.c.workflow_id == gone.workflow_id,
            executions.c.run_id == gone.run_id,
            mark == gone.mark,
        )
    ).scalars()
    for row in found.all():
        connection.execute(delete(attributes).where(attributes.c.row == row))
        connection.execute(delete(executions).where(executions.c.row == row))


def _write_kinds(connection: Connection, namespace: str, seen: dict[str, str]) -> None:
    if not seen:
        return
    here = kinds.c.namespace == namespace
    known = {
        found.name: found.kind
        for found in connection.execute(select(kinds.c.name, kinds.c.kind).where(here))
    }
    if all(known.get(name) == kind for name, kind in seen.items()):
        return
    # Several partitions may be filled at a time, and all of them write here.
    lock_until_commit(connection, f"{namespace} kinds")
    for name, kind in sorted(seen.items()):
        connection.execute(delete(kinds).where(here, kinds.c.name == name))
        connection.execute(insert(kinds).values(namespace=namespace, name=name, kind=kind))


# -- many rows ----------------------------------------------------------------------------------------------------
# Through the drivers: building parameters for each row would cost more than writing it.


def _write_to_sqlite(connection: Connection, keys: list[bytes], changes: Changes) -> None:
    cursor: Any = connection.connection.cursor()
    try:
        rows = [(key,) for key in keys]
        cursor.executemany(f"DELETE FROM {executions.name} WHERE row = ?", rows)
        if cursor.rowcount:
            cursor.executemany(f"DELETE FROM {attributes.name} WHERE row = ?", rows)
        for table, values in ((executions, changes.rows), (attributes, changes.attributes)):
            places = ", ".join("?" * len(table.c))
            cursor.executemany(f"INSERT INTO {table.name} VALUES ({places})", values)
    finally:
        cursor.close()


def _write_to_postgres(connection: Connection, keys: list[bytes], changes: Changes) -> None:
    cursor: Any = connection.connection.cursor()
    try:
        cursor.execute(f"DELETE FROM {executions.name} WHERE row = ANY(%s)", (keys,))
        if cursor.rowcount:
            cursor.execute(f"DELETE FROM {attributes.name} WHERE row = ANY(%s)", (keys,))
        _copy(cursor, executions, changes.rows)
        _copy(cursor, attributes, changes.attributes)
    finally:
        cursor.close()


def _copy(cursor: Any, table: Table, values: Sequence[tuple[Any, ...]]) -> None:
    if not values:
        return
    columns = ", ".join(f'"{column.name}"' for column in table.c)
    with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for value in values:
            copy.write_row(value)


class Statistics:
    """Databases choose their indexes by statistics: those are made anew whenever the store has doubled."""

    def __init__(self) -> None:
        self._written = 0
        self._analyze_at = ANALYZE_AFTER_ROWS

    def look_at(self, connection: Connection, written: int) -> None:
        self._written += written
        if self._written >= self._analyze_at:
            self._analyze_at = 2 * self._written
            if connection.dialect.name == "sqlite":
                connection.execute(text("PRAGMA analysis_limit=400"))
                connection.execute(text("ANALYZE"))
            else:
                connection.execute(text(f"ANALYZE {executions.name}, {attributes.name}"))
