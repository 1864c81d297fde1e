"""Whole logs of a partition as a processor would have written them, made entry by entry without one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from streamflow.memory.store import MemoryStores
from streamflow.model.answers import DedupEntry, Done, Trouble
from streamflow.model.events import (
    Event,
    Recorded,
    SignalReceived,
    WorkflowCompleted,
    WorkflowStarted,
)
from streamflow.model.ids import MessageId, Op, RunId, Seq, WorkflowId
from streamflow.model.tasks import Attempt, Deleting
from streamflow.processor.state.layout import Entry, Meta
from streamflow.processor.state.rows import Ingest, Rows
from streamflow.wire.entities import encode
from streamflow.wire.events import encode_event, event_code
from streamflow.wire.header import NO_HASH, EntryHeader, entry_hash, pack
from streamflow.wire.keys import EntityKind


class LoggedRun:
    """A run, writing its entries to a log."""

    def __init__(self, log: list[Entry], workflow_id: str, number: int) -> None:
        self.log = log
        self.workflow_id = WorkflowId(workflow_id)
        self.run_id = RunId(str(uuid.UUID(int=number)))
        self.seq = 0
        self.hash = NO_HASH
        self.closed = False
        self.deleting = False
        self.deleted = False
        self.messages = 0
        self.event(
            WorkflowStarted(workflow_type="Order", queue="q", first_run_id=self.run_id), due_ms=500
        )

    def event(self, event: Event, *, due_ms: int = 0, previous: bytes | None = None) -> Entry:
        self.seq += 1
        recorded = Recorded(Seq(self.seq), 0, 1_000, event)
        value = encode_event(self.workflow_id, self.run_id, self.seq, 0, 1_000, recorded.event)
        header = EntryHeader(
            EntityKind.EVENT,
            event_code(event),
            self.run_id,
            self.seq,
            0,
            1_000,
            due_ms,
            0,
            self.hash if previous is None else previous,
        )
        entry = Entry(EntityKind.EVENT, self.workflow_id, header, pack(header), value)
        self.hash = entry_hash(entry.packed, value)
        self.log.append(entry)
        return entry

    def signal(self, due_ms: int = 0) -> None:
        self.event(SignalReceived(name=f"s{self.seq}"), due_ms=due_ms)

    def close(self) -> None:
        self.event(WorkflowCompleted(), due_ms=9_000)
        self.closed = True

    def attempt(self, op: int, present: bool) -> None:
        value = encode(Attempt(op=Op(op), attempt=2, dispatched_ms=5)) if present else None
        self._entity(EntityKind.ATTEMPT, value, due_ms=700, number=op)

    def trouble(self, present: bool) -> None:
        value = encode(Trouble(kind="stuck", message="bug")) if present else None
        self._entity(EntityKind.TROUBLE, value, due_ms=800)

    def mark_deleting(self) -> None:
        self.deleting = True
        mark = encode(Deleting(last_seq=self.seq, last_hash=self.hash))
        self._entity(EntityKind.DELETING, mark, due_ms=1, seq=self.seq)

    def tombstone(self) -> None:
        """The last event that is left goes; after the first one, the mark."""
        if self.seq:
            self._entity(EntityKind.EVENT, None, due_ms=1, seq=self.seq)
            self.seq -= 1
        else:
            self._entity(EntityKind.DELETING, None)
            self.deleted = True

    def _entity(
        self,
        kind: EntityKind,
        value: bytes | None,
        *,
        due_ms: int = 0,
        seq: int = 0,
        number: int = 0,
    ) -> None:
        header = EntryHeader(kind, 0, self.run_id, seq, 0, 1_000, due_ms)
        self.log.append(Entry(kind, self.workflow_id, header, pack(header), value, number))


def remembered(
    workflow_id: str, message_id: str, expires_ms: int, *, run_id: str = "", ordinal: int = 0
) -> Entry:
    entry = DedupEntry(
        workflow_id=WorkflowId(workflow_id),
        message_id=MessageId(message_id),
        answer=Done(run_id=RunId(run_id)),
        expires_ms=expires_ms,
    )
    header = EntryHeader(EntityKind.DEDUP, 0, run_id, ordinal, 0, 1_000, expires_ms)
    return Entry(
        EntityKind.DEDUP, workflow_id, header, pack(header), encode(entry), text=message_id
    )


def forgotten(workflow_id: str, message_id: str) -> Entry:
    header = EntryHeader(EntityKind.DEDUP, 0, "", 0, 0, 1_000)
    return Entry(EntityKind.DEDUP, workflow_id, header, pack(header), None, text=message_id)


def new_rows() -> Rows:
    return Rows(MemoryStores().open("0"))


def ingest(rows: Rows, entries: Iterable[Entry], *, batch: int = 1_000_000) -> Rows:
    """Follows a log, so many entries at a time."""
    waiting: Sequence[Entry] = list(entries)
    while waiting:
        ingesting = Ingest(rows)
        for entry in waiting[:batch]:
            ingesting.add(entry)
        ingesting.finish(Meta())
        waiting = waiting[batch:]
    return rows


def dump(rows: Rows) -> dict[bytes, bytes]:
    return dict(rows.store.scan(b"", b"\xff" * 60))
