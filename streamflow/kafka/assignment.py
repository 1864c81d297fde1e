"""Which partitions a member has, and from where each is read.

    assigned, paused  --begin-->  reading  --pause/resume-->  ...  --revoked or lost-->  gone

The library's callbacks only add and remove partitions and tell the listener.
Resuming alone would wait up to a second for the fetcher's next round; seeking after it begins at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as ClientPartition

from streamflow.kafka.errors import error_of, reading_error
from streamflow.kafka.records import from_client, named, to_client
from streamflow.observability import get_logger
from streamflow.ports import RebalanceListener, TopicPartition

_log = get_logger("kafka")

SEEK_TIMEOUT_S: Final = 5.0
_SEEK_PAUSE_S: Final = 0.002

Ends = Callable[[Sequence[TopicPartition]], Mapping[TopicPartition, int]]
"""Where partitions end now; those that nobody could tell may be missing."""

RebalanceCallback = Callable[[Consumer, list[ClientPartition]], None]


class Assignment:
    """Belongs to the source's thread. The consumer is named with each call: a renewed membership has another."""

    def __init__(self, listener: RebalanceListener, instance: str, ends: Ends) -> None:
        self._listener = listener
        self._instance = instance
        self._ends = ends
        self._failure: BaseException | None = None
        self.partitions: set[TopicPartition] = set()
        self.reading: dict[tuple[str, int], int] = {}
        """The next offset to deliver of each partition being read. Plain pairs find their named ones."""
        self._paused: set[TopicPartition] = set()

    def subscribe(self, consumer: Consumer, topics: Sequence[str]) -> None:
        consumer.subscribe(
            list(topics),
            on_assign=self._kept(self._on_assign),
            on_revoke=self._kept(self._on_revoke),
            on_lost=self._kept(self._on_lost),
        )

    def raise_failure(self) -> None:
        """Raises what a callback raised since it was last asked."""
        if (failure := self._failure) is not None:
            self._failure = None
            raise failure

    def lose_all(self) -> None:
        """The membership is gone, and nobody will say so."""
        lost = sorted(self.partitions)
        self.clear()
        if lost:
            self._listener.on_lost(lost)

    def clear(self) -> None:
        self.partitions.clear()
        self._paused.clear()
        self.reading.clear()

    # -- positions inside the library -----------------------------------------------------------------------------

    def begin(self, consumer: Consumer, partition: TopicPartition, offset: int) -> None:
        self.reading[partition] = offset
        if partition not in self._paused:
            _fetch_from(consumer, partition, offset)

    def pause(self, consumer: Consumer, partitions: Iterable[TopicPartition]) -> None:
        wanted = [p for p in partitions if p in self.partitions]
        self._paused.update(wanted)
        consumer.pause([to_client(p) for p in wanted])

    def resume(self, consumer: Consumer, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            if partition not in self._paused:
                continue
            self._paused.discard(partition)
            if partition in self.reading:
                _fetch_from(consumer, partition, self.reading[partition])

    # -- rebalances -----------------------------------------------------------------------------------------------

    def _kept(self, callback: RebalanceCallback) -> RebalanceCallback:
        """The library garbles an exception that passes through it: it is kept, and raised by `raise_failure`."""

        def called(consumer: Consumer, partitions: list[ClientPartition]) -> None:
            try:
                callback(consumer, partitions)
            except BaseException as error:
                self._failure = self._failure or error

        return called

    def _on_assign(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        added = [from_client(p) for p in partitions]
        # At the end and paused: nothing is fetched, and no committed offset is asked for that may not exist. The end is
        # asked for here: a question of the library's own (OFFSET_END) is asked again half a second after a seek overtook
        # its answer, and what was written until then is never delivered.
        ends = self._ends(added)
        consumer.incremental_assign([to_client(p, ends.get(p, 0)) for p in added])
        consumer.pause([to_client(p) for p in added])
        self.partitions.update(added)
        _log.info("partitions_assigned", instance=self._instance, partitions=named(added))
        self._listener.on_assigned(added)

    def _on_revoke(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        removed = [from_client(p) for p in partitions]
        try:
            self._listener.on_revoked(removed)
        finally:
            self._forget(consumer, partitions, removed)
        _log.info("partitions_revoked", instance=self._instance, partitions=named(removed))

    def _on_lost(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        lost = [from_client(p) for p in partitions]
        try:
            self._listener.on_lost(lost)
        finally:
            self._forget(consumer, partitions, lost)
        _log.warning("partitions_lost", instance=self._instance, partitions=named(lost))

    def _forget(
        self,
        consumer: Consumer,
        partitions: list[ClientPartition],
        removed: Sequence[TopicPartition],
    ) -> None:
        consumer.incremental_unassign(partitions)
        self.partitions.difference_update(removed)
        self._paused.difference_update(removed)
        for partition in removed:
            self.reading.pop(partition, None)


def _fetch_from(consumer: Consumer, partition: TopicPartition, offset: int) -> None:
    """Fetching goes on at this offset, at once."""
    consumer.resume([to_client(partition)])
    deadline = time.monotonic() + SEEK_TIMEOUT_S
    while True:
        try:
            consumer.seek(to_client(partition, offset))
            return
        except KafkaException as error:
            # A partition just assigned cannot be moved before its fetcher runs.
            if error_of(error).code() != KafkaError._STATE:
                raise reading_error(
                    error_of(error), f"Expected to read {named([partition])}"
                ) from error
        if time.monotonic() > deadline:
            break
        time.sleep(_SEEK_PAUSE_S)
    # Its fetcher has given up: begin it anew.
    consumer.incremental_unassign([to_client(partition)])
    consumer.incremental_assign([to_client(partition, offset)])
