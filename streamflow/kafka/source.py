"""A static member of a consumer group that reads nothing before it is told where to begin.

What is assigned, paused and read is `assignment`'s. Only records of partitions that are being read leave `poll`: what was
fetched before a revocation or a new position is dropped.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException

from streamflow.kafka.assignment import Assignment
from streamflow.kafka.cluster import Cluster
from streamflow.kafka.errors import (
    FENCED,
    LOST_POSITION,
    STALE_GENERATION,
    Needed,
    error_of,
    reading_error,
    to_be_granted,
)
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.positions import Positions
from streamflow.kafka.records import named, to_client, to_headers
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

LEAVE_TIMEOUT_S: Final = 5.0
REJOIN_AGAIN_S: Final = 60.0
"""A member that is fenced once more so soon after a rejoin has a namesake."""

_WAKE_SLICE_S: Final = 0.02

_LOST_POSITION: Final = LOST_POSITION | {KafkaError._NO_OFFSET}
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
        self._assignment = Assignment(listener, instance, self._ends)
        self._awake = threading.Event()
        self._closed = False
        self._positions = Positions(options, group)
        self._rejoined_at: float | None = None
        self._watch, self._consumer = self._join()
        self._positions.warm_up()  # for what is asked as soon as the group has said what is ours

    def _join(self) -> tuple[ClientWatch, Consumer]:
        watch = ClientWatch(f"source {self._instance}")
        settings = self._options.member(self._group, self._instance)
        consumer = Consumer({**settings, **watch.settings()})
        _hold(consumer)
        self._assignment.subscribe(consumer, self._topics)
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
        self._assignment.raise_failure()
        return messages

    def _deliver(self, messages: list[Any]) -> list[Record]:
        records: list[Record] = []
        reading = self._assignment.reading
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

    def _ends(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Called within a rebalance: an outage must not hold it up, and leaves nothing to be read meanwhile."""
        try:
            return self._cluster.end_offsets(partitions)
        except LogError:
            return {}

    def start_reading(self, offsets: Mapping[TopicPartition, int]) -> None:
        if foreign := sorted(offsets.keys() - self._assignment.partitions):
            raise Fenced(
                f"Expected assigned partitions to read, found {named(foreign)} not assigned to {self._instance}"
            )
        self._check_within_log(offsets)
        for partition, offset in offsets.items():
            self._assignment.begin(self._consumer, partition, offset)

    def _check_within_log(self, offsets: Mapping[TopicPartition, int]) -> None:
        starts = self._cluster.start_offsets(offsets)
        ends = self._cluster.end_offsets(offsets)
        for partition, offset in offsets.items():
            if starts[partition] <= offset <= ends[partition]:
                continue
            raise LogError(
                f"Expected offset {offset} of {named([partition])} to be between {starts[partition]} and "
                f"{ends[partition]}, where its records are. Retention has removed it, or the topic was created anew: "
                "set the group's offset on purpose, then start again."
            )

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self._assignment.pause(self._consumer, partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self._assignment.resume(self._consumer, partitions)

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
        if foreign := sorted(offsets.keys() - self._assignment.partitions):
            raise Fenced(
                f"Expected own partitions to commit, found {named(foreign)} not assigned to {self._instance}"
            )
        positions = [to_client(p, c.offset, c.metadata) for p, c in offsets.items()]
        try:
            done = self._consumer.commit(offsets=positions, asynchronous=False)
        except KafkaException as error:
            raise self._commit_error(error_of(error)) from error
        for position in done:
            if position.error is not None:
                raise self._commit_error(position.error)

    @property
    def group(self) -> str:
        return self._group

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
        self._assignment.clear()

    def _leave(self) -> None:
        """Only unsubscribing makes a static member leave. The listener is told of the revocation as ever."""
        try:
            self._consumer.unsubscribe()
        except KafkaException:
            return  # Fenced: somebody else has the place already.
        deadline = time.monotonic() + LEAVE_TIMEOUT_S
        while self._assignment.partitions and time.monotonic() < deadline:
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
        self._assignment.lose_all()
        self._consumer.close()
        _let_go(self._consumer)
        self._watch, self._consumer = self._join()

    # -- errors ---------------------------------------------------------------------------------------------------

    def _on_message_error(self, message: Any, error: KafkaError) -> None:
        code = error.code()
        place = TopicPartition(
            message.topic() or "", message.partition() if message.partition() is not None else -1
        )
        if code in _LOST_POSITION:
            reading = self._assignment.reading
            # Of an earlier position it is told late, and of no account.
            if place in reading and (message.offset() or 0) >= reading[place]:
                raise LogError(
                    f"Expected records of {named([place])} from offset {reading[place]}, found: {error.str()}. "
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
                f"Expected to read {place.topic or self._group} as {self._instance}, found {error.name()}: {error.str()}."
                + (to_be_granted(error, *self._needs(error)) or " Check the group's other members.")
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
        return reading_error(error, what, needs=self._needs(error))

    def _needs(self, error: KafkaError) -> list[Needed]:
        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return [Needed("Read", "group", self._group)]
        return [Needed("Read", "topic", topic) for topic in self._topics]


def _hold(consumer: Consumer) -> None:
    """Keeps an open consumer from being collected, for as long as the process lives if nobody closes it.

    Collecting a member with a rebalance under way waits, with the interpreter locked, for a callback that nobody can
    answer any more. A reference from Python would be dropped when the interpreter ends, and hang it there.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(consumer))


def _let_go(consumer: Consumer) -> None:
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(consumer))
