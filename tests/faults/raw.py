"""Reads topics as any outsider can: a plain read-committed consumer, decoding with `streamflow.wire` only."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from streamflow.wire.header import SF, EntryHeader, unpack
from streamflow.wire.keys import EntityKind, HistoryKey, parse_key

CLOSING_CODES = range(13, 19)
"""Codes of the events that end a run."""


class Entry(NamedTuple):
    """One record of the history topic."""

    partition: int
    offset: int
    appended_ms: int
    """The broker's time of the append."""
    key: HistoryKey
    header: EntryHeader
    packed: bytes
    value: bytes | None


class Topic:
    """Every partition of a topic, read from its beginning in the partition's order."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "outsider-who-commits-nothing",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            }
        )
        self.name = topic
        found = self._consumer.list_topics(topic, timeout=30).topics[topic].partitions
        self.partitions = len(found)
        self._ended: set[int] = set()
        self._consumer.assign([TopicPartition(topic, number, 0) for number in found])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def more(self, seconds: float) -> list[Message]:
        """What came within this time, or at once what was there."""
        found: list[Message] = []
        for message in self._consumer.consume(1_000, seconds):
            error = message.error()
            if error is None:
                self._ended.discard(message.partition() or 0)
                found.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._ended.add(message.partition() or 0)
        return found

    def rest(self, *, timeout_s: float = 60) -> list[Message]:
        """Everything up to the end that committed readers see, now that nobody writes any more."""
        return [each for batch in self.batches(timeout_s=timeout_s) for each in batch]

    def batches(self, *, timeout_s: float = 60) -> Iterator[list[Message]]:
        """The same, as it comes. So long may nothing come before the end."""
        ends = {
            number: self._consumer.get_watermark_offsets(
                TopicPartition(self.name, number), timeout=30
            )[1]
            for number in range(self.partitions)
        }
        deadline = time.monotonic() + timeout_s
        while True:
            if found := self.more(0.05):
                deadline = time.monotonic() + timeout_s
                yield found
            positions = self._consumer.position(
                [TopicPartition(self.name, number) for number in range(self.partitions)]
            )
            behind = [
                p.partition
                for p in positions
                if p.offset < ends[p.partition] and p.partition not in self._ended
            ]
            if not behind:
                return
            assert time.monotonic() < deadline, f"{self.name}: cannot read partitions {behind}"


def entry_of(message: Message) -> Entry:
    key, headers = message.key(), dict(message.headers() or [])
    packed = headers.get(SF)
    assert key is not None, message
    assert isinstance(packed, bytes), f"a history record without header {SF}: {message}"
    return Entry(
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        parse_key(key),
        unpack(packed),
        packed,
        message.value(),
    )


class History:
    """The history topic of a queue, followed while it is written."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = Topic(bootstrap, topic)
        self.entries: list[Entry] = []
        self.closed: dict[str, int] = {}
        """Workflow ID and the code of its closing event."""

    def close(self) -> None:
        self._topic.__exit__(None, None, None)

    def follow(self, seconds: float) -> None:
        """Reads what comes within this time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._take(self._topic.more(min(left, 0.05)))

    def follow_until_closed(self, workflows: int, *, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while len(self.closed) < workflows:
            self.follow(0.1)
            assert time.monotonic() < deadline, (
                f"after {timeout_s:.0f} s only {len(self.closed)} of {workflows} workflows have ended"
            )

    def read_to_end(self) -> None:
        self._take(self._topic.rest())

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            entry = entry_of(message)
            self.entries.append(entry)
            if entry.key.kind is EntityKind.EVENT and entry.header.code in CLOSING_CODES:
                self.closed[entry.key.workflow_id] = entry.header.code
