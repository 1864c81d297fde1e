"""Deleting a namespace: all that was stamped for it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamflow import topology
from streamflow.embedded import EmbeddedLog
from streamflow.memory.log import MemoryLog
from streamflow.model.settings import NamespaceEntry
from streamflow.ports import Log, LogError, OutRecord, TopicPartition, TopicSpec
from streamflow.topology import NamespaceInUse, NamespaceMissing
from streamflow.topology.directory import read_queues
from tests.unit.embedded.member import Member


@pytest.fixture(params=["memory", "embedded"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    opened: Log = MemoryLog() if request.param == "memory" else EmbeddedLog.open(tmp_path)
    yield opened
    opened.close()


def make(log: Log, namespace: str, *queues: str) -> None:
    declared = topology.declare(
        namespace, [topology.Queue(name=name, partitions=2) for name in queues], dev=True
    )
    topology.apply(log, topology.plan(log, declared))


def names(log: Log, namespace: str) -> list[str]:
    return [name for name in log.topics() if name.startswith(f"{namespace}.")]


def test_all_of_it_goes_and_nothing_of_another(log: Log) -> None:
    """A namespace whose name begins alike keeps every topic."""
    make(log, "shop", "orders", "a/b")
    make(log, "shop-2", "orders")
    before = names(log, "shop-2")

    done = topology.delete_namespace(log, "shop")

    assert names(log, "shop") == []
    assert names(log, "shop-2") == before
    assert done.queues == ("a/b", "orders")
    assert done.topics[-1] == "shop.queues"
    assert done.kept == ()


def test_a_topic_that_was_not_stamped_stays(log: Log) -> None:
    """Somebody's own topic with the prefix, and topics of a queue's names that nobody stamped."""
    make(log, "shop", "orders")
    foreign = [
        TopicSpec(name=name, partitions=1)
        for name in ("shop.reports", "shop.other.inbox", "shop.a.b.inbox")
    ]
    log.create_topics(foreign)

    done = topology.delete_namespace(log, "shop")

    assert sorted(names(log, "shop")) == sorted(spec.name for spec in foreign)
    assert done.kept == ("shop.a.b.inbox", "shop.other.inbox", "shop.reports")


def test_a_directory_entry_cannot_name_anothers_topic(log: Log) -> None:
    """Only names that the queue's own topics can have are taken from it."""
    make(log, "shop", "orders")
    make(log, "bank", "orders")
    entry = read_queues(log, "shop")["orders"]
    forged = {**entry.topics, "bank.orders.history": 2, "shop.reports": 1}
    log.create_topics([TopicSpec(name="shop.reports", partitions=1)])
    topology.write_queues(log, "shop", [type(entry)(name="orders", partitions=2, topics=forged)])

    topology.delete_namespace(log, "shop")

    assert "bank.orders.history" in log.topics()
    assert names(log, "shop") == ["shop.reports"]


def test_what_nobody_stamped_is_no_namespace(log: Log) -> None:
    """Topics of the very names of a namespace, but neither a queue nor a note: they stay, and the refusal says what to do."""
    make(log, "shop")
    with pytest.raises(NamespaceMissing, match="streamflow namespace create shop"):
        topology.delete_namespace(log, "shop")
    assert "shop.executions" in log.topics()

    with pytest.raises(NamespaceMissing, match="no topics of it"):
        topology.delete_namespace(log, "nowhere")
    with pytest.raises(ValueError, match="a-z"):
        topology.delete_namespace(log, "Not Allowed")


def test_a_namespace_without_queues_goes_by_its_note(log: Log) -> None:
    """The topic with the note goes last."""
    make(log, "shop")
    topology.write_namespace(log, NamespaceEntry(name="shop"))

    assert topology.delete_namespace(log, "shop").topics[-1] == "shop.settings"
    assert names(log, "shop") == []


def test_an_interrupted_deletion_goes_on(log: Log) -> None:
    """While the stamp is there, so is the namespace."""
    make(log, "shop", "orders")
    log.delete_topics(topology.plan_deletion(log, "shop").topics[:4])

    topology.delete_namespace(log, "shop")

    assert names(log, "shop") == []


@pytest.mark.parametrize(
    ("group", "topic"),
    [("shop.orders.processor", "inbox"), ("shop.orders.workers", "activities")],
)
def test_nothing_goes_while_somebody_is_at_work(log: Log, group: str, topic: str) -> None:
    """The refusal names the group and its member; once it has left, the namespace may go."""
    make(log, "shop", "orders")
    all_of_it = names(log, "shop")
    member = Member(log, "pod-7", f"shop.orders.{topic}", group=group)

    with pytest.raises(NamespaceInUse, match=f"{group}: pod-7"):
        topology.delete_namespace(log, "shop")
    assert names(log, "shop") == all_of_it

    member.source.close()
    topology.delete_namespace(log, "shop")
    assert names(log, "shop") == []


def test_a_namespace_made_again_is_another_one(log: Log) -> None:
    """Empty topics from offset 0, and a queue whose making is later: local state of the old one is then not taken for its."""
    make(log, "shop", "orders")
    place = TopicPartition("shop.orders.inbox", 1)
    producer = log.producer()
    refused: list[LogError | None] = []
    producer.send(OutRecord(*place, b"k", b"old"), refused.append)
    producer.flush(1_000)
    assert refused == [None]
    first = read_queues(log, "shop")["orders"]
    make(log, "shop", "orders")
    assert read_queues(log, "shop")["orders"].made_ms == first.made_ms

    topology.delete_namespace(log, "shop")
    while log.clock.now_ms() == first.made_ms:
        pass
    make(log, "shop", "orders")

    reader = log.reader()
    assert (reader.start_offset(place), reader.end_offset(place)) == (0, 0)
    assert read_queues(log, "shop")["orders"].made_ms > first.made_ms
