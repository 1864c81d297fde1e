"""Whoever waits for a long restore is told how long it still takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from structlog.testing import capture_logs

from streamflow.memory.clock import VirtualClock
from streamflow.memory.store import MemoryStores
from streamflow.model.processes import ProcessReport
from streamflow.ports import TopicPartition
from streamflow.processor.options import ProcessorOptions
from streamflow.processor.partitions.pace import EVERY_MS, Pace
from streamflow.processor.partitions.standby import Standby
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.waiters import Waiters
from streamflow.worker.reporting import report_of


def test_a_long_restore_says_now_and_then_how_far_it_is() -> None:
    """A quarter in ten seconds leaves thirty; in between nothing is said."""
    clock = VirtualClock()
    partition = _partition(3, at=1_000)
    pace = Pace(partition, 5_000, clock)
    with capture_logs() as said:
        pace.at(1_500)
        clock.advance(EVERY_MS)
        pace.at(2_000)
        pace.at(2_500)

    [told] = said
    assert (told["event"], told["partition"]) == ("partition_restoring", 3)
    assert (told["offsets_read"], told["offsets_left"]) == (1_000, 3_000)
    assert (told["percent"], told["seconds_left"]) == (25, 30)


def test_whoever_looks_finds_how_far_a_restore_is() -> None:
    """At any time; what is reported of it has the same share and time left as the log."""
    clock = VirtualClock()
    partition = _partition(3, at=1_000)
    pace = Pace(partition, 5_000, clock)
    clock.advance(2_000)
    pace.at(2_000)
    processor = _Restoring({3: partition})

    report = report_of(processor, ProcessReport(queue="q", instance="p"), clock)

    [found] = report.restoring
    assert (found.partition, found.next_offset, found.end_offset) == (3, 2_000, 5_000)
    assert (found.percent, found.left_ms) == (25, 6_000)
    assert report.standby == ()


def test_a_restore_that_has_read_nothing_says_no_time() -> None:
    """However long it has waited."""
    clock = VirtualClock()
    partition = _partition(0, at=0)
    Pace(partition, 100, clock)
    clock.advance(5_000)
    processor = _Restoring({0: partition})

    [found] = report_of(processor, ProcessReport(queue="q", instance="p"), clock).restoring

    assert found.elapsed_ms == 5_000
    assert (found.percent, found.left_ms) == (0, 0)


@dataclass
class _Restoring:
    """A processor that has these partitions and stands by for none."""

    partitions: Mapping[int, Partition]
    standby: Standby | None = None


def _partition(number: int, at: int) -> Partition:
    """One whose store is as far as this offset of its history."""
    inbox, history = TopicPartition("inbox", number), TopicPartition("history", number)
    store = MemoryStores().open(str(number))
    partition = Partition(
        number,
        inbox,
        history,
        store,
        Waiters(waiters_max=0),
        ProcessorOptions(queue="q", partitions=4, name="p"),
    )
    partition.meta.history_offset = at
    return partition
