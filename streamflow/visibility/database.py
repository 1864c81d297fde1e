"""A store's database: opened by its URL, its tables made, and transactions on it."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    FromClause,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.pool import StaticPool

from streamflow.observability import get_logger
from streamflow.visibility.errors import StoreMismatch
from streamflow.visibility.tables import LAYOUT, TABLES_OF_EARLIER_LAYOUTS, layout, metadata

log_events = get_logger("visibility")

SQLITE_CACHE_KB: Final = 65_536
SQLITE_CHECKPOINT_PAGES: Final = 16_384
"""64 MB, so that a page which many transactions change is copied once into the file."""

_SQLITE: Final = (
    # LIKE as PostgreSQL has it; the rest because the store is a cache of its feed, and can be built again.
    "case_sensitive_like=ON",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=10000",
    "temp_store=MEMORY",
    "mmap_size=2147418112",
    f"cache_size=-{SQLITE_CACHE_KB}",
    f"wal_autocheckpoint={SQLITE_CHECKPOINT_PAGES}",
)


class Database:
    """One SQLite or PostgreSQL with the store's tables. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        # SQLite writes one at a time anyway, and its in-memory database has one connection.
        self._lock = threading.RLock() if self.is_sqlite else nullcontext()
        with self.transaction() as connection:
            _make_tables(connection)

    @staticmethod
    def open(url: str) -> Database:
        """Raises `ValueError` for a URL of another database, `StoreMismatch` for a later release's store."""
        if url.startswith(("postgresql://", "postgres://")):
            url = "postgresql+psycopg://" + url.partition("://")[2]
        if url.startswith("postgresql+psycopg://"):
            return Database(create_engine(url, pool_pre_ping=True))
        if not url.startswith("sqlite:"):
            raise ValueError(
                f"Expected a visibility store like sqlite:///FILE or postgresql://HOST/DB, found {url!r}"
            )
        in_memory = url in ("sqlite://", "sqlite:///:memory:")
        options: dict[str, Any] = {"connect_args": {"check_same_thread": False}}
        if in_memory:
            options["poolclass"] = StaticPool
        engine = create_engine(url, **options)
        engine.dialect.statement_compiler = _CompilerWithHints
        event.listen(engine, "connect", _prepare_sqlite)
        return Database(engine)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """Commits at the end, unless something was raised."""
        with self._lock, self.engine.begin() as connection:
            yield connection


class _CompilerWithHints(SQLiteCompiler):
    """SQLite takes hints of indexes behind a table's name, for which SQLAlchemy has no words."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def lock_until_commit(connection: Connection, name: str, *, shared: bool = False) -> None:
    """Others who ask for the same name wait until this transaction ends, unless all share it. SQLite's writers wait anyway."""
    if connection.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        connection.execute(text(f"SELECT {lock}(hashtext(:name))"), {"name": name})


def _make_tables(connection: Connection) -> None:
    lock_until_commit(connection, "streamflow visibility tables")
    here = inspect(connection)
    found = None
    if here.has_table(layout.name):
        found = connection.execute(select(layout.c.layout)).scalar()
    if found == LAYOUT:
        return
    if found is not None and found > LAYOUT:
        raise StoreMismatch(
            f"Expected a visibility store of layout {LAYOUT} or before, found {found}, which a later release filled: "
            "update this process, or give it a store of its own (visibility=...)"
        )
    for name in TABLES_OF_EARLIER_LAYOUTS:
        if here.has_table(name):
            log_events.info("visibility_layout_replaced", table=name, was=found or 1, found=LAYOUT)
            connection.execute(text(f"DROP TABLE {name}"))
    metadata.create_all(connection)
    connection.execute(delete(layout))
    connection.execute(insert(layout).values(layout=LAYOUT))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
