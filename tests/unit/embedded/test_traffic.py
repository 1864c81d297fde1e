"""What goes in comes out: producers, sources, transactions, tails and readers of an embedded log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

import pytest

from streamflow.embedded import EmbeddedLog
from streamflow.ports import (
    Committed,
    LogError,
    OutRecord,
    Record,
    RecordRefused,
    TopicMissing,
    TopicPartition,
    TopicState,
)
from tests.unit.embedded.member import Member, out, texts, topic

IN, OUT = TopicPartition("in", 0), TopicPartition("out", 0)


def into(queue: SimpleQueue[str]) -> Callable[[Sequence[Record]], None]:
    def deliver(records: Sequence[Record]) -> None:
        for text in texts(records):
            queue.put(text)

    return deliver


def test_a_source_reads_what_a_producer_sent_at_once_and_in_order(log: EmbeddedLog) -> None:
    """A producer's records are there for the next poll, without any wait for the disk."""
    member, producer = Member(log), log.producer()
    member.poll()

    for n in range(5):
        producer.send(out(f"m{n}"))

    assert member.poll() == ["m0", "m1", "m2", "m3", "m4"]


def test_a_record_comes_out_as_it_went_in(log: EmbeddedLog) -> None:
    """Key, value, headers, offset and time of append, from memory as from the disk."""
    before_ms = log.clock.now_ms()
    log.producer().send(OutRecord("in", 0, None, b"\x00\xff", (("sf", b"h"), ("sf", b""))))
    log.producer().send(OutRecord("in", 0, b"k", None))

    [records] = list(log.reader().read(IN, 0, 2))

    assert [(r.offset, r.key, r.value, r.headers) for r in records] == [
        (0, None, b"\x00\xff", (("sf", b"h"), ("sf", b""))),
        (1, b"k", None, ()),
    ]
    assert before_ms <= records[0].timestamp_ms <= log.clock.now_ms()


def test_done_is_told_once_durable(log: EmbeddedLog) -> None:
    """The callback comes without anybody flushing, and says that all is well."""
    told: SimpleQueue[LogError | None] = SimpleQueue()

    log.producer().send(out("m"), told.put)

    assert told.get(timeout=5) is None


def test_what_the_log_cannot_take_is_refused(log: EmbeddedLog) -> None:
    """No such topic or partition, or too large: the record comes back with the error."""
    log.create_topics([topic("history", cleanup_policy="compact")])
    producer = log.producer()
    for record in (
        out("m", to="nowhere"),
        out("m", partition=1),
        OutRecord("in", 0, b"k", b"x" * 1_048_600),
        OutRecord("history", 0, None, b"no key"),
    ):
        with pytest.raises(RecordRefused) as refused:
            producer.send(record)
        assert refused.value.record is record


def test_a_waiting_poll_ends_when_a_record_comes(log: EmbeddedLog) -> None:
    """Another thread's record ends the wait long before its time is over."""
    member = Member(log)
    member.poll()
    sender = threading.Timer(0.05, lambda: log.producer().send(out("m")))
    sender.start()

    assert member.poll(wait_ms=60_000) == ["m"]


def test_wake_ends_a_waiting_poll_and_is_not_lost(log: EmbeddedLog) -> None:
    """A wake during the wait ends it; a wake before the poll ends the next one."""
    member = Member(log)
    member.poll()
    threading.Timer(0.05, member.source.wake).start()
    assert member.poll(wait_ms=60_000) == []

    member.source.wake()
    assert member.poll(wait_ms=60_000) == []


def test_a_commit_appends_and_moves_the_position_together(log: EmbeddedLog) -> None:
    """After a commit returns its records are readable, and its offsets are the group's."""
    member, transactor = Member(log), log.transactor("t")
    transactor.open()
    member.poll()

    transactor.commit(
        [out("a", to="out"), out("b", to="out")], {IN: Committed(7, "why")}, member.source
    )

    assert [texts(r) for r in log.reader().read(OUT, 0, 2)] == [["a", "b"]]
    assert member.source.committed([IN]) == {IN: Committed(7, "why")}


def test_a_refused_commit_leaves_nothing(log: EmbeddedLog) -> None:
    """One bad record and none of the others was appended, nor the position moved."""
    member, transactor = Member(log), log.transactor("t")
    transactor.open()
    member.poll()

    with pytest.raises(RecordRefused):
        transactor.commit([out("a", to="out"), out("b", to="nowhere")], member.at(1), member.source)

    assert log.reader().end_offset(OUT) == 0
    assert member.source.committed([IN]) == {IN: None}


