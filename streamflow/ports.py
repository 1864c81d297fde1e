"""The edge: what the shells need of a log, a store and a clock. Three adapters of the log keep these promises.

Everything that blocks is owned by one thread, the driver's. A *machine* (processor, worker poller) is turned by a driver:
a plain thread on Kafka and the embedded log, a task on the caller's event loop on the memory log. That is how the
same machine runs in production and in a seeded simulation.

Errors name what the shell must do; nothing of a client library leaves an adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

Headers = tuple[tuple[str, bytes], ...]


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int


class OutRecord(msgspec.Struct, frozen=True, gc=False):
    """One record to append. The partition is always explicit: placement is decided by us, not by a client library."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Committed(NamedTuple):
    """A consumer group's position in one partition: the next offset to read, and free text beside it."""

    offset: int
    metadata: str = ""


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A topic as it should be: name, partitions, replicas and broker settings."""

    name: str
    partitions: int
    replication_factor: int = 1
    config: Mapping[str, str] = {}


class TopicState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A topic as it is."""

    name: str
    partitions: int
    replication_factor: int = 1
    config: Mapping[str, str] = {}


# -- errors -------------------------------------------------------------------------------------------------------


class LogError(Exception):
    """Something of the log's world went wrong; the class says what to do about it."""


class Unavailable(LogError):
    """Not now: the same call may be made again."""


class Aborted(LogError):
    """The transaction did not happen. Drop everything staged on it, go back to the committed offsets, and replay."""


class OutcomeUnknown(LogError):
    """The transaction may have happened. Re-initialise every producer, read the committed offsets again, and replay."""


class Fenced(LogError):
    """Another process owns what we own. Give the partitions up; never commit them."""


class RecordRefused(LogError):
    """The log will not take this record (too large, no such topic or partition, not authorized)."""

    def __init__(self, message: str, record: OutRecord | None = None) -> None:
        super().__init__(message)
        self.record = record


class Fatal(LogError):
    """This client can do no more; the process should end and be started again."""


class TopicMissing(LogError):
    """An expected topic does not exist."""

    def __init__(self, message: str, topics: Sequence[str]) -> None:
        super().__init__(message)
        self.topics = tuple(topics)


class StoreCorrupted(Exception):
    """The local store cannot be trusted: drop it and rebuild it from the log."""


# -- the log ------------------------------------------------------------------------------------------------------


class RebalanceListener(Protocol):
    """Told of partitions from inside `Source.poll`, on the owner's thread. Each call ends within 10 s."""

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """New partitions, not yet read: none of their records is delivered until `Source.start_reading`."""
        ...

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """About to be taken away: this is the last moment to commit for them."""
        ...

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        """Already someone else's: never commit for them."""
        ...


