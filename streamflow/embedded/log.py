"""The `Log` port over an open folder: a connection, of which a process may have any number."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from streamflow.embedded.folder import OpenFolder, enter, leave
from streamflow.embedded.reading import EmbeddedReader, EmbeddedTail
from streamflow.embedded.source import EmbeddedSource
from streamflow.embedded.writing import EmbeddedProducer, EmbeddedTransactor
from streamflow.ports import (
    BrokerState,
    Clock,
    Committed,
    Machine,
    Producer,
    Reader,
    RebalanceListener,
    Record,
    Running,
    Source,
    Tail,
    TopicMissing,
    TopicPartition,
    TopicSpec,
    TopicState,
    Transactor,
)
from streamflow.threads import MachineThread

STOP_WAIT_S = 10.0
"""How long `close` waits for each machine that still runs."""


class EmbeddedLog:
    """A `Log` in a folder. Closing it ends its own sources, tails and machines; the folder closes with the last one."""

    def __init__(self, folder: OpenFolder) -> None:
        self._folder = folder
        self._sources: dict[EmbeddedSource, int] = {}
        self._tails: list[EmbeddedTail] = []
        self._machines: list[MachineThread] = []
        self._is_open = True

    @classmethod
    def open(cls, directory: Path | str) -> EmbeddedLog:
        """Connects to the log in ``directory``, creating it if there is none.

        Raises:
            StoreTaken: another process has it; the message gives its pid and HTTP address.
            Fatal: the log is damaged.
        """
        return cls(enter(Path(directory)))

    def announce(self, address: str) -> None:
        """Tells other processes, who cannot open the folder, where to reach this one."""
        self._folder.announce(address)

    @property
    def durable(self) -> bool:
        return True

    @property
    def within_process(self) -> bool:
        """Whether this process stands in for the whole deployment."""
        return True

    @property
    def threaded(self) -> bool:
        return True

    @property
    def clock(self) -> Clock:
        return self._folder.clock

    @property
    def cluster_id(self) -> str:
        """Its folder: a log that was moved or copied begins with new local state."""
        return f"embedded:{self._folder.path}"

    @property
    def path(self) -> Path:
        """The log's folder; what belongs to it may be kept beside it."""
        return self._folder.path

    # -- topics

    def topics(self) -> Mapping[str, TopicState]:
        return {topic.name: topic.state for topic in self._folder.topics.all()}

    def withheld_topics(self) -> frozenset[str]:
        return frozenset()

    def describe_topics(self, names: Sequence[str]) -> dict[str, TopicState]:
        found = {name: self._folder.topics.get(name) for name in names}
        return {name: topic.state for name, topic in found.items() if topic is not None}

    def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        if any(self._folder.topics.get(spec.name) is None for spec in specs):
            self._folder.topics.create(specs)
            self._folder.journal.settle()

    def alter_topics(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        self._folder.topics.alter(changes)
        self._folder.journal.settle()

    def delete_topics(self, names: Sequence[str]) -> None:
        self._folder.delete_topics(names)

    def brokers(self, *, answers_min: int | None = None) -> Sequence[BrokerState]:
        return ()

    def live_members(self, group: str) -> frozenset[str]:
        with self._folder.journal.lock:
            return self._folder.group(group).live_members()

    def owners(self, group: str) -> Mapping[TopicPartition, str]:
        with self._folder.journal.lock:
            return self._folder.group(group).owners()

    def positions(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Committed | None]:
        with self._folder.journal.lock:
            return self._folder.group(group).positions.decided(partitions)

    # -- traffic

    def source(
        self, *, group: str, topics: Sequence[str], listener: RebalanceListener, instance: str
    ) -> Source:
        folder = self._folder
        missing = [name for name in topics if folder.topics.get(name) is None]
        if missing:
            raise TopicMissing(
                f"Expected topics {missing} in the embedded log, found no such topics; create them first",
                missing,
            )
        with folder.journal.lock:
            found = folder.group(group)
        source = EmbeddedSource(
            found,
            listener,
            instance,
            topics,
            journal=folder.journal,
            shelf=folder.shelf,
            find=folder.topics.find,
            unsynced=lambda: folder.flusher.wake(urgent=False),
            closed=self._forget,
        )
        self._sources[source] = threading.get_ident()
        return source

    def transactor(self, name: str) -> Transactor:
        folder = self._folder
        return EmbeddedTransactor(
            name, epochs=folder.epochs, journal=folder.journal, topics=folder.topics
        )

    def producer(self) -> Producer:
        folder = self._folder
        return EmbeddedProducer(
            journal=folder.journal, flusher=folder.flusher, topics=folder.topics
        )

    def reader(self) -> Reader:
        folder = self._folder
        return EmbeddedReader(folder.shelf, folder.journal, folder.topics.find)

    def tail(
        self,
        partition: TopicPartition,
        deliver: Callable[[Sequence[Record]], None],
        *,
        offset: int | None = None,
    ) -> Tail:
        folder = self._folder
        found = folder.topics.find(partition)
        with folder.journal.lock:
            begin = found.end if offset is None else offset
            tail = EmbeddedTail(folder.shelf, folder.journal, found, deliver, begin)
            found.followers = [*found.followers, tail]
        if not tail.live:
            folder.flusher.follow(tail)
        self._tails = [other for other in self._tails if not other.closed] + [tail]
        return tail

    def drive(self, machine: Machine, *, name: str) -> Running:
        """Turns the machine on a thread of its own. Sources that it leaves open when it ends are closed for it."""
        thread = MachineThread(machine, name, wake=self._wake, ended=self._end_sources)
        self._machines = [other for other in self._machines if not other.ended] + [thread]
        return thread

    def delay(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        return self._folder.delays.after(seconds, call)

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        for machine in self._machines:
            machine.stop()
        for machine in self._machines:
            machine.join(STOP_WAIT_S)
        for tail in self._tails:
            tail.close()
        for source in list(self._sources):
            source.close()
        leave(self._folder)

    def _forget(self, source: EmbeddedSource) -> None:
        self._sources.pop(source, None)

    def _of_thread(self, thread_id: int) -> list[EmbeddedSource]:
        return [source for source, owner in list(self._sources.items()) if owner == thread_id]

    def _wake(self, thread_id: int) -> None:
        for source in self._of_thread(thread_id):
            source.wake()

    def _end_sources(self, thread_id: int) -> None:
        """A machine that failed must not keep its partitions from others."""
        for source in self._of_thread(thread_id):
            source.close()
