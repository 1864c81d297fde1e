"""What tests of the memory log share: a broker with one topic, members that note what they are told, small machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streamflow.memory.broker import MemoryBroker
from streamflow.memory.clock import MemoryClock, VirtualClock
from streamflow.memory.faults import Faults
from streamflow.memory.log import MemoryLog
from streamflow.ports import (
    Aborted,
    Committed,
    Fenced,
    OutcomeUnknown,
    OutRecord,
    Record,
    Source,
    TopicPartition,
    TopicSpec,
    Unavailable,
)

P0 = TopicPartition("inbox", 0)
OUT = TopicPartition("out", 0)


def new_broker(
    *,
    partitions: int = 1,
    clock: MemoryClock | None = None,
    faults: Faults | None = None,
    trace: Callable[[str, str], None] | None = None,
) -> MemoryBroker:
    broker = MemoryBroker(clock=clock or VirtualClock(), faults=faults, trace=trace)
    broker.create_topic(TopicSpec(name="inbox", partitions=partitions))
    broker.create_topic(TopicSpec(name="out", partitions=partitions))
    return broker


def record(value: str, topic: str = "inbox", partition: int = 0, key: str = "k") -> OutRecord:
    return OutRecord(topic, partition, key.encode(), value.encode())


def values(records: Sequence[Record]) -> list[str]:
    return [(r.value or b"").decode() for r in records]


@dataclass
class Reading:
    """A listener that starts reading at the committed offsets, and notes all it is told."""

    told: list[tuple[str, tuple[TopicPartition, ...]]] = field(
        default_factory=list[tuple[str, tuple[TopicPartition, ...]]]
    )
    source: Source | None = None
    when_revoked: Callable[[], None] = lambda: None

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.told.append(("assigned", tuple(partitions)))
        assert self.source is not None
        committed = self.source.committed(partitions)
        self.source.start_reading({p: c.offset if c else 0 for p, c in committed.items()})

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self.told.append(("revoked", tuple(partitions)))
        self.when_revoked()

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        self.told.append(("lost", tuple(partitions)))


def join(log: MemoryLog, instance: str, group: str = "g") -> tuple[Source, Reading]:
    listener = Reading()
    source = log.source(group=group, topics=["inbox"], listener=listener, instance=instance)
    listener.source = source
    return source, listener


class Echo:
    """A machine that copies the inbox to `out`, exactly once: records and offsets in one transaction."""

    def __init__(self, log: MemoryLog, name: str) -> None:
        self.log = log
        self.name = name
        self.transactor = log.transactor(name)
        self.next: dict[TopicPartition, int] = {}
        self.waits: set[TopicPartition] = set()
        self.turns = 0
        self.closed = 0
        self.opened = False
        self.source: Source | None = None

    def open(self) -> None:
        self.source = self.log.source(
            group="echo", topics=["inbox"], listener=self, instance=self.name
        )

    def turn(self) -> int | None:
        assert self.source is not None
        self.turns += 1
        try:
            self.make_sure_of_transactor()
            self.begin_waiting()  # before the poll, which would go on behind what must be replayed
            records = self.source.poll(10, 0)
            if not records:
                return 0 if self.waits else None
            self.copy(records)
        except Unavailable:
            return 5
        except (Aborted, Fenced):
            self.replay()
        except OutcomeUnknown:
            self.opened = False
            self.replay()
        return 0

    def make_sure_of_transactor(self) -> None:
        if not self.opened:
            self.transactor.reopen()
            self.opened = True

    def copy(self, records: list[Record]) -> None:
        assert self.source is not None
        for r in records:
            self.next[TopicPartition(r.topic, r.partition)] = r.offset + 1
        out = [OutRecord("out", r.partition, r.key, r.value) for r in records]
        offsets = {p: Committed(offset) for p, offset in self.next.items()}
        self.transactor.commit(out, offsets, self.source)

    def replay(self) -> None:
        self.waits |= set(self.next)
        self.next.clear()

    def begin_waiting(self) -> None:
        assert self.source is not None
        for partition in sorted(self.waits):
            committed = self.source.committed([partition])[partition]
            offset = committed.offset if committed else 0
            self.source.start_reading({partition: offset})
            self.next[partition] = offset
            self.waits.discard(partition)

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.waits |= set(partitions)

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self.forget(partitions)

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        self.forget(partitions)

    def forget(self, partitions: Sequence[TopicPartition]) -> None:
        self.waits -= set(partitions)
        for partition in partitions:
            self.next.pop(partition, None)

    def close(self) -> None:
        self.closed += 1
        if self.source is not None:
            self.source.close()
