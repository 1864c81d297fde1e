"""The store: rows of runs in SQLite or PostgreSQL, kept in step with a feed, and asked by list filters.

Thread-safe. Every call is one transaction, and blocks its thread.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    create_engine,
    delete,
    event,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.pool import StaticPool

from streamflow.common import SearchAttributeIndexedValueType
from streamflow.model.options import Status
from streamflow.schedules.facts import SCHEDULES_QUEUE
from streamflow.visibility import sql
from streamflow.visibility.binding import Bound, Ordering
from streamflow.visibility.catalog import BUILT_IN, STATUS_NAMES, Attribute, Kind
from streamflow.visibility.errors import FilterError
from streamflow.visibility.rows import Row
from streamflow.visibility.tables import (
    LAYOUT,
    attributes,
    executions,
    feeds,
    metadata,
    positions,
)

PAGE_MAX: Final = 1_000
GROUPS_MAX: Final = 1_000
ANALYZE_AFTER_ROWS: Final = 10_000
_CHUNK: Final = 500
"""Keys in one statement: SQLite bounds the number of parameters."""
_DEFAULT_ORDER: Final = (Ordering(BUILT_IN["StartTime"], True),)


@dataclass(frozen=True)
class Page:
    """Runs as the feed wrote them, and where the next page begins (empty: nowhere)."""

    summaries: Sequence[bytes]
    next_page_token: str


@dataclass(frozen=True)
class Group:
    count: int
    values: Sequence[str | int | float | bool | None]


@dataclass(frozen=True)
class Count:
    count: int
    groups: Sequence[Group]


class Store:
    """Rows of one database. Made by `open`; several processes may share one on PostgreSQL."""

    def __init__(self, engine: Engine, *, one_at_a_time: bool) -> None:
        self._engine = engine
        # SQLite writes one at a time anyway, and its in-memory database has one connection.
        self._lock = threading.RLock() if one_at_a_time else None
        self._unanalyzed = 0
        metadata.create_all(engine)

    @staticmethod
    def open(url: str = "sqlite://") -> Store:
        """The store at an SQLAlchemy URL: ``sqlite://`` in memory, ``sqlite:///FILE``, ``postgresql://...``.

        Raises:
            ValueError: the URL is for another database.
        """
        if url.startswith(("postgresql://", "postgres://")):
            url = "postgresql+psycopg://" + url.partition("://")[2]
        if url.startswith("postgresql+psycopg://"):
            return Store(create_engine(url, pool_pre_ping=True), one_at_a_time=False)
        if not url.startswith("sqlite:"):
            raise ValueError(
                f"Expected a visibility store like sqlite:///FILE or postgresql://HOST/DB, found {url!r}"
            )
        in_memory = url in ("sqlite://", "sqlite:///:memory:")
        options: dict[str, Any] = {"connect_args": {"check_same_thread": False}}
        if in_memory:
            options["poolclass"] = StaticPool
        engine = create_engine(url, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        return Store(engine, one_at_a_time=True)

    def close(self) -> None:
        self._engine.dispose()

    # -- filling ------------------------------------------------------------------------------------------------

    def feed_of(self, topic: str) -> str | None:
        """Which log this topic's rows came from; ``None`` for no rows, or rows of another layout."""
        with _Transaction(self) as connection:
            found = connection.execute(
                select(feeds.c.log_id, feeds.c.layout).where(feeds.c.topic == topic)
            ).first()
        return found.log_id if found is not None and found.layout == LAYOUT else None

    def begin_feed(self, topic: str, namespace: str, log_id: str) -> None:
        """Forgets what is there of this topic: it will be read from its start."""
        with _Transaction(self) as connection:
            _forget(connection, topic, namespace)
            connection.execute(
                insert(feeds).values(topic=topic, log_id=log_id, layout=LAYOUT),
            )

    def forget_feed(self, topic: str, namespace: str) -> None:
        """Drops every row of the namespace, and that anything was read of it."""
        with _Transaction(self) as connection:
            _forget(connection, topic, namespace)

    def positions_of(self, topic: str) -> Mapping[int, int]:
        """The next offset of each partition that has been read from."""
        with _Transaction(self) as connection:
            return {
                row.part: row.next_offset
                for row in connection.execute(
                    select(positions.c.part, positions.c.next_offset).where(
                        positions.c.topic == topic
                    )
                )
            }

    def apply(
        self,
        topic: str,
        partition: int,
        *,
        begins: int,
        next_offset: int,
        gone: Sequence[str],
        rows: Sequence[Row],
        attribute_rows: Sequence[Row],
    ) -> bool:
        """Takes over what was read since position ``begins``, with the new one: all or nothing, and never twice.

        False if the position is another one by now, as somebody else fills this store too.
        """
        with _Transaction(self) as connection:
            if not self._move(connection, topic, partition, begins, next_offset):
                return False
            changed = [*gone, *(row["row"] for row in rows)]
            for start in range(0, len(changed), _CHUNK):
                keys = changed[start : start + _CHUNK]
                connection.execute(delete(attributes).where(attributes.c.row.in_(keys)))
                connection.execute(delete(executions).where(executions.c.row.in_(keys)))
            if rows:
                connection.execute(insert(executions), list(rows))
            if attribute_rows:
                connection.execute(insert(attributes), list(attribute_rows))
            self._look_at_statistics(connection, len(rows))
            return True

    def _look_at_statistics(self, connection: Connection, changed: int) -> None:
        """SQLite chooses its indexes by statistics that it makes only when told; PostgreSQL makes them by itself."""
        self._unanalyzed += changed
        if connection.dialect.name == "sqlite" and self._unanalyzed >= ANALYZE_AFTER_ROWS:
            self._unanalyzed = 0
            connection.execute(text("PRAGMA analysis_limit=400"))
            connection.execute(text("ANALYZE"))

    def _move(
        self, connection: Connection, topic: str, partition: int, begins: int, next_offset: int
    ) -> bool:
        if connection.dialect.name == "postgresql":
            # Two projectors of one feed: the second waits here, and then finds the position moved.
            connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtext(:name))"),
                {"name": f"{topic}/{partition}"},
            )
        here = and_(positions.c.topic == topic, positions.c.part == partition)
        found = connection.execute(select(positions.c.next_offset).where(here)).scalar()
        if (0 if found is None else found) != begins:
            return False
        connection.execute(delete(positions).where(here))
        connection.execute(
            insert(positions).values(topic=topic, part=partition, next_offset=next_offset)
        )
        return True

    # -- asking -------------------------------------------------------------------------------------------------

    def kinds(self, namespace: str) -> dict[str, SearchAttributeIndexedValueType]:
        """Names and types of the search attributes that runs of this namespace have."""
        with _Transaction(self) as connection:
            rows = connection.execute(
                select(attributes.c.name, attributes.c.kind)
                .where(attributes.c.namespace == namespace)
                .distinct()
            ).all()
        return {row.name: SearchAttributeIndexedValueType.named(row.kind) for row in rows}

    def search(self, namespace: str, bound: Bound, *, page_size: int, token: str) -> Page:
        """A page of runs. Raises `FilterError` for a token that is none of this filter's."""
        size = max(1, min(page_size, PAGE_MAX))
        order = bound.order_by or _DEFAULT_ORDER
        keys = _sort_keys(order)
        query = select(
            executions.c.summary, *(key.label(f"k{n}") for n, (key, _) in enumerate(keys))
        )
        query = query.where(*self._where(namespace, bound))
        if token:
            query = query.where(_after(keys, _read_token(token, len(keys))))
        query = query.order_by(*(key.desc() if down else key.asc() for key, down in keys))
        with _Transaction(self) as connection:
            rows = connection.execute(query.limit(size + 1)).all()
        more = len(rows) > size
        last = [_plain(value) for value in rows[size - 1][1:]] if more else []
        return Page(
            tuple(bytes(row[0]) for row in rows[:size]),
            msgspec.json.encode(last).decode() if more else "",
        )

    def count(self, namespace: str, bound: Bound) -> Count:
        """How many, and how many in each group, the largest first."""
        where = self._where(namespace, bound)
        with _Transaction(self) as connection:
            if not bound.group_by:
                total = connection.execute(
                    select(func.count()).select_from(executions).where(*where)
                ).scalar_one()
                return Count(total, ())
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
        groups = tuple(
            Group(
                row[0],
                tuple(
                    _shown(attribute, value)
                    for attribute, value in zip(bound.group_by, row[1:], strict=True)
                ),
            )
            for row in rows
        )
        return Count(sum(group.count for group in groups), groups)

    @staticmethod
    def _where(namespace: str, bound: Bound) -> list[ColumnElement[bool]]:
        found = [executions.c.namespace == namespace]
        if not bound.own_queues:
            found.append(executions.c.queue != SCHEDULES_QUEUE)
        if bound.where is not None:
            found.append(sql.condition(bound.where, namespace))
        return found

    @property
    def engine(self) -> Engine:
        return self._engine

    @property
    def lock(self) -> threading.RLock | None:
        return self._lock


