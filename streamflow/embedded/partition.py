"""One partition in memory: its ends, its recent records, and who waits for more.

    start ... base ............ synced ..... visible ..... end
      |        |                  |             |            next offset
      |        |                  |             sources read up to here
      |        |                  tails and readers read up to here: it survives the process and the machine
      |        the first record still in memory
      the first offset not yet trimmed

A record appended outside a transaction is visible at once: the write-ahead log is durable in order, so nothing that was
made of it can outlive it. A transaction's records wait for its sync, and what comes behind them waits with them.
All of it is guarded by the journal's lock.
"""

from __future__ import annotations

from typing import Protocol

from streamflow.embedded.database import Bounds, bounds_key, record_prefix
from streamflow.ports import Record, TopicPartition

RECENT_RECORDS_MAX = 2_000
RECENT_BYTES_MAX = 2 << 20


class Watcher(Protocol):
    """A source that reads the partition."""

    waiting: bool

    def rouse(self) -> None: ...

    def position_in(self, partition: TopicPartition) -> int | None: ...


class Follower(Protocol):
    """A tail of the partition."""

    def advance(self) -> None: ...


class Partition:
    """See the module's picture."""

    __slots__ = (
        "base", "bounds_key", "cleaned", "end", "followers", "held", "kept", "name", "number", "prefix",
        "recent", "recent_bytes", "start", "synced", "topic", "visible", "watchers",
    )  # fmt: skip

    def __init__(self, name: TopicPartition, topic_number: int, bounds: Bounds) -> None:
        self.name = name
        self.topic = name.topic
        self.number = name.partition
        self.prefix = record_prefix(topic_number, name.partition)
        self.bounds_key = bounds_key(topic_number, name.partition)
        self.start = bounds.start
        self.base = self.synced = self.visible = self.end = bounds.end
        self.cleaned = bounds.cleaned
        self.kept = bounds.kept
        self.held = 0
        """Unsynced rounds that carry a transaction's records for this partition."""
        self.recent: list[Record] = []
        self.recent_bytes = 0
        self.watchers: list[Watcher] = []
        self.followers: list[Follower] = []

    def bounds(self) -> Bounds:
        return Bounds(self.start, self.synced, self.cleaned, self.kept)

    def add(self, record: Record, size: int) -> None:
        self.recent.append(record)
        self.recent_bytes += size
        self.end = record.offset + 1

    def show(self, visible: int) -> None:
        """Lets sources read up to ``visible``, and wakes those that wait."""
        self.visible = visible
        for watcher in self.watchers:
            if watcher.waiting:
                watcher.rouse()

    def in_memory(self, offset: int, end: int, limit: int) -> list[Record]:
        """Records from ``offset`` (not below ``base``) to before ``end``."""
        first = offset - self.base
        return self.recent[first : min(end - self.base, first + limit)]

    def forget_old(self) -> None:
        """Keeps what is recent; never drops what is not yet synced, as only memory has it for sure."""
        if len(self.recent) <= RECENT_RECORDS_MAX and self.recent_bytes <= RECENT_BYTES_MAX:
            return
        count = min(len(self.recent) // 2, self.synced - self.base)
        dropped = self.recent[:count]
        del self.recent[:count]
        self.base += count
        self.recent_bytes -= sum(map(record_bytes, dropped))


def record_bytes(record: Record) -> int:
    """Roughly what a record takes; headers are small."""
    return 100 + len(record.key or b"") + len(record.value or b"")
