"""What is noted of a namespace beside its runs, on a real broker: who changed what, and how far processors restore."""

from __future__ import annotations

import asyncio

import pytest

from streamflow import topology
from streamflow.audit import AuditTopic, Filter, newest
from streamflow.kafka import KafkaLog
from streamflow.model.audit import AuditEntry
from streamflow.model.processes import ProcessReport, StandbyReport
from streamflow.ports import LogError
from streamflow.topology.declarations import BROKER_DEFAULT
from streamflow.topology.processes import fresh_reports, report_record


@pytest.fixture
def declared(log: KafkaLog, namespace: str) -> str:
    """A namespace with its own topics."""
    wanted = topology.declare(namespace, replication_factor=BROKER_DEFAULT, dev=True)
    topology.apply(log, topology.plan(log, wanted))
    return namespace


def entry(number: int) -> AuditEntry:
    return AuditEntry(
        who="user:ada@shop.example",
        action="SignalWorkflow",
        outcome="done",
        workflow_id=f"w{number}",
    )


def test_an_entry_that_was_waited_for_is_there_for_others(
    log: KafkaLog, declared: str, kafka_bootstrap: str
) -> None:
    """Newest first, a page at a time."""

    async def write() -> None:
        topic = AuditTopic(log, declared)
        for number in range(5):
            await topic.write(entry(number), wait=True)
        # Without a close: whoever writes may be killed after any of these.

    asyncio.run(write())

    other = KafkaLog.connect(kafka_bootstrap)
    try:
        page = newest(other, declared, Filter(who="ada"), limit=3)
        rest = newest(other, declared, Filter(who="ada"), limit=3, before=page.before)
    finally:
        other.close()
    assert [one.entry.workflow_id for one in page.entries] == ["w4", "w3", "w2"]
    assert [one.entry.workflow_id for one in rest.entries] == ["w1", "w0"]


def test_the_latest_report_of_each_process_is_found(log: KafkaLog, declared: str) -> None:
    """Though earlier ones of it stand in the topic too."""
    errors: list[LogError | None] = []
    producer = log.producer()
    for lag in (7, 3):
        report = ProcessReport(
            queue="orders", instance="a", standby=(StandbyReport(partition=0, lag=lag),)
        )
        producer.send(report_record(declared, report), errors.append)
    producer.close()
    assert errors == [None, None]

    found = fresh_reports(log, declared, "orders", now_ms=log.clock.now_ms())

    assert {name: one.standby[0].lag for name, one in found.items()} == {"a": 3}