def test_a_tail_begins_at_the_end_as_of_its_call(log: EmbeddedLog) -> None:
    """What was there before is not delivered; what comes next is, in order."""
    producer = log.producer()
    producer.send(out("old"))
    delivered: SimpleQueue[str] = SimpleQueue()

    tail = log.tail(IN, into(delivered))
    producer.send(out("new"))
    producer.send(out("newer"))

    assert [delivered.get(timeout=5), delivered.get(timeout=5)] == ["new", "newer"]
    tail.close()


def test_a_closed_tail_is_silent(log: EmbeddedLog) -> None:
    """Nothing is delivered after close."""
    delivered: list[str] = []
    tail = log.tail(IN, lambda records: delivered.extend(texts(records)))

    tail.close()
    log.producer().send(out("m"))
    log.producer().flush(1000)

    assert delivered == []


def test_a_tail_from_the_past_delivers_everything_once_and_never_concurrently(
    log: EmbeddedLog,
) -> None:
    """Old records come from the disk while new ones are sent; together they are each record once, in order."""
    producer = log.producer()
    for n in range(3_000):
        producer.send(out(str(n)))
    seen: list[str] = []
    running = threading.Lock()
    complete = threading.Event()

    def deliver(records: Sequence[Record]) -> None:
        assert running.acquire(blocking=False)
        seen.extend(texts(records))
        running.release()
        if len(seen) >= 6_000:
            complete.set()

    log.tail(IN, deliver, offset=0)
    for n in range(3_000, 6_000):
        producer.send(out(str(n)))

    assert complete.wait(10)
    assert seen == [str(n) for n in range(6_000)]


def test_a_failing_subscriber_hurts_nobody_else(log: EmbeddedLog) -> None:
    """An exception of a callback is logged; commits go on, and so do other tails."""
    delivered: SimpleQueue[str] = SimpleQueue()

    def fail(_: object) -> None:
        raise ValueError("not yours")

    log.tail(IN, fail)
    log.tail(IN, into(delivered))
    log.producer().send(out("m"), fail)

    assert delivered.get(timeout=5) == "m"


def test_records_that_left_memory_are_read_from_disk(log: EmbeddedLog) -> None:
    """A source far behind misses nothing and gets nothing twice."""
    producer = log.producer()
    for n in range(10_000):
        producer.send(out(str(n)))
    producer.flush(1000)

    assert Member(log).read(10_000) == [str(n) for n in range(10_000)]


def test_paused_partitions_wait(log: EmbeddedLog) -> None:
    """Nothing of a paused partition is delivered until it is resumed."""
    member = Member(log)
    member.poll()
    member.source.pause([IN])
    log.producer().send(out("m"))

    assert member.poll() == []
    member.source.resume([IN])
    assert member.poll() == ["m"]


def test_a_busy_partition_starves_no_other(log: EmbeddedLog) -> None:
    """Small polls go round the partitions."""
    log.create_topics([topic("many", 3)])
    for n in range(30):
        log.producer().send(out(f"0-{n}", to="many"))
    log.producer().send(out("1", to="many", partition=1))
    member = Member(log, "a", "many")

    assert "1" in [*texts(member.source.poll(10, 0)), *texts(member.source.poll(10, 0))]


def test_reading_outside_the_log_is_an_error(log: EmbeddedLog) -> None:
    """An offset that the partition does not have is never silently another one."""
    member = Member(log)
    member.poll()

    with pytest.raises(LogError, match="from 0 to 0"):
        member.source.start_reading({IN: 5})


def test_missing_topics_are_named(log: EmbeddedLog) -> None:
    """A source of an unknown topic, and a partition beyond the last, are refused."""
    with pytest.raises(TopicMissing) as missing:
        Member(log, "a", "in", "gone")
    assert missing.value.topics == ("gone",)
    with pytest.raises(TopicMissing):
        log.reader().end_offset(TopicPartition("in", 1))


def test_creating_a_topic_again_changes_nothing(log: EmbeddedLog) -> None:
    """Existing topics are left alone, records and settings included."""
    log.producer().send(out("m"))
    log.create_topics([topic("in", 9, retention_ms="1")])

    assert log.topics()["in"].partitions == 1
    assert log.reader().end_offset(IN) == 1


def test_settings_can_be_changed(log: EmbeddedLog) -> None:
    """An altered setting is described, beside those it does not touch."""
    log.create_topics([topic("t", retention_ms="1")])
    log.alter_topics({"t": {"cleanup.policy": "compact"}})

    assert log.describe_topics(["t", "gone"]) == {
        "t": topic_state("t", {"retention.ms": "1", "cleanup.policy": "compact"})
    }


def topic_state(name: str, config: dict[str, str]) -> TopicState:
    return TopicState(name=name, partitions=1, config=config)
