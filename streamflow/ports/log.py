"""A connection to one log: its topics, its traffic, and what drives machines on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from streamflow.ports.machine import Clock, Machine, Running
from streamflow.ports.records import (
    BrokerState,
    Committed,
    Record,
    TopicPartition,
    TopicSpec,
    TopicState,
)
from streamflow.ports.traffic import (
    Producer,
    Reader,
    RebalanceListener,
    Source,
    Tail,
    Transactor,
)


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

    def withheld_topics(self) -> frozenset[str]:
        """Topics that lately took nothing of this client for lack of a grant (`NotGranted`): what can wait, waits. Never
        asks the log."""
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

    def delete_topics(self, names: Sequence[str]) -> None:
        """Deletes these with all their records and every group's positions in them, and returns once they are not named
        any more; missing ones are left alone. Nothing brings them back."""
        ...

    def brokers(self, *, answers_min: int | None = None) -> Sequence[BrokerState]:
        """The brokers with their settings; empty for a log of one process.

        Returns once so many have answered (default: all), or a few seconds are over: the others are without settings.
        """
        ...

    def live_members(self, group: str) -> frozenset[str]:
        """Instance names of a consumer group's members as the coordinator sees them now."""
        ...

    def owners(self, group: str) -> Mapping[TopicPartition, str]:
        """Which member, by its instance name, a consumer group has given each partition to, as the coordinator sees it."""
        ...

    def positions(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Committed | None]:
        """What a group has committed, as last decided, asked by one who is no member."""
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
