"""Audit entries on an embedded log: durable once written, found newest first, and nothing raised where they cannot be written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from streamflow import topology
from streamflow.audit import AuditTopic, Filter, Found, newest
from streamflow.audit.reading import PIECE
from streamflow.embedded import EmbeddedLog
from streamflow.model.audit import AuditEntry
from streamflow.ports import Log, OutRecord, TopicMissing
from streamflow.wire import entities

pytestmark = pytest.mark.asyncio

NAMESPACE = "shop"
TOPIC = topology.audit_topic(NAMESPACE)
EVERYTHING = Filter()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Log]:
    """A log without a topic."""
    log = EmbeddedLog.open(tmp_path / "log")
    yield log
    log.close()


@pytest.fixture
def log(bare: Log) -> Log:
    topology.apply(bare, topology.plan(bare, topology.declare(NAMESPACE, dev=True)))
    return bare


def entry(
    number: int = 0, who: str = "user:ada@shop.example", action: str = "SignalWorkflow"
) -> AuditEntry:
    return AuditEntry(who=who, action=action, outcome="done", workflow_id=f"order-{number}")


def written(log: Log, values: list[bytes]) -> None:
    producer = log.producer()
    for value in values:
        producer.send(OutRecord(TOPIC, 0, None, value))
    producer.flush(10_000)
    producer.close()


def ids(entries: tuple[Found, ...]) -> list[str]:
    return [one.entry.workflow_id for one in entries]


async def test_an_entry_is_in_the_topic_once_it_was_waited_for(log: Log) -> None:
    """With everything that was said of it, and the log's time."""
    topic = AuditTopic(log, NAMESPACE)
    said = msgspec.structs.replace(entry(1), role="operator", run_id="r", message_id="m")

    await topic.write(said, wait=True)

    [found] = newest(log, NAMESPACE, EVERYTHING, limit=10).entries
    assert found.entry == said
    assert found.time_ms > 1_700_000_000_000
    await topic.close()


async def test_an_entry_that_nobody_waits_for_is_written_before_the_end(log: Log) -> None:
    topic = AuditTopic(log, NAMESPACE)
    for number in range(20):
        await topic.write(entry(number), wait=False)

    await topic.close()

    found = newest(log, NAMESPACE, EVERYTHING, limit=100).entries
    assert ids(found) == [f"order-{number}" for number in reversed(range(20))]


async def test_a_missing_topic_is_named_and_keeps_nobody_waiting(
    bare: Log, caplog: pytest.LogCaptureFixture
) -> None:
    """The command that makes it is said; the attempt itself was made."""
    topic = AuditTopic(bare, NAMESPACE)

    with caplog.at_level(logging.ERROR, logger="streamflow.audit"):
        for number in range(3):
            await topic.write(entry(number), wait=True)
    await topic.close()

    [said] = [record.getMessage() for record in caplog.records]
    assert "audit_unwritten namespace='shop'" in said
    assert "streamflow topology apply --namespace shop" in said
    with pytest.raises(TopicMissing, match=r"found none.*topology apply --namespace shop"):
        newest(bare, NAMESPACE, EVERYTHING, limit=1)


async def test_on_a_laptop_the_topic_is_made(bare: Log) -> None:
    topic = AuditTopic(bare, NAMESPACE, creates=True)
    await topic.write(entry(7), wait=True)
    await topic.close()

    assert ids(newest(bare, NAMESPACE, EVERYTHING, limit=1).entries) == ["order-7"]


async def test_pages_go_back_to_the_first_entry_without_a_gap(log: Log) -> None:
    """However the pieces that are read at once lie."""
    count = 2 * PIECE + 500
    written(log, [entities.encode(entry(number)) for number in range(count)])
    found: list[str] = []
    before: int | None = None
    pages = 0
    while pages == 0 or before is not None:
        page = newest(log, NAMESPACE, EVERYTHING, limit=999, before=before)
        found += ids(page.entries)
        before = page.before
        pages += 1

    assert found == [f"order-{number}" for number in reversed(range(count))]
    assert pages == 5


async def test_a_page_looks_at_so_many_and_says_where_to_go_on(log: Log) -> None:
    """A filter that finds little does not read the topic whole."""
    written(log, [entities.encode(entry(number)) for number in range(100)])
    rare = Filter(workflow_id="order-3")

    first = newest(log, NAMESPACE, rare, limit=10, looked_at_max=60)
    second = newest(log, NAMESPACE, rare, limit=10, before=first.before, looked_at_max=60)

    assert (first.entries, first.before) == ((), 40)
    assert (ids(second.entries), second.before) == (["order-3"], None)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Filter(who="ADA"), [2, 0]),
        (Filter(workflow_id="order-1"), [1]),
        (Filter(action="terminateworkflow"), [2]),
        (Filter(who="ada", workflow_id="order-1"), []),
        (Filter(since_ms=2**50), []),
    ],
)
async def test_filters_narrow(log: Log, wanted: Filter, numbers: list[int]) -> None:
    """All that are given hold at once."""
    entries = [entry(0), entry(1, "token:ci"), entry(2, action="TerminateWorkflow")]
    written(log, [entities.encode(one) for one in entries])

    found = newest(log, NAMESPACE, wanted, limit=10)

    assert ids(found.entries) == [f"order-{number}" for number in numbers]


async def test_what_is_no_entry_is_counted_and_hides_none(log: Log) -> None:
    """Whoever may write the topic may write anything."""
    written(log, [entities.encode(entry(0)), b"", b"\xc3\x01rubbish", b"x" * 100_000])

    found = newest(log, NAMESPACE, EVERYTHING, limit=10)

    assert ids(found.entries) == ["order-0"]
    assert found.unreadable == 3
