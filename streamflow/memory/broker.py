"""The shared part of a memory log: topics, groups, transactions, time and faults, for all processes on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import msgspec

from streamflow.memory.clock import MemoryClock, RealClock
from streamflow.memory.faults import Faults
from streamflow.memory.groups import SESSION_MS, Group
from streamflow.memory.processes import Agenda
from streamflow.memory.skipping import TimeSkipper
from streamflow.memory.topics import Partition, Topic
from streamflow.memory.transactions import TRANSACTION_TIMEOUT_MS, Coordinator
from streamflow.ports import (
    NotGranted,
    OutRecord,
    Record,
    RecordRefused,
    TopicMissing,
    TopicPartition,
    TopicSpec,
    TopicState,
)

Trace = Callable[[str, str], None]


class MemoryBroker:
    """What several `MemoryLog`s (processes) share. Used on one event loop, or by hand without one.

    Args:
        clock: Default: real time (that can be skipped).
        faults: Default: nothing goes wrong.
        session_ms: How long a silent member keeps its place; default 6 s.
        transaction_timeout_ms: After how long an open transaction is aborted; default 10 s.
        trace: Told of every port call (process, call), to compare runs.
    """

    def __init__(
        self,
        *,
        clock: MemoryClock | None = None,
        faults: Faults | None = None,
        session_ms: int = SESSION_MS,
        transaction_timeout_ms: int = TRANSACTION_TIMEOUT_MS,
        trace: Trace | None = None,
    ) -> None:
        self.clock = clock or RealClock()
        self.faults = faults or Faults()
        self.agenda = Agenda()
        self.skipper = TimeSkipper(self.clock, self.agenda)
        self.coordinator = Coordinator(
            self.clock,
            timeout_ms=transaction_timeout_ms,
            marker_delay_ms=lambda: self.faults.marker_delay_ms(),
        )
        self.trace = trace
        self.ungranted: set[str] = set()
        """Topics that take nothing, and groups that nobody may look at: a planned fault. A topic that has refused something
        is in ``withheld`` until it is taken out of both."""
        self.withheld: set[str] = set()
        self._session_ms = session_ms
        self._topics: dict[str, Topic] = {}
        self._groups: dict[str, Group] = {}

    # -- time

    def skipping(self) -> AbstractContextManager[None]:
        """While entered, time is skipped whenever nothing is going on."""
        return self.skipper.skipping()

    def hold(self) -> AbstractContextManager[None]:
        """While entered, no time is skipped: something that takes real time is going on."""
        return self.skipper.hold()

    def run(self) -> int:
        """Without an event loop: makes the calls that wait, and returns how many there were."""
        return self.agenda.run()

    # -- topics

    def topics(self) -> dict[str, TopicState]:
        return {name: topic.state for name, topic in self._topics.items()}

    def create_topic(self, spec: TopicSpec) -> None:
        if spec.name in self._topics:
            return
        state = TopicState(
            name=spec.name,
            partitions=spec.partitions,
            replication_factor=spec.replication_factor,
            config=dict(spec.config),
        )
        self._topics[spec.name] = Topic(state)

    def topic(self, name: str) -> Topic:
        topic = self._topics.get(name)
        if topic is None:
            raise TopicMissing(
                f"Expected the topic {name!r}, found none of this name; create it", [name]
            )
        return topic

    def alter_topics(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        self.expect_topics(list(changes))
        for name, config in changes.items():
            self._topics[name].alter(config)

    def delete_topics(self, names: Sequence[str]) -> None:
        """With their records and the groups' positions in them; who still subscribes to one loses its partitions."""
        gone = frozenset(names) & self._topics.keys()
        for name in gone:
            del self._topics[name]
        for group in self._groups.values():
            group.forget_topics(gone)

    def expect_topics(self, names: Sequence[str]) -> None:
        if missing := [name for name in names if name not in self._topics]:
            raise TopicMissing(
                f"Expected the topics {', '.join(map(repr, missing))}, found none of these names; create them",
                missing,
            )

    def partition(self, name: TopicPartition) -> Partition:
        partitions = self.topic(name.topic).partitions
        if not 0 <= name.partition < len(partitions):
            raise TopicMissing(
                f"Expected a partition of {name.topic!r} below {len(partitions)}, found {name.partition}",
                [name.topic],
            )
        return partitions[name.partition]

    def partition_for(self, record: OutRecord) -> Partition:
        """Where this record would be appended; raises `RecordRefused` or `NotGranted` if the log does not take it."""
        topic = self._topics.get(record.topic)
        if topic is None:
            raise RecordRefused(
                f"Expected the topic {record.topic!r}, found none of this name", record
            )
        if record.topic in self.ungranted:
            self.withheld.add(record.topic)
            raise NotGranted(f"Grant this client Write on topic {record.topic}", [record.topic])
        if (reason := topic.refusal(record)) is not None:
            raise RecordRefused(reason, record)
        return topic.partitions[record.partition]

    def append(self, record: OutRecord) -> int:
        """Appends outside transactions; returns the offset."""
        now_ms = self.clock.now_ms()
        return self.partition_for(record).append(
            record.key, record.value, record.headers, now_ms=now_ms, transaction=None
        )

    def compact(self, topic: str) -> None:
        """What a broker's cleaner does some day: only the last value of each key stays."""
        self.topic(topic).compact(self.clock.now_ms())

    def expire(self, topic: str) -> None:
        """Drops what is older than the topic's ``retention.ms``."""
        self.topic(topic).expire(self.clock.now_ms())

    def truncate(self, partition: TopicPartition, before: int) -> None:
        """Drops everything before this offset."""
        self.partition(partition).truncate(before)

    # -- groups

    def group(self, name: str) -> Group:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group(
                name,
                timers=self.clock,
                partitions_of=self._partitions_of,
                session_ms=self._session_ms,
            )
        return group

    def groups(self) -> Mapping[str, Group]:
        return self._groups

    def _partitions_of(self, topic: str) -> int:
        return len(self._topics[topic].partitions) if topic in self._topics else 0

    # -- what there is

    def records(self, topic: str, *, committed: bool = True) -> list[Record]:
        """All records of a topic by partition and offset; with ``committed=False`` pending and aborted ones too."""
        found: list[Record] = []
        for partition in self.topic(topic).partitions:
            if committed:
                found += partition.read(partition.start, len(partition.entries) + 1)[0]
            else:
                found += [entry.record for entry in partition.entries if entry.record is not None]
        return found

    def digest(self) -> str:
        """A hash of everything in the log, markers and times included: equal for equal runs."""
        summed = hashlib.blake2b(digest_size=16)
        for topic in self._topics.values():
            for partition in topic.partitions:
                for entry in partition.entries:
                    ended = entry.transaction and entry.transaction.decision.value
                    fact = (partition.name, entry.offset, entry.timestamp_ms, ended, entry.record)
                    summed.update(msgspec.json.encode(fact))
        return summed.hexdigest()

    def note(self, process: str, call: str) -> None:
        if self.trace is not None:
            self.trace(process, call)
