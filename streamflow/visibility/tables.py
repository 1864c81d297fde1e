"""The store's tables: one row for each run, its search attributes beside it, and how far the feed was read.

A run's `row` begins with its start and ends with a hash (`rows.row_id`), so whatever ends with it is in the order of starts:

    sf_executions   by_status: scope, status, row            -> "ExecutionStatus = 'Failed'", the newest first
    sf_attributes   by_word:   scope, attribute, word, row   -> "City = 'Bonn'", the newest first

An index like these serves a filter and the order of its pages at once; `planning` picks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql

LAYOUT: Final = 4
"""Raised with every change of the tables: a store of an earlier layout is built anew from its feed."""
TABLES_OF_EARLIER_LAYOUTS: Final = ("sf_executions", "sf_attributes", "sf_positions", "sf_feeds")

ROW_BYTES: Final = 16

_Text = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Compares by code points, as SQLite and Python do, whatever the database's own collation is."""

metadata = MetaData()

layout = Table("sf_layout", metadata, Column("layout", Integer, primary_key=True))

executions = Table(
    "sf_executions",
    metadata,
    Column("row", LargeBinary(ROW_BYTES), primary_key=True, comment="start, then a hash"),
    Column("scope", _Text, nullable=False, comment="the namespace, or its engine's own part"),
    Column("queue", _Text, nullable=False),
    Column("workflow_type", _Text, nullable=False),
    Column("current_step", _Text),
    Column("workflow_id", _Text, nullable=False),
    Column("run_id", _Text, nullable=False),
    Column("first_run_id", _Text, nullable=False),
    Column("parent_workflow_id", _Text),
    Column("parent_run_id", _Text),
    Column("root_workflow_id", _Text),
    Column("root_run_id", _Text),
    Column("last_failure", _Text),
    Column("trouble", _Text),
    Column("status", _Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("execution_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("duration_ms", BigInteger),
    Column("updated_ms", BigInteger, nullable=False),
    Column("history_length", BigInteger, nullable=False),
    Column("history_bytes", BigInteger, nullable=False),
    Column("pending_activities", BigInteger, nullable=False),
    Column("max_attempt", BigInteger, nullable=False),
    Column("next_retry_ms", BigInteger),
    Column("summary", LargeBinary, nullable=False, comment="the feed's record, as it was"),
)

attributes = Table(
    "sf_attributes",
    metadata,
    Column("row", LargeBinary(ROW_BYTES), primary_key=True),
    Column("attribute", _Text, primary_key=True, comment="kind and name, as in 'Keyword City'"),
    Column("place", Integer, primary_key=True, comment="in a list, or of a word in a text"),
    Column("scope", _Text, nullable=False),
    Column("word", _Text, comment="keywords, elements of lists, words of texts"),
    Column("number", BigInteger, comment="whole numbers; 0 and 1 for a flag"),
    Column("real", Double, comment="numbers, and times in milliseconds"),
    sqlite_with_rowid=False,
)

kinds = Table(
    "sf_kinds",
    metadata,
    Column("namespace", _Text, primary_key=True),
    Column("name", _Text, primary_key=True),
    Column("kind", _Text, nullable=False),
    comment="every search attribute that some run has had",
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
    Column("followed_ms", BigInteger, nullable=False, comment="when it was last read to its end"),
    Column("skipped_by", _Text, comment="schemas that did not read all of it; '' for several"),
)


ONLY_WHETHER: Final = frozenset({"trouble", "last_failure"})
"""Long messages: their indexes say who has one, not what it says."""


def _by(*columns: str) -> Index:
    first = executions.c[columns[0]]
    where: ColumnElement[bool] | None = None
    if columns[0] == "max_attempt":
        where = first > text("1")  # nearly all have 1, and nobody looks for those
    elif first.nullable and columns[0] != "closed_ms":
        where = first.is_not(None)
    return Index(
        "sf_by_" + "_".join(columns),
        executions.c.scope,
        *(executions.c[name] for name in columns if name not in ONLY_WHETHER),
        executions.c.row,
        sqlite_where=where,
        postgresql_where=where,
    )


INDEXES: Final[Mapping[tuple[str, ...], Index]] = {
    columns: _by(*columns)
    for columns in (
        ("started_ms",),
        ("status",),
        ("workflow_type",),
        ("workflow_type", "status"),
        ("queue",),
        ("closed_ms",),
        ("status", "closed_ms"),
        ("workflow_id",),
        ("run_id",),
        ("parent_workflow_id",),
        ("current_step",),
        ("next_retry_ms",),
        ("max_attempt",),
        ("trouble",),
        ("last_failure",),
    )
}
"""Those of `executions`, by what stands between the scope and the row."""
ORDERED: Final[Mapping[tuple[str, ...], Index]] = {
    columns: index
    for columns, index in INDEXES.items()
    if columns[0] not in ONLY_WHETHER | {"max_attempt"}
}
"""Those of them that have every run with a value, in the order of the values."""

VALUE_INDEXES: Final = {
    name: Index(
        f"sf_attributes_by_{name}",
        attributes.c.scope,
        attributes.c.attribute,
        attributes.c[name],
        attributes.c.row,
        sqlite_where=attributes.c[name].is_not(None),
        postgresql_where=attributes.c[name].is_not(None),
    )
    for name in ("word", "number", "real")
}
"""Those of `attributes`, by the column that holds the value."""
