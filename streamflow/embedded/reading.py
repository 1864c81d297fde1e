"""Reading a partition by offset: from memory where it is recent, else from disk. Readers and tails; sources are their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rocksdict import Rdict

from streamflow.embedded.database import Row, stored_records
from streamflow.embedded.journal import Journal
from streamflow.embedded.partition import Partition
from streamflow.observability import get_logger
from streamflow.ports import Record, TopicPartition

SLICE_RECORDS = 500

_log = get_logger("embedded")


class Shelf:
    """Reads slices of partitions. No state of its own."""

    def __init__(self, db: Rdict, journal: Journal) -> None:
        self._db = db
        self._journal = journal

    def slice(
        self, partition: Partition, offset: int, end: int, limit: int = SLICE_RECORDS
    ) -> tuple[list[Record], int]:
        """Records from ``offset`` to before ``end`` (both synced), and the offset after everything looked at."""
        with self._journal.lock:
            base = partition.base
            if offset >= base:
                records = partition.in_memory(offset, end, limit)
                return records, offset + len(records)
        return self.stored(partition, offset, min(base, end), limit)

    def stored(
        self, partition: Partition, offset: int, end: int, limit: int
    ) -> tuple[list[Record], int]:
        """The same from disk, where compaction leaves gaps."""
        found = stored_records(self._db, partition.prefix, offset, end, limit)
        records = [_record(partition, row) for row in found]
        return records, records[-1].offset + 1 if len(records) == limit else end


class EmbeddedReader:
    """A `Reader`."""

    def __init__(
        self, shelf: Shelf, journal: Journal, find: Callable[[TopicPartition], Partition]
    ) -> None:
        self._shelf = shelf
        self._journal = journal
        self._find = find

    def start_offset(self, partition: TopicPartition) -> int:
        return self._find(partition).start

    def end_offset(self, partition: TopicPartition) -> int:
        return self._find(partition).end

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: self.end_offset(partition) for partition in partitions}

    def read(self, partition: TopicPartition, offset: int, end: int) -> Iterator[Sequence[Record]]:
        found = self._find(partition)
        if end > found.synced:
            self._journal.settle()
        end = min(end, found.synced)
        while offset < end:
            records, offset = self._shelf.slice(found, offset, end)
            if records:
                yield records

    def close(self) -> None:
        pass


class EmbeddedTail:
    """A `Tail`. Everything is delivered under the journal's publishing lock, so never concurrently."""

    def __init__(
        self,
        shelf: Shelf,
        journal: Journal,
        partition: Partition,
        deliver: Callable[[Sequence[Record]], None],
        offset: int,
    ) -> None:
        self._shelf = shelf
        self._journal = journal
        self._partition = partition
        self._deliver = deliver
        self._position = offset
        self._live = offset >= partition.synced
        self.closed = False

    @property
    def live(self) -> bool:
        """Whether it has caught up, and is told by those who sync."""
        return self._live

    def advance(self) -> None:
        """Called after each sync that touched the partition."""
        while self._live and not self.closed and self._position < self._partition.synced:
            self._step()

    def catch_up(self) -> bool:
        self._journal.publish(self._catch_up)
        return not self._live and not self.closed

    def close(self) -> None:
        self.closed = True
        with self._journal.lock:
            if self in self._partition.followers:
                # A new list: a sync may be walking the old one.
                self._partition.followers = [f for f in self._partition.followers if f is not self]

    def _catch_up(self) -> None:
        if not self.closed and self._position < self._partition.synced:
            self._step()
        self._live = self._position >= self._partition.synced

    def _step(self) -> None:
        end = self._partition.synced
        records, self._position = self._shelf.slice(self._partition, self._position, end)
        if not records:
            return
        try:
            self._deliver(records)
        except Exception:
            # The subscriber's fault must not become that of the thread that happened to sync; the next records come.
            _log.exception("tail_callback_failed", partition=self._partition.name)


def _record(partition: Partition, row: Row) -> Record:
    offset, (key, value, headers, timestamp_ms) = row
    return Record(partition.topic, partition.number, offset, key, value, headers, timestamp_ms)
