"""A member of a consumer group for tests: reads from its committed positions, and notes what it is told."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from streamflow.ports import Committed, Log, OutRecord, Record, Source, TopicPartition, TopicSpec

WAIT_MS = 5_000


def topic(name: str, partitions: int = 1, **config: str) -> TopicSpec:
    return TopicSpec(
        name=name,
        partitions=partitions,
        config={key.replace("_", "."): value for key, value in config.items()},
    )


def out(text: str, *, to: str = "in", partition: int = 0, key: str | None = None) -> OutRecord:
    return OutRecord(to, partition, (key or text).encode(), text.encode())


def texts(records: Sequence[Record]) -> list[str]:
    return [record.value.decode() if record.value is not None else "-" for record in records]


class Member:
    """Polls by hand."""

    source: Source

    def __init__(self, log: Log, instance: str = "a", *topics: str, group: str = "g") -> None:
        self.told: list[str] = []
        self.owned: set[TopicPartition] = set()
        self.source = log.source(
            group=group, topics=topics or ("in",), listener=self, instance=instance
        )

    def poll(self, wait_ms: int = 0) -> list[str]:
        return texts(self.source.poll(100, wait_ms))

    def read(self, count: int) -> list[str]:
        """Polls until this many have come."""
        found: list[str] = []
        deadline = time.monotonic() + WAIT_MS / 1000
        while len(found) < count and time.monotonic() < deadline:
            found += self.poll(WAIT_MS)
        return found

    def at(self, offset: int, *, partition: int = 0) -> Mapping[TopicPartition, Committed]:
        return {TopicPartition("in", partition): Committed(offset)}

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.told.append("assigned")
        self.owned |= set(partitions)
        committed = self.source.committed(partitions)
        self.source.start_reading(
            {name: at.offset if at is not None else 0 for name, at in committed.items()}
        )

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self.told.append("revoked")
        self.owned -= set(partitions)

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        self.told.append("lost")
        self.owned -= set(partitions)