def _forget(connection: Connection, topic: str, namespace: str) -> None:
    connection.execute(delete(attributes).where(attributes.c.namespace == namespace))
    connection.execute(delete(executions).where(executions.c.namespace == namespace))
    connection.execute(delete(positions).where(positions.c.topic == topic))
    connection.execute(delete(feeds).where(feeds.c.topic == topic))


class _Transaction:
    """One transaction, behind the store's lock where it has one."""

    def __init__(self, store: Store) -> None:
        self._lock = store.lock
        self._begun = store.engine.begin()

    def __enter__(self) -> Connection:
        if self._lock is not None:
            self._lock.acquire()
        try:
            return self._begun.__enter__()
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise

    def __exit__(self, *error: Any) -> None:
        try:
            self._begun.__exit__(*error)
        finally:
            if self._lock is not None:
                self._lock.release()


# -- pages --------------------------------------------------------------------------------------------------------

SortKey = tuple[ColumnElement[Any], bool]


def _sort_keys(order: Sequence[Ordering]) -> list[SortKey]:
    """What rows are sorted by, each with whether downwards; the last one tells any two rows apart."""
    keys: list[SortKey] = []
    for ordering in order:
        value = sql.sort_value(ordering.attribute)
        column = ordering.attribute.column
        if column is None or executions.c[column].nullable:
            keys.append((sql.is_missing(value), False))
            value = func.coalesce(value, _nothing(ordering.attribute.kind))
        keys.append((value, ordering.descending))
    keys.append((executions.c.row, order[0].descending))
    return keys


