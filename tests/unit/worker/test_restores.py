"""Whoever watches a worker sees how far all of its restores are, those that have not begun among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from streamflow.embedded import EmbeddedLog
from streamflow.memory.clock import VirtualClock
from streamflow.memory.store import MemoryStores
from streamflow.model.processes import RestoreProgress
from streamflow.ports import Log, OutRecord, TopicPartition, TopicSpec
from streamflow.processor.options import ProcessorOptions
from streamflow.processor.partitions.pace import Pace
from streamflow.processor.state.partition import Partition, State
from streamflow.processor.state.waiters import Waiters
from streamflow.worker.restores import Restores

HISTORY = "history"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """Three partitions, each with a history of ten records."""
    log = EmbeddedLog.open(tmp_path / "log")
    log.create_topics([TopicSpec(name=HISTORY, partitions=3)])
    producer = log.producer()
    for number in range(30):
        producer.send(OutRecord(HISTORY, number % 3, b"key", b"value"))
    producer.flush(10_000)
    producer.close()
    yield log
    log.close()


@dataclass
class _Processor:
    """One that has these partitions."""

    partitions: dict[int, Partition] = field(default_factory=dict[int, Partition])

    def take(self, number: int, at: int = 0) -> Partition:
        """A partition whose store is as far as this offset of its history."""
        partition = self.partitions[number] = Partition(
            number,
            TopicPartition("inbox", number),
            TopicPartition(HISTORY, number),
            MemoryStores().open(str(number)),
            Waiters(waiters_max=0),
            ProcessorOptions(queue="q", partitions=3, name="p"),
        )
        partition.meta.history_offset = at
        return partition


def _progress(partitions: int, restored: int, offsets: int, read: int) -> RestoreProgress:
    return RestoreProgress(
        partitions=partitions, restored=restored, offsets=offsets, offsets_read=read
    )


def test_what_waits_for_its_turn_is_part_of_the_sum(log: Log) -> None:
    """From the offset that its store has, which is read before the restore begins."""
    processor = _Processor()
    first = processor.take(0)
    processor.take(1, at=4)
    Pace(first, 10, VirtualClock()).at(3)

    assert Restores(log, processor).look() == _progress(2, 0, 10 + 6, 3)


def test_the_sum_stays_until_all_is_restored(log: Log) -> None:
    """What is done counts until then, and what comes later begins anew."""
    processor = _Processor()
    first, second = processor.take(0), processor.take(1)
    restores = Restores(log, processor)
    restores.look()

    Pace(first, 10, VirtualClock()).at(10)
    first.restoring, first.state = None, State.ACTIVE
    assert restores.look() == _progress(2, 1, 20, 10)

    second.state = State.ACTIVE
    assert restores.look() is None

    processor.take(2)
    assert restores.look() == _progress(1, 0, 10, 0)


def test_a_tail_that_is_read_again_adds_to_what_was_read(log: Log) -> None:
    processor = _Processor()
    partition = processor.take(0)
    restores = Restores(log, processor)
    clock = VirtualClock()
    Pace(partition, 8, clock).at(8)
    restores.look()
    partition.restoring, partition.meta.history_offset = None, 8
    assert restores.look() == _progress(1, 0, 8, 8)

    Pace(partition, 10, clock).at(9)

    assert restores.look() == _progress(1, 0, 10, 9)


def test_a_partition_that_was_taken_away_counts_no_more(log: Log) -> None:
    """Nor does what was known of it when it comes again."""
    processor = _Processor()
    Pace(processor.take(0), 10, VirtualClock()).at(9)
    processor.take(1)
    restores = Restores(log, processor)
    assert restores.look() == _progress(2, 0, 20, 9)

    del processor.partitions[0]
    assert restores.look() == _progress(1, 0, 10, 0)

    processor.take(0)
    assert restores.look() == _progress(2, 0, 20, 0)


def test_a_worker_with_nothing_to_restore_says_nothing(log: Log) -> None:
    processor = _Processor()
    assert Restores(log, processor).look() is None

    processor.take(0).state = State.ACTIVE
    assert Restores(log, processor).look() is None
