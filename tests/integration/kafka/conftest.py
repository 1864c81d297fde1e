"""Topics, groups and members of one test alone, on a real broker."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence

import pytest

from streamflow.kafka import KafkaLog
from streamflow.kafka.source import KafkaSource
from streamflow.kafka.transactor import KafkaTransactor
from streamflow.ports import Committed, OutRecord, Record, TopicPartition, TopicSpec

PATIENCE_S = 30.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/integration/kafka/" in item.path.as_posix():
            item.add_marker(pytest.mark.kafka)


class Member:
    """A source with its transactor, and what its listener was told."""

    def __init__(self, log: KafkaLog, topic: str, name: str, *, group: str) -> None:
        self.assigned: list[TopicPartition] = []
        self.revoked: list[TopicPartition] = []
        self.lost: list[TopicPartition] = []
        self.source: KafkaSource = log.source(
            group=group, topics=[topic], listener=self, instance=name
        )
        self.transactor: KafkaTransactor = log.transactor(name)
        self.transactor.open()

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.assigned += partitions

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self.revoked += partitions

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        self.lost += partitions

    def poll_until(self, enough: Callable[[], bool]) -> list[Record]:
        """What arrives until then; fails when patience is out."""
        records: list[Record] = []
        deadline = time.monotonic() + PATIENCE_S
        while not enough():
            assert time.monotonic() < deadline, "nothing came of it"
            records += self.source.poll(500, 50)
        return records

    def join(self, partitions: int) -> None:
        assert self.poll_until(lambda: len(self.assigned) >= partitions) == []

    def take(self, count: int) -> list[Record]:
        records: list[Record] = []
        deadline = time.monotonic() + PATIENCE_S
        while len(records) < count:
            assert time.monotonic() < deadline, f"only {records} came"
            records += self.source.poll(500, 50)
        return records

    def close(self) -> None:
        self.source.close()
        self.transactor.close()


class World:
    """One topic in, one topic out, and as many members as the test wants."""

    def __init__(self, log: KafkaLog) -> None:
        run = uuid.uuid4().hex[:8]
        self.run = run
        self.log = log
        self.inbox = f"t-{run}.in"
        self.output = f"t-{run}.out"
        self.group = f"t-{run}.group"
        log.create_topics(
            [TopicSpec(name=self.inbox, partitions=2), TopicSpec(name=self.output, partitions=2)]
        )
        self._members: list[Member] = []

    def name(self, suffix: str) -> str:
        return f"t-{self.run}-{suffix}"

    def member(self, suffix: str) -> Member:
        member = Member(self.log, self.inbox, self.name(suffix), group=self.group)
        self._members.append(member)
        return member

    def owner(self, suffix: str = "a") -> Member:
        """A member that has both partitions of the inbox."""
        member = self.member(suffix)
        member.join(2)
        return member

    def into(self, partition: int = 0) -> TopicPartition:
        return TopicPartition(self.inbox, partition)

    def out(self, value: bytes, partition: int = 0, key: bytes = b"k") -> OutRecord:
        return OutRecord(self.output, partition, key, value)

    def at(self, offset: int, metadata: str = "") -> dict[TopicPartition, Committed]:
        return {self.into(): Committed(offset, metadata)}

    def produced(self, partition: int = 0) -> list[bytes | None]:
        """Committed values of the output."""
        where = TopicPartition(self.output, partition)
        reader = self.log.reader()
        try:
            end = reader.end_offset(where)
            return [
                r.value
                for batch in reader.read(where, reader.start_offset(where), end)
                for r in batch
            ]
        finally:
            reader.close()

    def send(self, *values: bytes, partition: int = 0) -> None:
        producer = self.log.producer()
        for value in values:
            producer.send(OutRecord(self.inbox, partition, b"k", value, (("h", b"1"),)))
        producer.flush(10_000)
        producer.close()

    def close(self) -> None:
        for member in self._members:
            member.close()


@pytest.fixture(scope="session")
def log(kafka_bootstrap: str) -> Iterator[KafkaLog]:
    log = KafkaLog.connect(kafka_bootstrap)
    yield log
    log.close()


@pytest.fixture
def world(log: KafkaLog) -> Iterator[World]:
    world = World(log)
    yield world
    world.close()
