"""Ways in and out of a log: members of groups, transactions, plain appends, reading by offset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from streamflow.ports.errors import LogError
from streamflow.ports.records import Committed, OutRecord, Record, TopicPartition


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

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """`end_offset` of each, asked for at once."""
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
