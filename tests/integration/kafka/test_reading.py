"""Readers and tails on a real broker: committed records only, up to an end that no record may mark."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import TopicPartition as ClientPartition
from confluent_kafka.admin import AdminClient

from streamflow.kafka import KafkaLog
from streamflow.ports import LogError, OutRecord, Record, TopicPartition, TopicSpec
from tests.integration.kafka.conftest import World
from tests.integration.kafka.other_owner import OtherOwner


def _wait_for(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not met():
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.005)


def test_reading_ends_behind_the_last_transactions_marker(world: World) -> None:
    """Markers take offsets that hold no record; the end is reached nevertheless."""
    owner = world.owner()
    for number in range(3):
        owner.transactor.commit([world.out(b"%d" % number)], world.at(number + 1), owner.source)
    reader = world.log.reader()
    where = TopicPartition(world.output, 0)

    # A commit returns when it is decided; the broker writes the marker soon afterwards.
    until = time.monotonic() + 10
    while (end := reader.end_offset(where)) < 6 and time.monotonic() < until:
        time.sleep(0.01)
    records = [record for batch in reader.read(where, 0, end) for record in batch]
    reader.close()

    # Where the markers lie among the records is the broker's to say: another producer's record may come first.
    assert end == 6
    assert [record.value for record in records] == [b"0", b"1", b"2"]


def test_reading_waits_for_an_undecided_transaction_and_passes_its_aborted_records(
    world: World,
) -> None:
    """The end is the high watermark: it counts records of a transaction that is still open."""
    where = TopicPartition(world.output, 0)
    reader = world.log.reader()
    with OtherOwner(world, "dead") as dead:
        dead.expect("joined")
        dead.tell("open")
        dead.expect("opened")
        end = reader.end_offset(where)
        dead.kill()
    transactor = world.log.transactor("anyone")
    fencing = threading.Timer(0.5, transactor.fence, [[world.name("dead-0")]])
    fencing.start()

    records = [record for batch in reader.read(where, 0, end) for record in batch]
    fencing.join()
    reader.close()

    assert end == 1
    assert records == []


def test_reading_stops_at_the_end_it_was_given(world: World) -> None:
    """Records behind it are not delivered, even when they came in the same fetch."""
    world.send(*[b"%d" % number for number in range(20)])
    reader = world.log.reader()

    records = [r.offset for batch in reader.read(world.into(), 5, 12) for r in batch]
    again = [r.offset for batch in reader.read(world.into(), 18, 20) for r in batch]
    nothing = list(reader.read(world.into(), 20, 20))
    reader.close()

    assert records == list(range(5, 12))
    assert again == [18, 19]
    assert nothing == []


def test_reading_many_records_comes_in_batches(world: World) -> None:
    """Whole, in order, and in batches of thousands."""
    producer = world.log.producer()
    for number in range(20_000):
        producer.send(OutRecord(world.inbox, 0, b"k", b"%d" % number))
    producer.flush(30_000)
    producer.close()
    reader = world.log.reader()

    batches = list(reader.read(world.into(), 0, reader.end_offset(world.into())))
    reader.close()

    assert [r.value for batch in batches for r in batch] == [b"%d" % n for n in range(20_000)]


def test_an_offset_that_is_not_there_is_an_error(world: World) -> None:
    """A reader is never moved silently."""
    reader = world.log.reader()

    with pytest.raises(LogError, match="start offset"):
        list(reader.read(world.into(), 50, 60))
    reader.close()


def test_a_tail_begins_at_the_end_of_its_call(world: World) -> None:
    """What was there before is not delivered; what comes right after is."""
    world.send(b"before")
    heard: list[Record] = []

    tail = world.log.tail(world.into(), heard.extend)
    world.send(b"after")
    _wait_for(lambda: len(heard) == 1)
    tail.close()

    assert [record.value for record in heard] == [b"after"]


def test_a_tail_can_begin_earlier(world: World) -> None:
    """At a given offset."""
    world.send(b"0", b"1", b"2")
    heard: list[Record] = []

    tail = world.log.tail(world.into(), heard.extend, offset=1)
    _wait_for(lambda: len(heard) == 2)
    tail.close()

    assert [record.value for record in heard] == [b"1", b"2"]


def test_tails_of_one_topic_do_not_disturb_each_other(world: World) -> None:
    """Other partitions, the same partition from elsewhere, and one that fails or ends."""
    world.send(b"0", b"1")
    first: list[Record] = []
    second: list[Record] = []
    third: list[Record] = []

    def fail(_: Sequence[Record]) -> None:
        raise RuntimeError("as planned")

    tails = [
        world.log.tail(world.into(0), first.extend),
        world.log.tail(world.into(1), second.extend),
        world.log.tail(world.into(0), fail, offset=0),
    ]
    world.send(b"2")
    _wait_for(lambda: len(first) == 1)
    tails.append(world.log.tail(world.into(0), third.extend, offset=0))
    world.send(b"one", partition=1)
    _wait_for(lambda: len(third) == 3 and len(second) == 1)
    tails[3].close()
    world.send(b"3")
    _wait_for(lambda: len(first) == 2)
    for tail in tails:
        tail.close()

    assert [r.value for r in first] == [b"2", b"3"]
    assert [r.value for r in second] == [b"one"]
    assert [r.value for r in third] == [b"0", b"1", b"2"]


def test_a_tail_gives_committed_records_only(world: World) -> None:
    """Of an aborted transaction nothing is heard."""
    owner = world.owner()
    heard: list[Record] = []
    with OtherOwner(world, "dead") as dead:
        tail = world.log.tail(TopicPartition(world.output, 0), heard.extend)
        owner.source.close()
        dead.expect("joined")
        dead.tell("open")
        dead.expect("opened")
    owner.transactor.fence([world.name("dead-0")])
    producer = world.log.producer()
    producer.send(world.out(b"plain"))
    producer.flush(10_000)
    _wait_for(lambda: bool(heard))
    producer.close()
    tail.close()

    assert [record.value for record in heard] == [b"plain"]


def test_a_tail_goes_on_with_what_retention_left(kafka_bootstrap: str, world: World) -> None:
    """As it would have from there on."""
    world.send(b"0", b"1", b"2", b"3")
    admin: Any = AdminClient({"bootstrap.servers": kafka_bootstrap})
    where = ClientPartition(*world.into(), 2)
    for answer in admin.delete_records([where]).values():
        answer.result()
    heard: list[Record] = []

    tail = world.log.tail(world.into(), heard.extend, offset=1)
    _wait_for(lambda: len(heard) == 2)
    tail.close()

    assert [record.value for record in heard] == [b"2", b"3"]


def test_a_tail_hears_its_topic_when_it_was_made_anew(world: World) -> None:
    """At offsets that are long past for it."""
    world.send(*[b"before"] * 5_000)
    heard: list[Record] = []
    tail = world.log.tail(world.into(), heard.extend)

    world.log.delete_topics([world.inbox])
    world.log.create_topics([TopicSpec(name=world.inbox, partitions=2)])

    def hears() -> bool:
        world.send(b"anew")
        return bool(heard)

    _wait_for(hears)
    tail.close()

    assert {record.value for record in heard} == {b"anew"}


def test_a_log_that_closes_ends_its_threads(kafka_bootstrap: str, world: World) -> None:
    """No thread of ours is left behind."""
    log = KafkaLog.connect(kafka_bootstrap)
    log.tail(world.into(), lambda _: None)
    log.delay(600, lambda: None)
    before = {thread for thread in threading.enumerate() if thread.name.startswith("streamflow-")}

    log.close()

    assert any(not thread.is_alive() for thread in before)
    assert len([thread for thread in before if not thread.is_alive()]) == 2
