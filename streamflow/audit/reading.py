"""Finds entries, newest first, by reading the audit topic backwards in pieces."""

from __future__ import annotations

from typing import Final

import msgspec

from streamflow import topology
from streamflow.model.audit import AuditEntry
from streamflow.ports import Log, Reader, Record, TopicMissing, TopicPartition
from streamflow.wire import entities
from streamflow.wire.errors import Undecodable

PIECE: Final = 2_000
"""Records that are read at once."""
LOOKED_AT_MAX: Final = 50_000
"""Records that one page looks at; a filter that finds less goes on with the next."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are meant; what is empty does not narrow."""

    who: str = ""
    """Stands in the name, whatever the case: ``ada`` finds ``user:ada@shop.example``."""
    workflow_id: str = ""
    action: str = ""
    """The command, as ``SignalWorkflow``, whatever the case."""
    since_ms: int = 0

    def takes(self, entry: AuditEntry) -> bool:
        """But for the time, which is the record's."""
        return (
            self.who.lower() in entry.who.lower()
            and self.workflow_id in ("", entry.workflow_id)
            and self.action.lower() in ("", entry.action.lower())
        )


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with its place in the topic, and the broker's time of it."""

    offset: int
    time_ms: int
    entry: AuditEntry


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, newest first."""

    entries: tuple[Found, ...]
    before: int | None
    """Where older ones would be looked for; ``None`` where there are none."""
    unreadable: int
    """Records among those looked at that are no entries: somebody else wrote them."""


def newest(
    log: Log,
    namespace: str,
    wanted: Filter,
    *,
    limit: int,
    before: int | None = None,
    looked_at_max: int = LOOKED_AT_MAX,
) -> Page:
    """The newest that are meant, older than the offset ``before``.

    Raises:
        TopicMissing: the namespace has no audit topic.
    """
    partition = TopicPartition(topology.audit_topic(namespace), 0)
    _require(log, namespace, partition.topic)
    reader = log.reader()
    try:
        start, end = reader.start_offset(partition), reader.end_offset(partition)
        at = end if before is None else min(before, end)
        lowest = max(start, at - looked_at_max)
        found: list[Found] = []
        unreadable = 0
        while at > lowest:
            piece = _piece(reader, partition, max(lowest, at - PIECE), at)
            for record in reversed(piece):
                if record.timestamp_ms < wanted.since_ms:
                    return Page(entries=tuple(found), before=None, unreadable=unreadable)
                entry = _entry(record)
                if entry is None:
                    unreadable += 1
                elif wanted.takes(entry):
                    found.append(
                        Found(offset=record.offset, time_ms=record.timestamp_ms, entry=entry)
                    )
                    if len(found) == limit:
                        older = record.offset if record.offset > start else None
                        return Page(entries=tuple(found), before=older, unreadable=unreadable)
            at = max(lowest, at - PIECE)
        return Page(entries=tuple(found), before=at if at > start else None, unreadable=unreadable)
    finally:
        reader.close()


def _piece(reader: Reader, partition: TopicPartition, begin: int, end: int) -> list[Record]:
    return [
        record
        for batch in reader.read(partition, begin, end)
        for record in batch
        if begin <= record.offset < end
    ]


def _entry(record: Record) -> AuditEntry | None:
    try:
        return entities.decode_as(AuditEntry, record.value or b"")
    except Undecodable:
        return None


def _require(log: Log, namespace: str, topic: str) -> None:
    if not topology.is_there(log, topic):
        raise TopicMissing(
            f"Expected topic {topic}, found none: make it with {topology.apply_command(namespace)}",
            [topic],
        )
