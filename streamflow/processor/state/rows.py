"""A partition's store, read, and how a history entry becomes rows of it (`layout`). Live commits and restore use the same code."""

from __future__ import annotations

from copy import copy

import msgspec

from streamflow.model.tasks import PositionRecord
from streamflow.ports import Store, StoreCorrupted, WriteBatch
from streamflow.processor.state.layout import (
    CLOSING_STATUS,
    FORMAT,
    META,
    Entry,
    Expired,
    Meta,
    RunRow,
    attempt_row,
    dedup_row,
    due_row,
    event_row,
    is_open,
    message_row,
)
from streamflow.wire.entities import decode_deleting, decode_position
from streamflow.wire.header import SIZE, entry_hash, unpack
from streamflow.wire.keys import EntityKind

READ_KEPT_MAX = 2_000
"""Rows of runs that are kept between two writes."""

_encode_row = msgspec.msgpack.Encoder().encode
_decode_row = msgspec.msgpack.Decoder(RunRow).decode
_decode_meta = msgspec.msgpack.Decoder(Meta).decode


class Rows:
    """Reads one partition's store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._read: dict[str, RunRow | None] = {}
        """Runs' rows that were read since the last write: a run that is due is asked of three times on its way."""

    def meta(self) -> Meta:
        raw = self.store.get(META)
        if raw is None:
            return Meta(open_runs=0)
        meta = _decode_meta(raw)
        if meta.format != FORMAT:
            raise StoreCorrupted(
                f"Expected a store of format {FORMAT}, found {meta.format}: it is rebuilt"
            )
        return meta

    def run(self, run_id: str) -> RunRow | None:
        """As the last write left it; only to be looked at."""
        try:
            return self._read[run_id]
        except KeyError:
            raw = self.store.get(b"r" + run_id.encode())
        if len(self._read) >= READ_KEPT_MAX:
            self._read.clear()
        row = None if raw is None else _decode_row(raw)
        self._read[run_id] = row
        return row

    def write(self, batch: WriteBatch) -> None:
        self._read.clear()
        self.store.write(batch)

    def note(self, meta: Meta) -> None:
        """Writes how far the log was followed, between transactions: with a transaction it is written beside its rows."""
        batch = self.store.batch()
        batch.put(META, _encode_row(meta))
        self.write(batch)

    def runs(self, *, after: str = "", limit: int) -> list[tuple[str, RunRow]]:
        """Runs in the order of their IDs, those after the given one."""
        start = b"r" + after.encode() + b"\x00" if after else b"r"
        found = self.store.scan(start, b"s", limit=limit)
        return [(key[1:].decode(), _decode_row(raw)) for key, raw in found]

    def count_open(self) -> int:
        """The open runs, found by looking at every run."""
        rows = self.store.scan(b"r", b"s")
        return sum(is_open(_decode_row(raw)) for _, raw in rows)

    def latest_run(self, workflow_id: str) -> str | None:
        raw = self.store.get(b"w" + workflow_id.encode())
        return None if raw is None else raw.decode()

    def events(
        self, run_id: str, *, after_seq: int = 0, limit: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """(header, value) of the run's events in order."""
        start = event_row(run_id, after_seq + 1)
        end = b"e" + run_id.encode() + b"\xff" * 9
        return [(raw[:SIZE], raw[SIZE:]) for _, raw in self.store.scan(start, end, limit=limit)]

    def attempts(self, run_id: str) -> list[bytes]:
        prefix = b"a" + run_id.encode()
        return [raw[SIZE:] for _, raw in self.store.scan(prefix, prefix + b"\xff" * 9)]

    def trouble(self, run_id: str) -> bytes | None:
        raw = self.store.get(b"x" + run_id.encode())
        return None if raw is None else raw[SIZE:]

    def troubled_runs(self, limit: int) -> list[str]:
        return [key[1:].decode() for key, _ in self.store.scan(b"x", b"y", limit=limit)]

    def message(self, run_id: str, ordinal: int) -> tuple[str, int] | None:
        """(message, expiry) of the n-th message remembered of a run, unless it was forgotten."""
        raw = self.store.get(message_row(run_id, ordinal))
        return None if raw is None else (raw[8:].decode(), int.from_bytes(raw[:8], "big"))

    def messages(self, run_id: str) -> int:
        """The number of the message of this run that was remembered last."""
        start = message_row(run_id, 0)
        rows = self.store.scan_back(start, start[:-8] + b"\xff" * 9, limit=1)
        return int.from_bytes(rows[0][0][-8:], "big") if rows else 0

    def dedup(self, workflow_id: str, message_id: str) -> bytes | None:
        raw = self.store.get(dedup_row(workflow_id, message_id))
        return None if raw is None else raw[SIZE:]

    def due(self, now_ms: int, limit: int) -> list[tuple[int, str]]:
        """(due, run) of the runs due by now, earliest first."""
        end = b"t" + (now_ms + 1).to_bytes(8, "big")
        return [
            (int.from_bytes(key[1:9], "big"), key[9:].decode())
            for key, _ in self.store.scan(b"t", end, limit=limit)
        ]

    def first_due_ms(self, *, after_ms: int = -1) -> int:
        """When the earliest run is due, of those due after that time; 0 when none ever is."""
        rows = self.store.scan(b"t" + (after_ms + 1).to_bytes(8, "big"), b"u", limit=1)
        return int.from_bytes(rows[0][0][1:9], "big") if rows else 0

    def gaps(self) -> list[str]:
        """Runs whose events do not form a chain, though they are not being deleted: left unread."""
        runs = [key[1:].decode() for key, _ in self.store.scan(b"g", b"h")]
        return [run_id for run_id in runs if (row := self.run(run_id)) and not row.deleting]

    def expired_dedups(self, now_ms: int, limit: int) -> list[Expired]:
        """Deduplication entries that may go, oldest first."""
        end = b"D" + (now_ms + 1).to_bytes(8, "big")
        found: list[Expired] = []
        for key, raw in self.store.scan(b"D", end, limit=limit):
            size = int.from_bytes(key[9:13], "big")
            workflow_id, message_id = key[13 : 13 + size].decode(), key[13 + size :].decode()
            run_id, ordinal = raw[:-8].decode(), int.from_bytes(raw[-8:], "big")
            expires_ms = int.from_bytes(key[1:9], "big")
            found.append(Expired(workflow_id, message_id, expires_ms, run_id, ordinal))
        return found


class Ingest:
    """Turns history entries into rows of one write batch. Run rows are written once, at `finish`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._batch: WriteBatch = rows.store.batch()
        self._runs: dict[str, RunRow | None] = {}
        self._due_before: dict[str, int] = {}
        self._open_before = 0
        """How many of these runs were open."""
        self._latest: dict[str, str] = {}
        """Latest runs by workflow, as far as this batch changes them; empty where there is none any more."""
        self._fresh: dict[bytes, bytes] = {}
        """Rows of this batch that later entries must be held against."""
        self.position: PositionRecord | None = None
        self.earliest_due_ms = 0

    def add(self, entry: Entry) -> None:
        match entry.kind:
            case EntityKind.EVENT:
                self._event(entry)
            case EntityKind.ATTEMPT:
                self._entity(entry, attempt_row(entry.header.run_id, entry.number))
            case EntityKind.TROUBLE:
                self._entity(entry, b"x" + entry.header.run_id.encode())
            case EntityKind.DEDUP:
                self._dedup(entry)
            case EntityKind.DELETING:
                self._deleting(entry)
            case EntityKind.POSITION:
                if entry.value is not None:
                    self.position = decode_position(entry.value)
            case _:
                pass  # a later release's entity: of no use to this one, and not ours to drop

    def due(self, run_id: str, due_ms: int) -> None:
        """Corrects a run's due time though no entry said so (it came due and nothing followed)."""
        run = self._run(run_id)
        if run is not None:
            run.due_ms = due_ms

    def finish(self, meta: Meta) -> None:
        """Writes everything, with how far the log was followed and how many runs are open by now, in one batch."""
        put, delete = self._batch.put, self._batch.delete
        earliest = 0
        for run_id, run in self._runs.items():
            key = run_id.encode()
            before = self._due_before[run_id]
            due_ms = run.due_ms if run else 0
            if before and before != due_ms:
                delete(due_row(before, run_id))
            if due_ms:
                if before != due_ms:
                    put(due_row(due_ms, run_id), b"")
                earliest = min(earliest or due_ms, due_ms)
            if run is not None:
                put(b"r" + key, _encode_row(run))
            elif before >= 0:
                delete(b"r" + key)
        self.earliest_due_ms = earliest
        if meta.open_runs >= 0:
            meta.open_runs += sum(map(is_open, self._runs.values())) - self._open_before
        put(META, _encode_row(meta))
        self._rows.write(self._batch)

    def _run(self, run_id: str) -> RunRow | None:
        try:
            return self._runs[run_id]
        except KeyError:
            run = copy(self._rows.run(run_id))
            self._runs[run_id] = run
            self._due_before[run_id] = run.due_ms if run else 0
            self._open_before += is_open(run)
            return run

    def _event(self, entry: Entry) -> None:
        header, value = entry.header, entry.value
        run = self._run(header.run_id)
        key = event_row(header.run_id, header.seq)
        if value is None:
            self._batch.delete(key)
            self._fresh.pop(key, None)
            if run is not None and run.last_seq >= header.seq:
                run.last_seq = header.seq - 1
                run.due_ms = header.due_ms
            return
        row = entry.packed + value
        if run is None:
            run = self._runs[header.run_id] = RunRow(entry.workflow_id)
            self._link(header.run_id, run)
        elif run.deleting:
            return  # followed before, and what deletes it comes again as well
        elif header.seq == 1:
            self._link(header.run_id, run)
        if header.seq <= run.last_seq:
            run.due_ms = header.due_ms
            if self._row(key) == row:
                return  # followed before: the tail is read again from a little earlier than needed
            self._broken(header.run_id, run)
        if header.seq != run.last_seq + 1 or header.previous_hash != run.last_hash:
            self._broken(header.run_id, run)
        if header.seq > run.last_seq:
            run.last_seq = header.seq
            run.last_hash = entry_hash(entry.packed, value)
            run.history_bytes += len(value)
            run.due_ms = header.due_ms
        if header.code in CLOSING_STATUS:
            run.closed_code = header.code
        self._batch.put(key, row)
        self._fresh[key] = row

    def _broken(self, run_id: str, run: RunRow) -> None:
        """The run's events are no chain: one is missing, doubled, or not the one that its successor names."""
        run.gap = True
        self._batch.put(b"g" + run_id.encode(), b"")

    def _row(self, key: bytes) -> bytes | None:
        fresh = self._fresh.get(key)
        return self._rows.store.get(key) if fresh is None else fresh

    def _link(self, run_id: str, run: RunRow) -> None:
        """Behind all others of its workflow: the last run begun in the log is the latest one. Also where its begin was
        followed before, for then those of the runs behind it come again as well."""
        latest = self._latest_run(run.workflow_id)
        if latest == run_id:
            return
        if run.before or run.after:
            self._unlink(run_id, run)
        former = self._run(latest) if latest else None
        if former is not None and not former.deleting:
            run.before, former.after = latest, run_id
        self._latest_is(run.workflow_id, run_id)

    def _unlink(self, run_id: str, run: RunRow) -> None:
        """Those before and behind it follow one another. Where it was the latest run, the one before it is."""
        before, after = run.before, run.after
        run.before = run.after = ""
        older = self._run(before) if before else None
        younger = self._run(after) if after else None
        if older is None or older.deleting:
            before = ""
        else:
            older.after = after
        if younger is not None:
            younger.before = before
        if self._latest_run(run.workflow_id) == run_id:
            self._latest_is(run.workflow_id, before)

    def _latest_run(self, workflow_id: str) -> str:
        """Empty where there is none."""
        latest = self._latest.get(workflow_id)
        return (self._rows.latest_run(workflow_id) or "") if latest is None else latest

    def _latest_is(self, workflow_id: str, run_id: str) -> None:
        self._latest[workflow_id] = run_id
        key = b"w" + workflow_id.encode()
        if run_id:
            self._batch.put(key, run_id.encode())
        else:
            self._batch.delete(key)

    def _entity(self, entry: Entry, key: bytes) -> None:
        if entry.value is None:
            self._batch.delete(key)
        else:
            self._batch.put(key, entry.packed + entry.value)
        run = self._run(entry.header.run_id)
        if run is not None:
            run.due_ms = entry.header.due_ms

    def _dedup(self, entry: Entry) -> None:
        header = entry.header
        key = dedup_row(entry.workflow_id, entry.text)
        due = header.due_ms.to_bytes(8, "big")
        former = self._row(key)
        if former:
            # Remembered anew: what would make room or time for the former entry must not take this one away.
            old = unpack(former[:SIZE])
            self._batch.delete(b"D" + old.due_ms.to_bytes(8, "big") + key[1:])
            self._batch.delete(message_row(old.run_id, old.seq))
        if entry.value is None:
            self._batch.delete(key)
            self._fresh[key] = b""
            return
        row = entry.packed + entry.value
        self._batch.put(key, row)
        self._fresh[key] = row
        ordinal = header.seq.to_bytes(8, "big")
        self._batch.put(b"D" + due + key[1:], header.run_id.encode() + ordinal)
        if header.run_id:
            message = due + entry.text.encode()
            self._batch.put(message_row(header.run_id, header.seq), message)

    def _deleting(self, entry: Entry) -> None:
        run_id = entry.header.run_id
        run = self._run(run_id)
        if entry.value is not None:
            mark = decode_deleting(entry.value)
            if run is None:
                run = RunRow(entry.workflow_id, mark.last_seq, mark.last_hash)
                self._runs[run_id] = run
            run.deleting = True
            run.due_ms = entry.header.due_ms
            self._unlink(run_id, run)
            return
        if run is not None:
            self._unlink(run_id, run)
            start = b"e" + run_id.encode()
            self._batch.delete_range(start, start + b"\xff" * 9)
        self._batch.delete(b"g" + run_id.encode())
        self._runs[run_id] = None
