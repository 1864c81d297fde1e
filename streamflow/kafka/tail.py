"""Subscriptions to single partitions, all served by one consumer on one thread.

Each tail filters by its own next offset, so that several may follow one partition: the consumer goes back to where
the newest of them begins, and the others do not notice.

A position may come to lie outside of its partition: retention took what it was at, or the partition was made anew, or lost
its end. All tails there then go on at the nearest offset that there is.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException

from streamflow.kafka.cluster import Cluster
from streamflow.kafka.errors import LOST_POSITION, Needed, to_be_granted
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.records import to_client, to_record
from streamflow.kafka.watch import ClientWatch
from streamflow.observability import get_logger
from streamflow.ports import Record, TopicPartition

_log = get_logger("kafka")

BATCH_RECORDS_MAX: Final = 1_000
_SLICE_S: Final = 0.02
_LOST_POSITION: Final = LOST_POSITION | {KafkaError._LOG_TRUNCATION}
_RANGE_WAIT_S: Final = 1.0
"""How long start and end of a partition are waited for, which holds up the other tails ..."""
_LOOK_AGAIN_AFTER_S: Final = 1.0
"""... and how soon after that they are asked for again."""

Deliver = Callable[[Sequence[Record]], None]


class KafkaTail:
    """Implements `streamflow.ports.Tail`. A delivery under way when it is closed may still end."""

    def __init__(
        self, tails: Tails, partition: TopicPartition, offset: int, deliver: Deliver
    ) -> None:
        self.partition = partition
        self.next_offset = offset
        self.closed = False
        self._tails = tails
        self._deliver = deliver

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._tails.changed(self)

    def go_on_within(self, start: int, end: int) -> None:
        """On the tails' thread."""
        self.next_offset = min(max(self.next_offset, start), end)

    def take(self, records: list[Record]) -> None:
        """On the tails' thread."""
        fresh = records
        if records[0].offset < self.next_offset:
            fresh = [record for record in records if record.offset >= self.next_offset]
        if not fresh or self.closed:
            return
        self.next_offset = fresh[-1].offset + 1
        try:
            self._deliver(fresh)
        except Exception:
            # One follower's fault is not the others'; its own timeouts tell it.
            _log.exception(
                "tail_delivery_failed",
                topic=self.partition.topic,
                partition=self.partition.partition,
            )


class Tails:
    """The thread and its consumer, which begin with the first tail."""

    def __init__(self, options: KafkaOptions, cluster: Cluster) -> None:
        self._options = options
        self._cluster = cluster
        self._lock = threading.Lock()
        self._changes: deque[KafkaTail] = deque()
        self._changed = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        # On the thread only.
        self._followed: dict[TopicPartition, list[KafkaTail]] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._lost: set[TopicPartition] = set()
        """Where there is nothing at the position."""
        self._looked_at = 0.0

    def open(self, partition: TopicPartition, deliver: Deliver, offset: int | None) -> KafkaTail:
        self._cluster.require_topics([partition.topic])
        if offset is None:
            offset = self._cluster.end_offsets([partition])[partition]
        tail = KafkaTail(self, partition, offset, deliver)
        self.changed(tail)
        with self._lock:
            assert not self._closing, "the log is closed"
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="streamflow-tails", daemon=True
                )
                self._thread.start()
        return tail

    def changed(self, tail: KafkaTail) -> None:
        """A tail was opened or closed; the thread sees to it within a slice."""
        self._changes.append(tail)
        self._changed.set()

    def close(self) -> None:
        with self._lock:
            self._closing = True
        self._changed.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        consumer = Consumer({**self._options.tailing(), **ClientWatch("tails").settings()})
        try:
            while not self._closing:
                self._apply_changes(consumer)
                if not self._followed:
                    self._changed.wait()
                    continue
                self._deliver(_consume(consumer))
                self._find_lost(consumer)
        finally:
            consumer.close()

    def _apply_changes(self, consumer: Consumer) -> None:
        self._changed.clear()
        while self._changes:
            tail = self._changes.popleft()
            if tail.closed:
                self._unfollow(consumer, tail)
            else:
                self._follow(consumer, tail)

    def _follow(self, consumer: Consumer, tail: KafkaTail) -> None:
        partition = tail.partition
        others = self._followed.setdefault(partition, [])
        others.append(tail)
        if len(others) > 1:
            if tail.next_offset >= self._positions[partition]:
                return
            consumer.incremental_unassign([to_client(partition)])
        self._positions[partition] = tail.next_offset
        consumer.incremental_assign([to_client(partition, tail.next_offset)])

    def _unfollow(self, consumer: Consumer, tail: KafkaTail) -> None:
        followers = self._followed.get(tail.partition, [])
        if tail not in followers:
            return
        followers.remove(tail)
        if not followers:
            del self._followed[tail.partition]
            self._lost.discard(tail.partition)
            consumer.incremental_unassign([to_client(tail.partition)])

    def _deliver(self, messages: list[Any]) -> None:
        batches: dict[TopicPartition, list[Record]] = {}
        for message in messages:
            if (error := message.error()) is not None:
                self._on_error(message, error)
                continue
            record = to_record(message)
            batches.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
        for partition, records in batches.items():
            self._positions[partition] = records[-1].offset + 1
            for tail in list(self._followed.get(partition, ())):
                tail.take(records)

    # -- lost positions -------------------------------------------------------------------------------------------

    def _on_error(self, message: Any, error: KafkaError) -> None:
        partition = TopicPartition(message.topic(), message.partition())
        if error.code() not in _LOST_POSITION:
            _tell(message, error)
        elif partition in self._followed:
            self._lost.add(partition)

    def _find_lost(self, consumer: Consumer) -> None:
        if not self._lost or time.monotonic() < self._looked_at + _LOOK_AGAIN_AFTER_S:
            return
        for partition in sorted(self._lost):
            try:
                start, end = consumer.get_watermark_offsets(to_client(partition), _RANGE_WAIT_S)
            except KafkaException as error:
                _log.debug("tail_range_unknown", topic=partition.topic, error=str(error))
                continue
            self._lost.remove(partition)
            self._go_on_within(consumer, partition, start, end)
        self._looked_at = time.monotonic()

    def _go_on_within(
        self, consumer: Consumer, partition: TopicPartition, start: int, end: int
    ) -> None:
        tails = self._followed[partition]
        for tail in tails:
            tail.go_on_within(start, end)
        lost, found = self._positions[partition], min(tail.next_offset for tail in tails)
        _log.warning(
            "tail_position_lost",
            topic=partition.topic,
            partition=partition.partition,
            lost=lost,
            goes_on_at=found,
        )
        self._positions[partition] = found
        consumer.incremental_unassign([to_client(partition)])
        consumer.incremental_assign([to_client(partition, found)])


def _consume(consumer: Consumer) -> list[Any]:
    try:
        messages: list[Any] = consumer.consume(1, _SLICE_S)
        if messages:
            messages += consumer.consume(BATCH_RECORDS_MAX, 0.0)
    except KafkaException as error:
        # Nobody above could do more than try again, which the loop does.
        _log.warning("tail_error", error=str(error))
        return []
    return messages


def _tell(message: Any, error: KafkaError) -> None:
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return  # of the group that the library wants a name of, and that nothing is asked of
    needs = to_be_granted(error, Needed("Read", "topic", message.topic()))
    _log.warning("tail_error", error=error.name(), text=error.str() + needs)
