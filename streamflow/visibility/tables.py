"""The store's tables. One row for each run, its search attributes beside it, and how far the feed was read."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import postgresql

LAYOUT: Final = 1
"""Raised with every change of the tables: a store of another layout is built anew from its feed."""

_Text = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Compares by code points, as SQLite and Python do, whatever the database's own collation is."""

metadata = MetaData()

executions = Table(
    "sf_executions",
    metadata,
    Column("row", String(32), primary_key=True, comment="hash of namespace, queue, workflow, run"),
    Column("namespace", _Text, nullable=False),
    Column("queue", _Text, nullable=False),
    Column("workflow_id", _Text, nullable=False),
    Column("run_id", _Text, nullable=False),
    Column("first_run_id", _Text, nullable=False),
    Column("workflow_type", _Text, nullable=False),
    Column("status", _Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("execution_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("duration_ms", BigInteger),
    Column("updated_ms", BigInteger, nullable=False),
    Column("history_length", BigInteger, nullable=False),
    Column("history_bytes", BigInteger, nullable=False),
    Column("parent_workflow_id", _Text),
    Column("parent_run_id", _Text),
    Column("root_workflow_id", _Text),
    Column("root_run_id", _Text),
    Column("current_step", _Text),
    Column("pending_activities", BigInteger, nullable=False),
    Column("max_attempt", BigInteger, nullable=False),
    Column("next_retry_ms", BigInteger),
    Column("last_failure", _Text),
    Column("trouble", _Text),
    Column("summary", LargeBinary, nullable=False, comment="the feed's record, as it was"),
    Index("sf_executions_by_start", "namespace", "started_ms", "row"),
    Index("sf_executions_by_status", "namespace", "status", "started_ms", "row"),
    Index("sf_executions_by_type", "namespace", "workflow_type", "started_ms", "row"),
    Index("sf_executions_by_id", "namespace", "workflow_id"),
    Index("sf_executions_by_close", "namespace", "closed_ms"),
)

attributes = Table(
    "sf_attributes",
    metadata,
    Column("row", String(32), primary_key=True),
    Column("name", _Text, primary_key=True),
    Column("place", Integer, primary_key=True, comment="in a list, or of a word in a text"),
    Column("namespace", _Text, nullable=False),
    Column("kind", _Text, nullable=False),
    Column("word", _Text, comment="keywords, elements of lists, words of texts"),
    Column("number", BigInteger, comment="whole numbers; 0 and 1 for a flag"),
    Column("real", Double, comment="numbers, and times in milliseconds"),
    Index("sf_attributes_by_word", "namespace", "name", "word"),
    Index("sf_attributes_by_number", "namespace", "name", "number"),
    Index("sf_attributes_by_real", "namespace", "name", "real"),
)

positions = Table(
    "sf_positions",
    metadata,
    Column("topic", _Text, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)

feeds = Table(
    "sf_feeds",
    metadata,
    Column("topic", _Text, primary_key=True),
    Column("log_id", _Text, nullable=False),
    Column("layout", Integer, nullable=False),
)
