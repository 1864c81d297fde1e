"""The log's ports over a `MemoryBroker`: one `MemoryLog` is one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import Context

from streamflow.memory.broker import MemoryBroker
from streamflow.memory.clock import Timer
from streamflow.memory.connection import Connection
from streamflow.memory.drive import MemoryRunning
from streamflow.memory.processes import Process
from streamflow.memory.producer import MemoryProducer
from streamflow.memory.reading import MemoryReader, MemoryTail
from streamflow.memory.source import MemorySource
from streamflow.memory.transactor import MemoryTransactor
from streamflow.ports import (
    BrokerState,
    Clock,
    Committed,
    LogError,
    Machine,
    Producer,
    Reader,
    RebalanceListener,
    Record,
    Running,
    Source,
    Tail,
    TopicPartition,
    TopicSpec,
    TopicState,
    Transactor,
)


class MemoryLog:
    """One process on a broker. Used on the broker's event loop, but for sends, wake-ups, stops and delays."""

    def __init__(self, broker: MemoryBroker | None = None, name: str = "process") -> None:
        self.broker = broker or MemoryBroker()
        self._connection = Connection(self.broker, name)

    @property
    def durable(self) -> bool:
        return False

    @property
    def within_process(self) -> bool:
        """Whether this process stands in for the whole deployment."""
        return True

    @property
    def threaded(self) -> bool:
        return False

    @property
    def clock(self) -> Clock:
        return self.broker.clock

    @property
    def cluster_id(self) -> str:
        """Unlike that of any other broker of this process."""
        return f"memory:{id(self.broker)}"

    @property
    def process(self) -> Process:
        return self._connection.process

    def enter(self, call: str) -> None:
        """A call of this process to something else that can fail it, or that it can die of. Raises `Unavailable`."""
        self._connection.enter(call)

    # -- topics

    def topics(self) -> Mapping[str, TopicState]:
        self._connection.enter("topics")
        return self.broker.topics()

    def withheld_topics(self) -> frozenset[str]:
        return frozenset(self.broker.withheld)

    def describe_topics(self, names: Sequence[str]) -> dict[str, TopicState]:
        self._connection.enter("describe_topics")
        known = self.broker.topics()
        return {name: known[name] for name in names if name in known}

    def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        self._connection.enter("create_topics")
        for spec in specs:
            self.broker.create_topic(spec)

    def alter_topics(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        self._connection.enter("alter_topics")
        self.broker.alter_topics(changes)

    def delete_topics(self, names: Sequence[str]) -> None:
        self._connection.enter("delete_topics")
        self.broker.delete_topics(names)

    def brokers(self, *, answers_min: int | None = None) -> Sequence[BrokerState]:
        return ()

    def live_members(self, group: str) -> frozenset[str]:
        self._connection.enter("live_members")
        if group in self.broker.ungranted:
            raise LogError(
                f"Expected the members of group {group}, found that this client may not know"
            )
        return self.broker.group(group).live_members()

    def owners(self, group: str) -> Mapping[TopicPartition, str]:
        self._connection.enter("live_members")
        return self.broker.group(group).owners()

    def positions(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Committed | None]:
        self._connection.enter("committed")
        return self.broker.group(group).positions.decided(partitions)

    # -- traffic

    def source(
        self, *, group: str, topics: Sequence[str], listener: RebalanceListener, instance: str
    ) -> Source:
        """Raises `TopicMissing` for topics that do not exist."""
        return MemorySource(
            self._connection, group=group, topics=topics, listener=listener, instance=instance
        )

    def transactor(self, name: str) -> Transactor:
        return MemoryTransactor(self._connection, name)

    def producer(self) -> Producer:
        return MemoryProducer(self._connection)

    def reader(self) -> Reader:
        return MemoryReader(self._connection)

    def tail(
        self,
        partition: TopicPartition,
        deliver: Callable[[Sequence[Record]], None],
        *,
        offset: int | None = None,
    ) -> Tail:
        return MemoryTail(self._connection, partition, deliver, offset)

    def drive(self, machine: Machine, *, name: str) -> Running:
        return MemoryRunning(self._connection, machine, name)

    def delay(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        delay = _Delay(self._connection, call)
        due_ms = self.broker.clock.now_ms() + max(0, round(seconds * 1000))
        if self.broker.agenda.on_loop():
            delay.set(due_ms)
        else:
            self._connection.soon(lambda: delay.set(due_ms))
        return delay.cancel

    def close(self) -> None:
        """Sends what producers hold, and ends the tails. Machines are stopped by who drives them."""
        self._connection.close()

    # -- time

    def skipping(self) -> AbstractContextManager[None]:
        """While entered, time is skipped whenever nothing is going on: around waiting for a result, or a sleep."""
        return self.broker.skipping()

    def hold(self) -> AbstractContextManager[None]:
        """While entered, no time is skipped: around each activity that runs."""
        return self.broker.hold()

    # -- what a test does to the process

    def context(self) -> Context:
        """For tasks of this process: `asyncio.create_task(..., context=log.context())` dies and pauses with it."""
        return self.process.context.copy()

    def crash(self) -> None:
        """Everything of this process stops at once: nothing is closed, unsent records vanish, sessions run out."""
        self._connection.crash()

    def pause(self) -> None:
        """No turns, deliveries or heartbeats until `resume`."""
        self._connection.pause()

    def resume(self) -> None:
        self._connection.resume()


class _Delay:
    """A delayed call that can be cancelled from any thread, up to the moment it is made."""

    def __init__(self, connection: Connection, call: Callable[[], None]) -> None:
        self._connection = connection
        self._call: Callable[[], None] | None = call
        self._timer: Timer | None = None

    def set(self, due_ms: int) -> None:
        if self._call is not None:
            clock = self._connection.broker.clock
            self._timer = clock.call_at(due_ms, lambda: self._connection.soon(self._make))

    def cancel(self) -> None:
        self._call = None
        if self._timer is not None:
            self._timer.cancel()

    def _make(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()