class Source(Protocol):
    """A member of a consumer group. Read-committed; owned by one thread; offsets are never committed by themselves."""

    def poll(self, records_max: int, wait_ms: int) -> list[Record]:
        """What is ready, at once; when nothing is, the first record within ``wait_ms`` (the memory log never waits).

        Records of partitions not (or no longer) assigned are never among them.
        """
        ...

    def start_reading(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Begins (or moves) delivery of assigned partitions at these offsets; those behind retention raise `LogError`."""
        ...

    def pause(self, partitions: Iterable[TopicPartition]) -> None: ...

    def resume(self, partitions: Iterable[TopicPartition]) -> None: ...

    def committed(
        self, partitions: Iterable[TopicPartition], *, stable: bool = True
    ) -> dict[TopicPartition, Committed | None]:
        """The group's positions. ``stable`` waits for transactions that still decide about them; otherwise the last
        decided ones are given at once, which is how a dead owner's ids are learnt before it can be fenced."""
        ...

    def commit(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        """Commits outside a transaction (activity workers only). Raises `Fenced` if not the owner any more."""
        ...

    def wake(self) -> None:
        """Ends a waiting `poll` soon (at once where the adapter can). Callable from any thread."""
        ...

    def close(self, *, leave: bool = True) -> None:
        """Ends the membership; ``leave=False`` keeps a static member's place for its restart."""
        ...


class Transactor(Protocol):
    """Transactions of one processor: a ring of transactional producers used in turn."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The transactional ids that this ring holds."""
        ...

    def open(self) -> None:
        """Takes the ids, fencing whoever held them, and waits until their unfinished transactions are ended."""
        ...

    def commit(
        self,
        records: Sequence[OutRecord],
        offsets: Mapping[TopicPartition, Committed],
        source: Source,
    ) -> None:
        """All or nothing: appends the records and commits the offsets, fenced by id and by group generation.

        Returns once the outcome is *known* to be committed. ``offsets`` is never empty (asserted).

        Raises:
            Aborted: nothing happened.
            OutcomeUnknown: it may have happened.
            Fenced: nothing happened, and this processor owns nothing any more.
            RecordRefused: nothing happened, and would not however often tried.
            Fatal: end the process.
        """
        ...

    def reopen(self) -> None:
        """New producers with the same ids; after it, no earlier transaction of these ids is undecided."""
        ...

    def fence(self, ids: Sequence[str]) -> None:
        """Ends a dead owner's transactions at once, by taking its ids and dropping them."""
        ...

    def close(self) -> None: ...


class Producer(Protocol):
    """Appends outside transactions: clients, workers, and answers that follow a commit. Thread-safe."""

    def send(
        self, record: OutRecord, done: Callable[[LogError | None], None] | None = None
    ) -> None:
        """Appends soon, in order per partition; ``done`` is told on any thread when durable or given up."""
        ...

    def flush(self, wait_ms: int) -> None: ...

    def close(self) -> None: ...


class Reader(Protocol):
    """Reads single partitions by offset, outside any group."""

    def start_offset(self, partition: TopicPartition) -> int: ...

    def end_offset(self, partition: TopicPartition) -> int:
        """The *uncommitted* end (Kafka's high watermark): reading up to it sees every decided transaction."""
        ...

    def read(self, partition: TopicPartition, offset: int, end: int) -> Iterator[Sequence[Record]]:
        """Batches of committed records from ``offset`` until the position has reached ``end``.

        Waits for undecided transactions in between; raises `Unavailable` when that takes over 60 s.
        """
        ...

    def close(self) -> None: ...


class Tail(Protocol):
    """A running subscription to one partition's new records."""

    def close(self) -> None: ...


class Machine(Protocol):
    """Something turned by a driver. All three methods run on the driver's thread, ``close`` exactly once."""

    def open(self) -> None: ...

    def turn(self) -> int | None:
        """Does what is ready, and waits (inside `Source.poll`) no longer than needed.

        Returns 0 when there may be more to do at once, else in how many milliseconds it must be turned again though
        nothing arrives, or ``None`` if only an arrival matters. Drivers with a thread turn it again at once in any case:
        there the waiting happened inside.
        """
        ...

    def close(self) -> None: ...


class Running(Protocol):
    """A machine being turned."""

    def stop(self) -> None:
        """Asks it to close after the current turn; does not wait."""
        ...

    async def wait(self) -> None:
        """Returns when the machine has closed; raises what ended it, if anything did."""
        ...

    def failed(self) -> BaseException | None: ...

    @property
    def thread_id(self) -> int | None:
        """The thread that turns it, once known: where a watchdog may interrupt."""
        ...


class Log(Protocol):
    """A connection to one log: Kafka's, the embedded one, or the one in memory."""

    @property
    def durable(self) -> bool:
        """Whether acknowledged records survive the process."""
        ...

    @property
    def threaded(self) -> bool:
        """Whether a machine has a thread of its own, and so may wait for other threads within a turn."""
        ...

    @property
    def clock(self) -> Clock: ...

    @property
    def cluster_id(self) -> str:
        """Which log this is, as it says itself: local state of another one is worth nothing. May ask the log."""
        ...

    # topics

    def topics(self) -> Mapping[str, TopicState]:
        """Every topic that this client may see, with partition counts; configs only as far as they are known."""
        ...

    def describe_topics(self, names: Sequence[str]) -> dict[str, TopicState]:
        """These topics with all their settings; missing ones are absent."""
        ...

    def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Creates those that do not exist and waits until they can be used; existing ones are left alone."""
        ...

    def alter_topics(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Sets broker settings of existing topics."""
        ...

    def live_members(self, group: str) -> frozenset[str]:
        """Instance names of a consumer group's members as the coordinator sees them now."""
        ...

    # traffic

    def source(
        self,
        *,
        group: str,
        topics: Sequence[str],
        listener: RebalanceListener,
        instance: str,
    ) -> Source:
        """Joins a group as the static member ``instance``. Call on the thread that will poll it."""
        ...

    def transactor(self, name: str) -> Transactor:
        """The transactions of the processor called ``name`` (ids derive from it)."""
        ...

    def producer(self) -> Producer: ...

    def reader(self) -> Reader: ...

    def tail(
        self,
        partition: TopicPartition,
        deliver: Callable[[Sequence[Record]], None],
        *,
        offset: int | None = None,
    ) -> Tail:
        """Delivers committed records from ``offset`` (default: the end as of this call, resolved before it returns).

        ``deliver`` may be called on any thread, must not block, and is never called concurrently.
        """
        ...

    def drive(self, machine: Machine, *, name: str) -> Running:
        """Begins turning a machine, in the way of this log."""
        ...

    def delay(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Calls once after this much of the log's time, on any thread; returns how to cancel it."""
        ...

    def close(self) -> None: ...


class Clock(Protocol):
    """Time, as a dependency. Milliseconds since the epoch, and a monotonic count for durations."""

    def now_ms(self) -> int: ...

    def monotonic_ms(self) -> int: ...


# -- the store ----------------------------------------------------------------------------------------------------


class WriteBatch(Protocol):
    """Changes that become visible together."""

    def put(self, key: bytes, value: bytes) -> None: ...

    def delete(self, key: bytes) -> None: ...

    def delete_range(self, start: bytes, end: bytes) -> None:
        """Every key from ``start`` (inclusive) to ``end`` (exclusive)."""
        ...


class Store(Protocol):
    """Ordered key-value state of one partition: a disposable cache of its log. Owned by one thread.

    Raises `StoreCorrupted` from any method that meets damage, iteration included.
    """

    def get(self, key: bytes) -> bytes | None: ...

    def scan(
        self, start: bytes, end: bytes, *, limit: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """Rows from ``start`` (inclusive) to ``end`` (exclusive), in key order."""
        ...

    def scan_back(
        self, start: bytes, end: bytes, *, limit: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """The same rows in reverse key order."""
        ...

    def batch(self) -> WriteBatch: ...

    def write(self, batch: WriteBatch) -> None: ...

    def clear(self) -> None:
        """Drops every row; the store is then as new."""
        ...

    def close(self) -> None: ...


class Stores(Protocol):
    """Opens the store of each partition, in one folder and with one memory budget."""

    def open(self, name: str) -> Store:
        """Raises `StoreTaken` if another process has the folder."""
        ...

    def drop(self, name: str) -> None: ...

    def close(self) -> None: ...


class StoreTaken(Exception):
    """The state folder belongs to another process; the message names it."""
