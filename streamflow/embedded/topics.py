"""The topics of an embedded log: made when first named to `create`, found by name, and which records they take."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import msgspec
from rocksdict import Rdict

from streamflow.embedded.database import (
    NUMBERS_KEY,
    Bounds,
    TopicRow,
    bounds_key,
    last_key,
    offset_of,
    record_prefix,
    rows,
    topic_key,
)
from streamflow.embedded.journal import Journal
from streamflow.embedded.partition import Partition
from streamflow.ports import (
    OutRecord,
    RecordRefused,
    TopicMissing,
    TopicPartition,
    TopicSpec,
    TopicState,
)

MESSAGE_BYTES_MAX = 1_048_588
"""A broker's own default, for topics that do not set ``max.message.bytes``."""
_HEADROOM_BYTES = 64 * 1024
"""Records this far below the default limit are not measured exactly, unless they have many headers."""

_PARTITION_END = struct.pack(">Q", 2**64 - 1)


class Topic:
    """A topic with its partitions."""

    def __init__(self, name: str, row: TopicRow, bounds: Sequence[Bounds]) -> None:
        self.name = name
        self.number = row.number
        self.partitions = [
            Partition(TopicPartition(name, number), row.number, found)
            for number, found in enumerate(bounds)
        ]
        self.configure(row)

    def configure(self, row: TopicRow) -> None:
        self.row = row
        policies = row.config.get("cleanup.policy", "delete").split(",")
        self.compacted = "compact" in policies
        self.trimmed = "delete" in policies
        self.record_bytes_max = int(row.config.get("max.message.bytes", MESSAGE_BYTES_MAX))

    @property
    def state(self) -> TopicState:
        return TopicState(
            name=self.name,
            partitions=self.row.partitions,
            replication_factor=self.row.replication_factor,
            config=self.row.config,
        )

    def number_of(self, setting: str, default: int) -> int:
        """A numeric setting; -1 stands for no bound, as on a broker."""
        return int(self.row.config.get(setting, default))


class Topics:
    """All topics. The mapping is replaced, never changed, so reading it takes no lock."""

    def __init__(self, db: Rdict, journal: Journal) -> None:
        self._journal = journal
        self._topics = {topic.name: topic for topic in _stored_topics(db)}
        used: bytes | None = db.get(NUMBERS_KEY)
        highest = max((topic.number for topic in self._topics.values()), default=0)
        self._next_number = 1 + max(highest, 0 if used is None else int(used))

    def all(self) -> list[Topic]:
        return list(self._topics.values())

    def get(self, name: str) -> Topic | None:
        return self._topics.get(name)

    def partitions_of(self, name: str) -> int:
        topic = self._topics.get(name)
        return 0 if topic is None else len(topic.partitions)

    def find(self, name: TopicPartition) -> Partition:
        """Raises `TopicMissing`."""
        topic = self._topics.get(name.topic)
        if topic is None or not 0 <= name.partition < len(topic.partitions):
            raise TopicMissing(
                f"Expected {name.topic}/{name.partition} in the embedded log, found no such partition; create the topic",
                [name.topic],
            )
        return topic.partitions[name.partition]

    def accept(self, record: OutRecord) -> Partition:
        """Where the record goes. Raises `RecordRefused`."""
        topic = self._topics.get(record.topic)
        if topic is None:
            raise RecordRefused(f"Expected topic {record.topic!r} to exist, found none", record)
        if not 0 <= record.partition < len(topic.partitions):
            raise RecordRefused(
                f"Expected a partition of {topic.name!r} below {len(topic.partitions)}, found {record.partition}",
                record,
            )
        if record.key is None and topic.compacted:
            raise RecordRefused(
                f"Expected a key in a record of the compacted topic {topic.name!r}, found none",
                record,
            )
        size = len(record.value or b"") + len(record.key or b"")
        if size + _HEADROOM_BYTES > topic.record_bytes_max or len(record.headers) > 16:
            size += sum(len(name) + len(value) for name, value in record.headers)
            if size > topic.record_bytes_max:
                raise RecordRefused(
                    f"Expected at most {topic.record_bytes_max} bytes in a record of {topic.name!r}, found {size}",
                    record,
                )
        return topic.partitions[record.partition]

    def create(self, specs: Sequence[TopicSpec]) -> None:
        """Those that do not exist. Not durable before the journal is settled."""
        with self._journal.lock:
            topics = dict(self._topics)
            for spec in specs:
                if spec.name in topics:
                    continue
                assert spec.partitions > 0, spec
                row = TopicRow(
                    self._next_number, spec.partitions, spec.replication_factor, dict(spec.config)
                )
                self._next_number += 1
                self._journal.put(topic_key(spec.name), msgspec.msgpack.encode(row))
                topics[spec.name] = Topic(spec.name, row, [Bounds()] * spec.partitions)
            self._topics = topics

    def delete(self, names: Sequence[str]) -> frozenset[str]:
        """Those that exist, with their records; gives their names. With the journal's lock held, and not durable before
        the journal is settled.

        Their numbers are never given again: what upkeep or a late sender may still write of them is nobody's.
        """
        topics = dict(self._topics)
        gone = [topic for name in dict.fromkeys(names) if (topic := topics.pop(name, None))]
        for topic in gone:
            self._journal.delete(topic_key(topic.name))
            for first_key in (record_prefix, bounds_key):
                self._journal.delete_range(
                    first_key(topic.number, 0), first_key(topic.number + 1, 0)
                )
        if gone:
            self._journal.put(NUMBERS_KEY, str(self._next_number - 1).encode())
        self._topics = topics
        return frozenset(topic.name for topic in gone)

    def alter(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        missing = [name for name in changes if name not in self._topics]
        if missing:
            raise TopicMissing(
                f"Expected {missing} in the embedded log, found no such topics", missing
            )
        with self._journal.lock:
            for name, change in changes.items():
                topic = self._topics[name]
                row = msgspec.structs.replace(topic.row, config={**topic.row.config, **change})
                self._journal.put(topic_key(name), msgspec.msgpack.encode(row))
                topic.configure(row)


def _stored_topics(db: Rdict) -> list[Topic]:
    found: list[Topic] = []
    for key, value in rows(db, b"t", b"u"):
        row = msgspec.msgpack.decode(value, type=TopicRow)
        bounds = [_stored_bounds(db, row.number, number) for number in range(row.partitions)]
        found.append(Topic(key[1:].decode(), row, bounds))
    return found


def _stored_bounds(db: Rdict, number: int, partition: int) -> Bounds:
    """The end is behind the last record, or where it was when the last records were removed."""
    value: bytes | None = db.get(bounds_key(number, partition))
    bounds = Bounds() if value is None else msgspec.msgpack.decode(value, type=Bounds)
    prefix = record_prefix(number, partition)
    last = last_key(db, prefix, prefix + _PARTITION_END)
    if last is None:
        return bounds
    return msgspec.structs.replace(bounds, end=max(bounds.end, offset_of(last) + 1))