def _nothing(kind: Kind) -> str | int | float:
    return "" if kind in (Kind.KEYWORD, Kind.STATUS) else 0


def _after(keys: Sequence[SortKey], last: Sequence[Any]) -> ColumnElement[bool]:
    """The rows behind a row with these keys."""
    if all(down == keys[0][1] for _, down in keys) and len(keys) == 2:
        # One comparison of pairs, which an index serves.
        pair = tuple_(*(key for key, _ in keys))
        bounds = tuple_(*last)
        return pair < bounds if keys[0][1] else pair > bounds
    choices: list[ColumnElement[bool]] = []
    for number, (key, down) in enumerate(keys):
        equal = [keys[before][0] == last[before] for before in range(number)]
        choices.append(and_(*equal, key < last[number] if down else key > last[number]))
    return or_(*choices)


def _read_token(token: str, count: int) -> list[Any]:
    try:
        last = msgspec.json.decode(token, type=list[str | int | float])
    except (msgspec.DecodeError, UnicodeDecodeError):
        last = []
    if len(last) != count:
        raise FilterError("Expected a page token of this filter, found another one", 0)
    return list(last)


def _plain(value: Any) -> str | int | float:
    """As JSON has it: databases give some numbers as decimals."""
    return value if isinstance(value, str | int | float) else float(value)


def _shown(attribute: Attribute, value: Any) -> str | int | float | bool | None:
    match attribute.kind:
        case _ if value is None:
            return None
        case Kind.STATUS:
            return STATUS_NAMES[Status(value)]
        case Kind.BOOL:
            return bool(value)
        case _:
            return _plain(value)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # LIKE as PostgreSQL has it; the rest because the store is a cache of its feed, and can be built again.
    cursor.execute("PRAGMA case_sensitive_like=ON")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
