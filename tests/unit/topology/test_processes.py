"""Reports of processors that restore or stand by: the latest of each counts, while it is fresh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamflow import topology
from streamflow.embedded import EmbeddedLog
from streamflow.model.processes import ProcessReport, RestoreReport, StandbyReport
from streamflow.ports import Log, OutRecord
from streamflow.topology import Share, fresh_reports, restore_of, standbys_of
from streamflow.topology.processes import FRESH_MS, report_record
from streamflow.topology.serving import Role

NS = "shop"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Log]:
    log = EmbeddedLog.open(tmp_path / "log")
    yield log
    log.close()


@pytest.fixture
def log(bare: Log) -> Log:
    topology.apply(bare, topology.plan(bare, topology.declare(NS, dev=True)))
    return bare


def report(instance: str, queue: str = "orders", lag: int = 0, done: int = 0) -> ProcessReport:
    """Stands by for partition 0, and restores partition 1 of 100 offsets."""
    return ProcessReport(
        queue=queue,
        instance=instance,
        restoring=(
            RestoreReport(
                partition=1, begin_offset=0, next_offset=done, end_offset=100, elapsed_ms=1_000
            ),
        ),
        standby=(StandbyReport(partition=0, lag=lag),),
    )


def written(log: Log, *records: OutRecord) -> None:
    producer = log.producer()
    for record in records:
        producer.send(record)
    producer.flush(10_000)
    producer.close()


def share(partition: int, member: str | None, role: Role = "processor") -> Share:
    return Share(queue="orders", role=role, partition=partition, member=member, position=0, end=0)


def test_the_latest_report_of_each_instance_counts(log: Log) -> None:
    """Those of other queues do not, nor what is no report."""
    rubbish = OutRecord(topology.processes_topic(NS), 0, b"x", b"rubbish")
    found = [report("a", done=10), report("b"), report("c", queue="other"), report("a", done=60)]
    written(log, rubbish, *(report_record(NS, one) for one in found))

    reports = fresh_reports(log, NS, "orders", now_ms=log.clock.now_ms())

    assert reports == {"a": report("a", done=60), "b": report("b")}


def test_an_old_report_says_nothing(log: Log) -> None:
    """Its process may have gone without a word."""
    written(log, report_record(NS, report("a")))
    now_ms = log.clock.now_ms()

    assert fresh_reports(log, NS, "orders", now_ms=now_ms)
    assert fresh_reports(log, NS, "orders", now_ms=now_ms + FRESH_MS + 60_000) == {}


def test_without_the_topic_nothing_is_reported(bare: Log) -> None:
    assert fresh_reports(bare, NS, "orders", now_ms=0) == {}


def test_a_partition_is_restored_by_its_owner_and_followed_by_others() -> None:
    """An owner's own standby is of the past; activities have neither."""
    reports = {"a": report("a", lag=3, done=60), "b": report("b", lag=7)}

    restore = restore_of(share(1, "a"), reports)
    assert restore is not None
    assert (restore.percent, restore.left_ms) == (60, 666)
    assert restore_of(share(1, "c"), reports) is None
    assert restore_of(share(1, None), reports) is None
    assert restore_of(share(1, "a", "activities"), reports) is None
    assert standbys_of(share(0, "a"), reports) == [("b", 7)]
    assert standbys_of(share(0, None), reports) == [("a", 3), ("b", 7)]
    assert standbys_of(share(0, None, "activities"), reports) == []
