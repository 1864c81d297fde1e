"""Reading without a group on the memory log: whole stretches of a partition, and its tail as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from streamflow.memory.connection import Connection
from streamflow.ports import Record, TopicPartition

_BATCH_RECORDS: Final = 500


class MemoryReader:
    """Reads single partitions by offset."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start_offset(self, partition: TopicPartition) -> int:
        self._connection.enter("start_offset")
        return self._connection.broker.partition(partition).start

    def end_offset(self, partition: TopicPartition) -> int:
        self._connection.enter("end_offset")
        return self._connection.broker.partition(partition).end

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: self.end_offset(partition) for partition in partitions}

    def read(self, partition: TopicPartition, offset: int, end: int) -> Iterator[Sequence[Record]]:
        """Waiting for markers makes them arrive; for an undecided transaction it raises `Unavailable` at once."""
        log = self._connection.broker.partition(partition)
        while offset < end:
            self._connection.enter("read")
            if log.stable_end <= offset:
                self._connection.broker.coordinator.deliver_markers()
            if log.stable_end <= offset:
                raise self._connection.unavailable(
                    f"Expected {partition.topic}/{partition.partition} to be decided up to {end}, found a "
                    f"transaction or the end of the log at {offset}; read again"
                )
            records, offset = log.read(offset, _BATCH_RECORDS)
            if kept := [record for record in records if record.offset < end]:
                yield kept

    def close(self) -> None: ...


class MemoryTail:
    """Delivers a partition's records as they become visible, each batch in a call of its own."""

    def __init__(
        self,
        connection: Connection,
        partition: TopicPartition,
        deliver: Callable[[Sequence[Record]], None],
        offset: int | None,
    ) -> None:
        connection.enter("tail")
        self._connection = connection
        self._partition = connection.broker.partition(partition)
        self._deliver = deliver
        self._position = self._partition.end if offset is None else offset
        self._due = False
        self._closed = False
        self._unwatch = self._partition.watch(self._arrived)
        connection.attach(self)
        self._arrived()

    def close(self) -> None:
        """Nothing is delivered any more, not even what was about to be."""
        self._closed = True
        self._unwatch()
        self._connection.detach(self)

    # -- its process

    def paused(self) -> None: ...

    def resumed(self) -> None: ...

    def crashed(self) -> None:
        self._closed = True
        self._unwatch()

    def disconnected(self) -> None:
        self.close()

    def _arrived(self) -> None:
        if self._due or self._closed:
            return
        self._due = True
        clock = self._connection.broker.clock
        if delay_ms := self._connection.broker.faults.delivery_delay_ms():
            clock.call_at(clock.now_ms() + delay_ms, lambda: self._connection.soon(self._pump))
        else:
            self._connection.soon(self._pump)

    def _pump(self) -> None:
        self._due = False
        if self._closed:
            return
        self._position = max(self._position, self._partition.start)
        records, self._position = self._partition.read(self._position, _BATCH_RECORDS)
        faults = self._connection.broker.faults
        kept = [record for record in records if not faults.drops_reply(record.topic)]
        if len(records) == _BATCH_RECORDS:
            self._arrived()
        if kept:
            self._deliver(kept)
