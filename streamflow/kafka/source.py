"""A static member of a consumer group that reads nothing before it is told where to begin.

    assigned, paused  --start_reading-->  reading  --pause/resume-->  ...  --revoked or lost-->  gone

The library's callbacks only add and remove partitions and tell the listener. Only records of partitions that are being
read leave `poll`: what was fetched before a revocation or a new position is dropped.

Resuming alone would wait up to a second for the fetcher's next round; seeking after it begins at once.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as ClientPartition

from streamflow.kafka.cluster import Cluster
from streamflow.kafka.errors import FENCED, STALE_GENERATION, error_of, reading_error
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.positions import Positions
from streamflow.kafka.records import from_client, to_client, to_headers
from streamflow.kafka.watch import ClientWatch
from streamflow.observability import get_logger
from streamflow.ports import (
    Committed,
    Fenced,
    LogError,
    RebalanceListener,
    Record,
    TopicPartition,
    Unavailable,
)

_log = get_logger("kafka")

SEEK_TIMEOUT_S: Final = 5.0
LEAVE_TIMEOUT_S: Final = 5.0
REJOIN_AGAIN_S: Final = 60.0
"""A member that is fenced once more so soon after a rejoin has a namesake."""
RebalanceCallback = Callable[[Consumer, list[ClientPartition]], None]

_SEEK_PAUSE_S: Final = 0.002
_WAKE_SLICE_S: Final = 0.02

_LOST_POSITION: Final = frozenset(
    {KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET, KafkaError._NO_OFFSET}
)
_REFUSALS: Final = frozenset(
    {
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.INCONSISTENT_GROUP_PROTOCOL,
        KafkaError.INVALID_SESSION_TIMEOUT,
        KafkaError.GROUP_MAX_SIZE_REACHED,
    }
)


class KafkaSource:
    """Implements `streamflow.ports.Source`. Everything but `wake` belongs to one thread."""

    def __init__(
        self,
        options: KafkaOptions,
        cluster: Cluster,
        *,
        group: str,
        topics: Sequence[str],
        listener: RebalanceListener,
        instance: str,
    ) -> None:
        cluster.require_topics(topics)
        self._options = options
        self._cluster = cluster
        self._group = group
        self._topics = list(topics)
        self._instance = instance
        self._listener = listener
        self._assigned: set[TopicPartition] = set()
        self._paused: set[TopicPartition] = set()
        # The next offset to deliver of each partition being read. Plain pairs find their named ones.
        self._reading: dict[tuple[str, int], int] = {}
        self._awake = threading.Event()
        self._callback_failure: BaseException | None = None
        self._closed = False
        self._positions = Positions(options, group)
        self._rejoined_at: float | None = None
        self._watch, self._consumer = self._join()

    def _join(self) -> tuple[ClientWatch, Consumer]:
        watch = ClientWatch(f"source {self._instance}")
        settings = self._options.member(self._group, self._instance)
        consumer = Consumer({**settings, **watch.settings()})
        _hold(consumer)
        consumer.subscribe(
            self._topics,
            on_assign=self._kept(self._on_assign),
            on_revoke=self._kept(self._on_revoke),
            on_lost=self._kept(self._on_lost),
        )
        return watch, consumer

    # -- reading --------------------------------------------------------------------------------------------------

    def poll(self, records_max: int, wait_ms: int) -> list[Record]:
        try:
            return self._poll(records_max, wait_ms)
        except Fenced:
            if not self._fenced_by_itself():
                raise
            self._rejoin()
            return []

    def _poll(self, records_max: int, wait_ms: int) -> list[Record]:
        messages = self._consume(records_max, 0.0)
        if not messages and wait_ms > 0:
            messages = self._wait(wait_ms / 1000)
            # The first one is here; what came with it is too.
            if messages and records_max > 1:
                messages += self._consume(records_max - 1, 0.0)
        if not messages:
            self._raise_if_fatal()
        return self._deliver(messages)

    def _wait(self, wait_s: float) -> list[Any]:
        """The first message; the wait is sliced because nothing else can end the library's."""
        deadline = time.monotonic() + wait_s
        while not self._awake.is_set():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return []
            if messages := self._consume(1, min(left_s, _WAKE_SLICE_S)):
                return messages
        self._awake.clear()
        return []

    def _consume(self, records_max: int, wait_s: float) -> list[Any]:
        try:
            messages = self._consumer.consume(records_max, wait_s)
        except KafkaException as error:
            raise reading_error(
                error_of(error), f"Expected records for {self._instance}"
            ) from error
        if (failure := self._callback_failure) is not None:
            self._callback_failure = None
            raise failure
        return messages

    def _deliver(self, messages: list[Any]) -> list[Record]:
        records: list[Record] = []
        reading = self._reading
        for message in messages:
            if (error := message.error()) is not None:
                self._on_message_error(message, error)
                continue
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            place = (topic, partition)
            expected = reading.get(place)
            if expected is None or offset < expected:
                continue
            reading[place] = offset + 1
            headers = message.headers()
            records.append(
                Record(
                    topic,
                    partition,
                    offset,
                    message.key(),
                    message.value(),
                    to_headers(headers) if headers else (),
                    message.timestamp()[1],
                )
            )
        return records

    # -- positions ------------------------------------------------------------------------------------------------

    def start_reading(self, offsets: Mapping[TopicPartition, int]) -> None:
        if foreign := sorted(offsets.keys() - self._assigned):
            raise Fenced(
                f"Expected assigned partitions to read, found {_named(foreign)} not assigned to {self._instance}"
            )
        self._check_within_log(offsets)
        for partition, offset in offsets.items():
            self._reading[partition] = offset
            if partition not in self._paused:
                self._begin(partition, offset)

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        wanted = [p for p in partitions if p in self._assigned]
        self._paused.update(wanted)
        self._consumer.pause([to_client(p) for p in wanted])

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            if partition not in self._paused:
                continue
            self._paused.discard(partition)
            if partition in self._reading:
                self._begin(partition, self._reading[partition])

    def committed(
        self, partitions: Iterable[TopicPartition], *, stable: bool = True
    ) -> dict[TopicPartition, Committed | None]:
        wanted = list(partitions)
        if not wanted:
            return {}
        return self._positions.committed(wanted, stable=stable)

    def commit(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        if not offsets:
            return
        if foreign := sorted(offsets.keys() - self._assigned):
            raise Fenced(
                f"Expected own partitions to commit, found {_named(foreign)} not assigned to {self._instance}"
            )
        positions = [to_client(p, c.offset, c.metadata) for p, c in offsets.items()]
        try:
            done = self._consumer.commit(offsets=positions, asynchronous=False)
        except KafkaException as error:
            raise self._commit_error(error_of(error)) from error
        for position in done:
            if position.error is not None:
                raise self._commit_error(position.error)

    def group_metadata(self) -> Any:
        """Who we are in the group now; asked for each transaction, as it changes with each rebalance."""
        return self._consumer.consumer_group_metadata()

    def wake(self) -> None:
        self._awake.set()

    def close(self, *, leave: bool = True) -> None:
        if self._closed:
            return
        self._closed = True
        if leave:
            self._leave()
        # A static member that only closes keeps its place until its session ends.
        self._consumer.close()
        _let_go(self._consumer)
        self._positions.close()
        self._assigned.clear()
        self._reading.clear()

    def _leave(self) -> None:
        """Only unsubscribing makes a static member leave. The listener is told of the revocation as ever."""
        try:
            self._consumer.unsubscribe()
        except KafkaException:
            return  # Fenced: somebody else has the place already.
        deadline = time.monotonic() + LEAVE_TIMEOUT_S
        while self._assigned and time.monotonic() < deadline:
            self._consume(1, _WAKE_SLICE_S)
        # The request to leave follows the revocation; closing at once could overtake it.
        while time.monotonic() < deadline and self._instance in self._members():
            self._consume(1, _WAKE_SLICE_S)

    def _members(self) -> frozenset[str]:
        try:
            return self._cluster.live_members(self._group)
        except LogError:
            # Its session ends without our help.
            return frozenset()

    # -- fenced without a namesake ----------------------------------------------------------------------------------

    def _fenced_by_itself(self) -> bool:
        """Whether our own former request to join is the other consumer of our name.

        When a coordinator comes back after an outage longer than the session, the library asks to join without its
        member ID. Where the answer is lost with a connection it asks again, and the second request fences the first.
        """
        now, broken_at = time.monotonic(), self._watch.troubled_at
        if broken_at is None or now - broken_at > REJOIN_AGAIN_S:
            return False
        return self._rejoined_at is None or now - self._rejoined_at > REJOIN_AGAIN_S

    def _rejoin(self) -> None:
        """With a new consumer: this one is of no use after a fatal error."""
        _log.warning("membership_renewed", instance=self._instance)
        self._rejoined_at = time.monotonic()
        lost = sorted(self._assigned)
        self._assigned.clear()
        self._paused.clear()
        self._reading.clear()
        if lost:
            self._listener.on_lost(lost)
        self._consumer.close()
        _let_go(self._consumer)
        self._watch, self._consumer = self._join()

    # -- positions inside the library -----------------------------------------------------------------------------

    def _begin(self, partition: TopicPartition, offset: int) -> None:
        """Fetching goes on at this offset, at once."""
        self._consumer.resume([to_client(partition)])
        deadline = time.monotonic() + SEEK_TIMEOUT_S
        while True:
            try:
                self._consumer.seek(to_client(partition, offset))
                return
            except KafkaException as error:
                # A partition just assigned cannot be moved before its fetcher runs.
                if error_of(error).code() != KafkaError._STATE:
                    raise reading_error(
                        error_of(error), f"Expected to read {_named([partition])}"
                    ) from error
            if time.monotonic() > deadline:
                break
            time.sleep(_SEEK_PAUSE_S)
        # Its fetcher has given up: begin it anew.
        self._consumer.incremental_unassign([to_client(partition)])
        self._consumer.incremental_assign([to_client(partition, offset)])

    def _check_within_log(self, offsets: Mapping[TopicPartition, int]) -> None:
        starts = self._cluster.start_offsets(offsets)
        ends = self._cluster.end_offsets(offsets)
        for partition, offset in offsets.items():
            if starts[partition] <= offset <= ends[partition]:
                continue
            raise LogError(
                f"Expected offset {offset} of {_named([partition])} to be between {starts[partition]} and "
                f"{ends[partition]}, where its records are. Retention has removed it, or the topic was created anew: "
                "set the group's offset on purpose, then start again."
            )

    # -- rebalances -----------------------------------------------------------------------------------------------

    def _kept(self, callback: RebalanceCallback) -> RebalanceCallback:
        """The library garbles an exception that passes through it: it is kept, and raised by `poll`."""

        def called(consumer: Consumer, partitions: list[ClientPartition]) -> None:
            try:
                callback(consumer, partitions)
            except BaseException as error:
                self._callback_failure = self._callback_failure or error

        return called

    def _on_assign(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        added = [from_client(p) for p in partitions]
        # At the end and paused: nothing is fetched, and no committed offset is asked for that may not exist.
        consumer.incremental_assign([to_client(p, OFFSET_END) for p in added])
        consumer.pause([to_client(p) for p in added])
        self._assigned.update(added)
        _log.info("partitions_assigned", instance=self._instance, partitions=_named(added))
        self._listener.on_assigned(added)

    def _on_revoke(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        removed = [from_client(p) for p in partitions]
        try:
            self._listener.on_revoked(removed)
        finally:
            self._forget(consumer, partitions, removed)
        _log.info("partitions_revoked", instance=self._instance, partitions=_named(removed))

    def _on_lost(self, consumer: Consumer, partitions: list[ClientPartition]) -> None:
        lost = [from_client(p) for p in partitions]
        try:
            self._listener.on_lost(lost)
        finally:
            self._forget(consumer, partitions, lost)
        _log.warning("partitions_lost", instance=self._instance, partitions=_named(lost))

    def _forget(
        self,
        consumer: Consumer,
        partitions: list[ClientPartition],
        removed: Sequence[TopicPartition],
    ) -> None:
        consumer.incremental_unassign(partitions)
        self._assigned.difference_update(removed)
        self._paused.difference_update(removed)
        for partition in removed:
            self._reading.pop(partition, None)

    # -- errors ---------------------------------------------------------------------------------------------------

    def _on_message_error(self, message: Any, error: KafkaError) -> None:
        code = error.code()
        place = TopicPartition(
            message.topic() or "", message.partition() if message.partition() is not None else -1
        )
        if code in _LOST_POSITION:
            if place in self._reading:
                raise LogError(
                    f"Expected records of {_named([place])} from offset {self._reading[place]}, found: {error.str()}. "
                    "Retention has removed them, or the topic was created anew: set the group's offset on purpose, "
                    "then start again."
                )
            return
        if code == KafkaError._FATAL or error.fatal() or code in FENCED:
            self._raise_if_fatal()
            raise reading_error(
                error, f"Expected to stay a member of {self._group} as {self._instance}"
            )
        if code in _REFUSALS:
            raise LogError(
                f"Expected to read {place.topic or self._group} as {self._instance}, found {error.name()}: {error.str()}. "
                "Check the grants and the group's other members."
            )
        _log.warning("source_error", instance=self._instance, error=error.name(), text=error.str())

    def _raise_if_fatal(self) -> None:
        """The event behind a fatal state has the reason; the message that follows it has not always."""
        if (fatal := self._watch.fatal) is not None:
            raise reading_error(
                fatal, f"Expected to stay a member of {self._group} as {self._instance}"
            )

    def _commit_error(self, error: KafkaError) -> LogError:
        what = f"Expected to commit offsets of {self._group} as {self._instance}"
        if error.code() in STALE_GENERATION:
            return Unavailable(
                f"{what}, found a rebalance: {error.str()}. Poll, then commit what is still assigned."
            )
        if error.code() == KafkaError._ASSIGNMENT_LOST:
            return Fenced(f"{what}, found them lost: {error.str()}.")
        return reading_error(error, what)


def _hold(consumer: Consumer) -> None:
    """Keeps an open consumer from being collected, for as long as the process lives if nobody closes it.

    Collecting a member with a rebalance under way waits, with the interpreter locked, for a callback that nobody can
    answer any more. A reference from Python would be dropped when the interpreter ends, and hang it there.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(consumer))


def _let_go(consumer: Consumer) -> None:
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(consumer))


def _named(partitions: Iterable[TopicPartition]) -> str:
    return ", ".join(f"{p.topic}/{p.partition}" for p in partitions)
