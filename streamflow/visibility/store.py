"""The store: rows of runs in SQLite or PostgreSQL, kept in step with a feed (`writing`), and asked (`reading`, `counting`).

Thread-safe. Every call is one transaction, and blocks its thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, insert, select, update

from streamflow.common import SearchAttributeIndexedValueType
from streamflow.visibility import counting, planning, writing
from streamflow.visibility.binding import Bound, Queues
from streamflow.visibility.counting import Count
from streamflow.visibility.database import Database
from streamflow.visibility.planning import Bounds
from streamflow.visibility.reading import Page, read_page
from streamflow.visibility.rows import engine_scope
from streamflow.visibility.tables import feeds, kinds, positions
from streamflow.visibility.writing import Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What the rows of a topic are from."""

    log_id: str
    followed_ms: int
    """When all of it was last in the rows, or at least begun."""
    skipped_by: str | None
    """The schemas whose reader left something out; empty for several readers'."""


class Store:
    """Rows of one database. Made by `open`; several processes may share one on PostgreSQL."""

    def __init__(self, database: Database, bounds: Bounds | None = None) -> None:
        self._database = database
        self._bounds = bounds or (Bounds() if database.is_sqlite else planning.POSTGRES)
        self._statistics = writing.Statistics()

    @staticmethod
    def open(url: str = "sqlite://", *, bounds: Bounds | None = None) -> Store:
        """The store at an SQLAlchemy URL: ``sqlite://`` in memory, ``sqlite:///FILE``, ``postgresql://...``.

        Raises:
            ValueError: the URL is for another database.
            StoreMismatch: a later release has filled it.
        """
        return Store(Database.open(url), bounds)

    def close(self) -> None:
        self._database.close()

    # -- filling ------------------------------------------------------------------------------------------------

    def feed_of(self, topic: str) -> Feed | None:
        """Where this topic's rows came from; ``None`` for no rows."""
        with self._database.transaction() as connection:
            found = select(feeds).where(feeds.c.topic == topic)
            row = connection.execute(found).one_or_none()
        if row is None:
            return None
        return Feed(log_id=row.log_id, followed_ms=row.followed_ms, skipped_by=row.skipped_by)

    def begin_feed(self, topic: str, namespace: str, log_id: str, *, now_ms: int) -> None:
        """Forgets what is there of this topic: it will be read from its start."""
        with self._database.transaction() as connection:
            writing.forget(connection, topic, _scopes(namespace, Queues.ALL), namespace)
            connection.execute(insert(feeds).values(topic=topic, log_id=log_id, followed_ms=now_ms))

    def note_followed(self, topic: str, *, now_ms: int) -> None:
        """Notes that the topic was read to where it ended then."""
        with self._database.transaction() as connection:
            here = feeds.c.topic == topic
            connection.execute(update(feeds).where(here).values(followed_ms=now_ms))

    def forget_feed(self, topic: str, namespace: str) -> None:
        """Drops every row of the namespace, and that anything was read of it."""
        with self._database.transaction() as connection:
            writing.forget(connection, topic, _scopes(namespace, Queues.ALL), namespace)

    def positions_of(self, topic: str) -> Mapping[int, int]:
        """The next offset of each partition that has been read from."""
        with self._database.transaction() as connection:
            found = select(positions.c.part, positions.c.next_offset).where(
                positions.c.topic == topic
            )
            return {row.part: row.next_offset for row in connection.execute(found)}

    def apply(
        self,
        topic: str,
        partition: int,
        namespace: str,
        changes: Changes,
        *,
        begins: int,
        next_offset: int,
        skipped_by: str | None = None,
    ) -> bool:
        """Writes what a stretch of the feed says, and notes that it was read, all at once.

        ``skipped_by`` are the reader's schemas, if it could not read all of it.
        False, and nothing written: the feed was not read up to ``begins``, so another process is filling this store.
        """
        with self._database.transaction() as connection:
            if not writing.move(
                connection, topic, partition, begins=begins, next_offset=next_offset
            ):
                return False
            if skipped_by is not None:
                writing.note_skipped(connection, topic, skipped_by)
            writing.write(connection, namespace, changes)
            self._statistics.look_at(connection, len(changes.rows))
            return True

    # -- asking -------------------------------------------------------------------------------------------------

    def kinds(self, namespace: str) -> dict[str, SearchAttributeIndexedValueType]:
        """Names and types of the search attributes that runs of this namespace have, or have had."""
        with self._database.transaction() as connection:
            found = select(kinds.c.name, kinds.c.kind).where(kinds.c.namespace == namespace)
            rows = connection.execute(found).all()
        return {row.name: SearchAttributeIndexedValueType.named(row.kind) for row in rows}

    def search(self, namespace: str, bound: Bound, *, page_size: int, token: str) -> Page:
        """A page of runs. Raises `FilterError` for a token that is none of this filter's."""
        scopes = _scopes(namespace, bound.queues)
        with self._database.transaction() as connection:
            return read_page(
                connection, scopes, bound, self._bounds, page_size=page_size, token=token
            )

    def count(self, namespace: str, bound: Bound) -> Count:
        """How many, and how many in each group, the largest first."""
        with self._database.transaction() as connection:
            return counting.count(connection, _scopes(namespace, bound.queues), bound)

    @property
    def engine(self) -> Engine:
        return self._database.engine


def _scopes(namespace: str, queues: Queues) -> tuple[str, ...]:
    match queues:
        case Queues.USERS:
            return (namespace,)
        case Queues.ENGINE:
            return (engine_scope(namespace),)
        case Queues.ALL:
            return (namespace, engine_scope(namespace))
