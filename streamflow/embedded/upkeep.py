"""Keeps the log from growing without bound: trims what was consumed or is too old, and compacts.

    delete    trimmed behind the groups' positions, but the last `CONSUMED_RECORDS_MAX` stay to be looked at; and behind
              `retention.ms` and `retention.bytes` whether consumed or not. What no group reads is kept within
              `UNREAD_BYTES_MAX` a partition unless `retention.bytes` says otherwise.
    compact   each key keeps its last record; tombstones go when older than `delete.retention.ms`.

Runs on its own thread, in slices with pauses, and beside the journal: what it removes needs no order and no sync.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import msgspec
from rocksdict import Rdict, WriteBatch

from streamflow.embedded.database import Row, pack_offset, record_slices
from streamflow.embedded.journal import Journal
from streamflow.embedded.partition import Partition
from streamflow.embedded.topics import Topic, Topics
from streamflow.memory.groups import Group
from streamflow.observability import get_logger
from streamflow.ports import Fatal, Unavailable

EVERY_S = 10.0
SLICE_RECORDS = 500
PAUSE_S = 0.005
CONSUMED_RECORDS_MAX = 2_000
UNREAD_BYTES_MAX = 64 << 20
RETENTION_MS = 7 * 86_400_000
TOMBSTONES_MS = 86_400_000
TRIM_RECORDS_MIN = 500
"""Fewer are not worth a range's tombstone, unless they are too old."""
DIRTY_RECORDS_MIN = 2_000
COMPACTED_RECORDS_MAX = 100_000
"""Keys looked at in one pass, which bounds its memory."""
SETTLED_RECORDS = 500
"""The last records of a partition are left alone, so that readers on their heels see every one."""

_log = get_logger("embedded")


class Upkeep:
    """`run_once` does everything that is due; a thread calls it when something was appended."""

    def __init__(
        self, db: Rdict, journal: Journal, topics: Topics, groups: dict[str, Group]
    ) -> None:
        self._db = db
        self._journal = journal
        self._topics = topics
        self._groups = groups
        self._closing = threading.Event()
        self._seen = -1
        self._thread = threading.Thread(target=self._run, name="streamflow-upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(EVERY_S):
            if self._journal.appended == self._seen:
                continue
            self._seen = self._journal.appended
            try:
                self.run_once()
            except Fatal:
                _log.exception("upkeep_failed")

    def run_once(self, now_ms: int | None = None) -> None:
        now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        for topic in self._topics.all():
            for partition in topic.partitions:
                if topic.trimmed:
                    self.trim(topic, partition, now_ms)
                if topic.compacted:
                    self.compact(topic, partition, now_ms)
                if self._closing.is_set():
                    return

    # -- delete

    def trim(self, topic: Topic, partition: Partition, now_ms: int) -> None:
        retention_ms = topic.number_of("retention.ms", RETENTION_MS)
        oldest_ms = now_ms - retention_ms if retention_ms >= 0 else -1
        expired = self._first_younger(partition, oldest_ms)
        start = max(expired, self._dispensable(topic, partition))
        if start - partition.start < TRIM_RECORDS_MIN and expired <= partition.start:
            return
        first, partition.start = partition.start, start
        batch = WriteBatch(raw_mode=True)
        begin, end = partition.prefix + pack_offset(first), partition.prefix + pack_offset(start)
        batch.delete_range(begin, end)
        batch.put(partition.bounds_key, msgspec.msgpack.encode(partition.bounds()))
        self._journal.write_aside(batch)

    def _first_younger(self, partition: Partition, oldest_ms: int) -> int:
        """The offset of the first record that is not too old; the end when all are."""
        start, end = partition.start, partition.synced
        for slice_rows in (1, SLICE_RECORDS):  # mostly the first record is young enough
            for found in self._slices(partition, start, end, slice_rows):
                for offset, (_, _, _, time_ms) in found:
                    if time_ms >= oldest_ms:
                        return offset
                if slice_rows == 1:
                    break
        return end

    def _dispensable(self, topic: Topic, partition: Partition) -> int:
        """Up to here records may go for lack of readers or of room."""
        average = self._average_bytes(partition)
        bytes_max = topic.number_of("retention.bytes", -1)
        if (read := self._read_up_to(partition)) is None:
            room = UNREAD_BYTES_MAX if bytes_max < 0 else bytes_max
            return partition.synced - room // average
        consumed = min(read, partition.synced - CONSUMED_RECORDS_MAX)
        return consumed if bytes_max < 0 else max(consumed, partition.synced - bytes_max // average)

    def _read_up_to(self, partition: Partition) -> int | None:
        """The lowest position of any group or source; ``None`` when nothing reads the partition."""
        with self._journal.lock:
            read = [
                p for w in partition.watchers if (p := w.position_in(partition.name)) is not None
            ]
            for group in self._groups.values():
                try:
                    position = group.positions.stable([partition.name])[partition.name]
                except Unavailable:
                    return partition.start  # a transaction decides about it just now; next time
                if position is not None:
                    read.append(position.offset)
        return min(read, default=None)

    def _average_bytes(self, partition: Partition) -> int:
        with self._journal.lock:
            return max(1, partition.recent_bytes // max(1, len(partition.recent)))

    # -- compact

    def compact(self, topic: Topic, partition: Partition, now_ms: int) -> None:
        """One pass, once the part not yet looked at is worth it: as large as half of what was kept before."""
        end = partition.synced - SETTLED_RECORDS
        if end - partition.cleaned < max(DIRTY_RECORDS_MIN, partition.kept // 2):
            return
        latest, upto = self._latest(partition, end)
        oldest_ms = now_ms - topic.number_of("delete.retention.ms", TOMBSTONES_MS)
        kept = 0
        for found in self._slices(partition, partition.start, upto):
            batch = WriteBatch(raw_mode=True)
            for offset, (key, value, _, time_ms) in found:
                if latest.get(key, offset) > offset or (value is None and time_ms < oldest_ms):
                    batch.delete(partition.prefix + pack_offset(offset))
            kept += len(found) - len(batch)
            self._journal.write_aside(batch)
            if self._closing.wait(PAUSE_S):
                return
        partition.cleaned, partition.kept = upto, kept
        batch = WriteBatch(raw_mode=True)
        batch.put(partition.bounds_key, msgspec.msgpack.encode(partition.bounds()))
        self._journal.write_aside(batch)

    def _latest(self, partition: Partition, end: int) -> tuple[dict[bytes | None, int], int]:
        """Where each key of the part not yet looked at is last, and how far that part goes."""
        latest: dict[bytes | None, int] = {}
        for found in self._slices(partition, partition.cleaned, end):
            for offset, (key, _, _, _) in found:
                latest[key] = offset
            if len(latest) >= COMPACTED_RECORDS_MAX:
                return latest, found[-1][0] + 1
            self._closing.wait(PAUSE_S)
        return latest, end

    def _slices(
        self, partition: Partition, start: int, end: int, slice_rows: int = SLICE_RECORDS
    ) -> Iterator[list[Row]]:
        return record_slices(self._db, partition.prefix, start, end, slice_rows)
