"""Reads single partitions by offset: restores, views, tools.

The end is a high watermark, which may lie behind transaction markers and aborted records that nobody is given; so the
position counts, told by the library's end-of-partition events, and not the last record.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException

from streamflow.kafka.cluster import Cluster
from streamflow.kafka.errors import LOST_POSITION, Needed, error_of, reading_error
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.records import to_client, to_record
from streamflow.kafka.watch import ClientWatch
from streamflow.ports import LogError, Record, TopicPartition, Unavailable

BATCH_RECORDS_MAX: Final = 5_000
STALL_TIMEOUT_S: Final = 60.0
_WAIT_S: Final = 0.1


class KafkaReader:
    """Implements `streamflow.ports.Reader`. Owned by one thread; a new `read` ends the one before."""

    def __init__(self, options: KafkaOptions, cluster: Cluster) -> None:
        self._cluster = cluster
        self._watch = ClientWatch("reader")
        self._options = options
        self._consumer: Consumer | None = None
        """Made at the first read: who only asks for offsets costs no connection."""
        self._reads = 0

    def start_offset(self, partition: TopicPartition) -> int:
        return self._cluster.start_offsets([partition])[partition]

    def end_offset(self, partition: TopicPartition) -> int:
        return self._cluster.end_offsets([partition])[partition]

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return self._cluster.end_offsets(partitions)

    def read(self, partition: TopicPartition, offset: int, end: int) -> Iterator[Sequence[Record]]:
        """Records are fetched from here on, before the first is asked for."""
        if offset >= end:
            return iter(())
        self._reads += 1
        consumer = self._consumer
        if consumer is None:
            settings = {**self._options.reading(), **self._watch.settings()}
            consumer = self._consumer = Consumer(settings)
        consumer.assign([to_client(partition, offset)])
        return self._read(consumer, self._reads, partition, offset, end)

    def _read(
        self, consumer: Consumer, number: int, partition: TopicPartition, position: int, end: int
    ) -> Iterator[Sequence[Record]]:
        moved_at = time.monotonic()
        try:
            while position < end:
                assert number == self._reads, (
                    "Expected one read at a time of one reader, found another begun"
                )
                batch, reached = self._batch(consumer, partition, end)
                if reached > position:
                    position, moved_at = reached, time.monotonic()
                elif time.monotonic() - moved_at > STALL_TIMEOUT_S:
                    raise Unavailable(
                        f"Expected {partition.topic}/{partition.partition} to be readable up to {end}, found it stuck at "
                        f"{position} for {STALL_TIMEOUT_S:.0f} s. Look for a hanging transaction or an absent leader."
                    )
                if batch:
                    yield batch
        finally:
            if number == self._reads:
                consumer.unassign()

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()

    def _batch(
        self, consumer: Consumer, partition: TopicPartition, end: int
    ) -> tuple[list[Record], int]:
        """Records before the end, and the position after them (-1: not known)."""
        try:
            messages: list[Any] = consumer.consume(BATCH_RECORDS_MAX, 0.0) or consumer.consume(
                1, _WAIT_S
            )
        except KafkaException as refused:
            raise reading_error(
                error_of(refused),
                f"Expected records of {partition.topic}/{partition.partition}",
                needs=[Needed("Read", "topic", partition.topic)],
            ) from refused
        batch: list[Record] = []
        reached = -1
        for message in messages:
            if (error := message.error()) is not None:
                reached = max(reached, self._reached(partition, message, error))
                continue
            record = to_record(message)
            if record.offset >= end:
                return batch, end
            batch.append(record)
        if batch:
            reached = max(reached, batch[-1].offset + 1)
        return batch, reached

    def _reached(self, partition: TopicPartition, message: Any, error: KafkaError) -> int:
        code = error.code()
        if code == KafkaError._PARTITION_EOF:
            offset: int = message.offset()
            return offset
        if code in LOST_POSITION:
            raise LogError(
                f"Expected records of {partition.topic}/{partition.partition} where reading began, found: {error.str()}. "
                "Retention has removed them: read from the start offset and rebuild."
            )
        if code == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return -1  # of the group that the library wants a name of, and that nothing is asked of
        raised = reading_error(
            error,
            f"Expected records of {partition.topic}/{partition.partition}",
            needs=[Needed("Read", "topic", partition.topic)],
        )
        if isinstance(raised, Unavailable):
            # The library tries again by itself; the stall timeout bounds that.
            return -1
        raise raised
