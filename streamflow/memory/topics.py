"""Partitions as a broker keeps them: entries by offset, transactions pending in them, markers, compaction, retention.

A marker takes an offset, as on Kafka, so the end of what can be read is not the number of records. Visible is what lies
before the first pending transaction (the stable end) and was not aborted.
"""

from __future__ import annotations

import enum
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from streamflow.ports import Headers, LogError, OutRecord, Record, TopicPartition, TopicState

# The brokers' own defaults, for topics that do not set them.
_MESSAGE_BYTES_MAX: Final = 1_048_588
_DELETE_RETENTION_MS: Final = 86_400_000
_RECORD_OVERHEAD_BYTES: Final = 70


class Decision(enum.Enum):
    """What has become of a transaction."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Transaction:
    """Records and offsets that become visible together, or not at all. Driven by the coordinator."""

    __slots__ = ("decision", "id", "number")

    def __init__(self, id: str, number: int) -> None:
        self.id = id
        self.number = number
        self.decision = Decision.OPEN


class Entry(msgspec.Struct, frozen=True):
    """One offset in use: a record, or the marker that ends a transaction (no record)."""

    offset: int
    timestamp_ms: int
    record: Record | None
    transaction: Transaction | None


class Partition:
    """One partition's log."""

    def __init__(self, name: TopicPartition) -> None:
        self.name = name
        self.start = 0
        self.end = 0
        self.entries: list[Entry] = []
        self._pending: dict[Transaction, int] = {}
        self._watchers: dict[int, Callable[[], None]] = {}
        self._watched = 0

    @property
    def stable_end(self) -> int:
        """Where the first pending transaction begins; the end when none is pending."""
        return min(self._pending.values(), default=self.end)

    def append(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        *,
        now_ms: int,
        transaction: Transaction | None,
    ) -> int:
        offset = self.end
        record = Record(self.name.topic, self.name.partition, offset, key, value, headers, now_ms)
        if transaction is not None:
            self._pending.setdefault(transaction, offset)
        self._add(Entry(offset, now_ms, record, transaction))
        return offset

    def mark(self, transaction: Transaction, *, now_ms: int) -> None:
        """Writes the marker: from here on this partition's readers know how the transaction ended."""
        assert transaction.decision is not Decision.OPEN, transaction.id
        del self._pending[transaction]
        self._add(Entry(self.end, now_ms, None, transaction))

    def read(self, offset: int, records_max: int) -> tuple[list[Record], int]:
        """Visible records from ``offset``, and the offset after everything looked at."""
        self.check_offset(offset)
        stable_end = self.stable_end
        records: list[Record] = []
        index = bisect_left(self.entries, offset, key=_offset_of)
        while index < len(self.entries) and len(records) < records_max:
            entry = self.entries[index]
            if entry.offset >= stable_end:
                break
            if entry.record is not None and _committed(entry):
                records.append(entry.record)
            offset = entry.offset + 1
            index += 1
        if len(records) < records_max:
            offset = max(offset, stable_end)  # compaction may have left nothing up to there
        return records, offset

    def has_visible(self, offset: int) -> bool:
        return bool(self.read(max(offset, self.start), 1)[0])

    def check_offset(self, offset: int) -> None:
        if not self.start <= offset <= self.end:
            raise LogError(
                f"Expected an offset of {self.name.topic}/{self.name.partition} from {self.start} to "
                f"{self.end}, found {offset}; records before the start are gone, restore without them"
            )

    def truncate(self, before: int) -> None:
        """Retention: drops everything before this offset."""
        assert before <= self.end, (before, self.end)
        self.start = max(self.start, before)
        del self.entries[: bisect_left(self.entries, self.start, key=_offset_of)]

    def compact(self, *, tombstones_before_ms: int) -> None:
        """Keeps the last value of each key before the stable end; offsets stay what they are."""
        stable_end = self.stable_end
        last = {
            entry.record.key: entry.offset
            for entry in self.entries
            if entry.offset < stable_end and entry.record is not None and _committed(entry)
        }
        self.entries = [
            entry
            for entry in self.entries
            if entry.offset >= stable_end or _survives(entry, last, tombstones_before_ms)
        ]

    def watch(self, arrived: Callable[[], None]) -> Callable[[], None]:
        """Calls whenever more may have become visible; returns how to end it."""
        token = self._watched
        self._watched += 1
        self._watchers[token] = arrived
        return lambda: _forget(self._watchers, token)

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.end = entry.offset + 1
        if self.stable_end > entry.offset or entry.record is None:
            for arrived in list(self._watchers.values()):
                arrived()


class Topic:
    """A topic and its settings."""

    def __init__(self, state: TopicState) -> None:
        self.state = state
        self.partitions = [
            Partition(TopicPartition(state.name, number)) for number in range(state.partitions)
        ]

    @property
    def compacted(self) -> bool:
        return "compact" in self.state.config.get("cleanup.policy", "delete").split(",")

    def alter(self, config: Mapping[str, str]) -> None:
        self.state = msgspec.structs.replace(self.state, config={**self.state.config, **config})

    def refusal(self, record: OutRecord) -> str | None:
        """Why a broker would not take this record, if so."""
        topic = self.state.name
        if not 0 <= record.partition < len(self.partitions):
            return f"Expected a partition of {topic!r} below {len(self.partitions)}, found {record.partition}"
        bytes_max = int(self.state.config.get("max.message.bytes", _MESSAGE_BYTES_MAX))
        if (size := record_bytes(record)) > bytes_max:
            return f"Expected at most {bytes_max} bytes in a record of {topic!r}, found {size}"
        if record.key is None and self.compacted:
            return f"Expected a key in a record of the compacted topic {topic!r}, found none"
        return None

    def compact(self, now_ms: int) -> None:
        retention_ms = int(self.state.config.get("delete.retention.ms", _DELETE_RETENTION_MS))
        for partition in self.partitions:
            partition.compact(tombstones_before_ms=now_ms - retention_ms)

    def expire(self, now_ms: int) -> None:
        """Drops what is older than ``retention.ms`` from the front (nothing when it is not set, or -1)."""
        retention_ms = int(self.state.config.get("retention.ms", -1))
        if retention_ms < 0:
            return
        for partition in self.partitions:
            stable_end = partition.stable_end
            kept = (e.offset for e in partition.entries if e.timestamp_ms >= now_ms - retention_ms)
            partition.truncate(min(next(kept, partition.end), stable_end))


def record_bytes(record: OutRecord) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return _RECORD_OVERHEAD_BYTES + len(record.key or b"") + len(record.value or b"") + headers


def _survives(entry: Entry, last: Mapping[bytes | None, int], tombstones_before_ms: int) -> bool:
    old = entry.timestamp_ms < tombstones_before_ms
    if entry.record is None:
        return not old
    if last.get(entry.record.key) != entry.offset:
        return False
    return entry.record.value is not None or not old


def _committed(entry: Entry) -> bool:
    return entry.transaction is None or entry.transaction.decision is Decision.COMMITTED


def _offset_of(entry: Entry) -> int:
    return entry.offset


def _forget(watchers: dict[int, Callable[[], None]], token: int) -> None:
    watchers.pop(token, None)
