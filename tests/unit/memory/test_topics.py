"""What a partition shows, refuses, compacts and forgets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.memory.clock import VirtualClock
from streamflow.memory.log import MemoryLog
from streamflow.ports import (
    Committed,
    LogError,
    OutRecord,
    RecordRefused,
    TopicMissing,
    TopicPartition,
    TopicSpec,
)
from tests.unit.memory.stage import OUT, P0, join, new_broker, record, values

entries = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["v", "w", ""])), max_size=30)


def test_records_carry_the_time_of_their_append() -> None:
    """LogAppendTime, on the broker's clock."""
    clock = VirtualClock(1_000)
    broker = new_broker(clock=clock)
    broker.append(record("a"))
    clock.advance(5)
    broker.append(record("b"))

    assert [(r.offset, r.timestamp_ms) for r in broker.records("inbox")] == [(0, 1_000), (1, 1_005)]


@pytest.mark.parametrize(
    "bad",
    [
        record("x", topic="typo"),
        record("x", partition=7),
        record("x" * 2_000_000),
        OutRecord("compacted", 0, None, b"x"),
    ],
)
def test_a_record_that_kafka_would_not_take_is_refused(bad: OutRecord) -> None:
    """Unknown topic or partition, too large, no key where keys are needed."""
    broker = new_broker()
    broker.create_topic(
        TopicSpec(name="compacted", partitions=1, config={"cleanup.policy": "compact"})
    )

    with pytest.raises(RecordRefused) as refused:
        broker.append(bad)

    assert refused.value.record is bad


def test_a_partition_that_does_not_exist_is_named() -> None:
    """Reading it is an error that says so."""
    with pytest.raises(TopicMissing) as missing:
        new_broker().partition(TopicPartition("nowhere", 0))

    assert missing.value.topics == ("nowhere",)


@given(entries)
def test_compaction_keeps_the_last_value_of_each_key_at_its_offset(
    written: list[tuple[str, str]],
) -> None:
    """Folding a compacted log gives what folding the whole log gives; the end does not move."""
    broker = new_broker()
    for key, value in written:
        broker.append(OutRecord("inbox", 0, key.encode(), value.encode() or None))
    before = {r.key: (r.offset, r.value) for r in broker.records("inbox")}

    broker.compact("inbox")

    assert {r.key: (r.offset, r.value) for r in broker.records("inbox")} == before
    assert len(broker.records("inbox")) == len(before)
    assert broker.partition(P0).end == len(written)
    assert broker.partition(P0).read(0, 100)[1] == len(written)


def test_tombstones_go_once_their_retention_is_over() -> None:
    """Until then a reader behind still learns of the deletion."""
    clock = VirtualClock()
    broker = new_broker(clock=clock)
    broker.append(record("v"))
    broker.append(OutRecord("inbox", 0, b"k", None))

    broker.compact("inbox")
    assert [r.value for r in broker.records("inbox")] == [None]

    clock.advance(86_400_001)
    broker.compact("inbox")
    assert broker.records("inbox") == []


def test_retention_drops_from_the_front_and_says_so_to_who_is_behind() -> None:
    """An offset before the start is an error, never a silent reset."""
    clock = VirtualClock()
    broker = new_broker(clock=clock)
    broker.alter_topics({"inbox": {"retention.ms": "1000"}})
    broker.append(record("old"))
    clock.advance(2_000)
    broker.append(record("new"))

    broker.expire("inbox")

    assert values(broker.records("inbox")) == ["new"]
    with pytest.raises(LogError, match="from 1 to 2, found 0"):
        broker.partition(P0).read(0, 10)


def test_creating_a_topic_again_changes_nothing() -> None:
    """Existing ones are left alone."""
    broker = new_broker(partitions=2)
    broker.append(record("kept", topic="out"))

    broker.create_topic(TopicSpec(name="out", partitions=9))

    assert broker.topics()["out"].partitions == 2
    assert broker.partition(OUT).end == 1


def test_deleted_topics_are_gone_with_their_positions() -> None:
    """Who still reads one loses its partitions; a topic of the name is a new one, and missing ones are left alone."""
    broker = new_broker()
    log = MemoryLog(broker)
    source, reading = join(log, "a")
    source.poll(10, 0)
    source.commit({P0: Committed(0)})
    broker.append(record("old"))

    log.delete_topics(["inbox", "never"])
    source.poll(10, 0)

    assert set(broker.topics()) == {"out"}
    assert [what for what, _ in reading.told] == ["assigned", "revoked"]
    assert log.positions("g", [P0]) == {P0: None}
    broker.create_topic(TopicSpec(name="inbox", partitions=1))
    assert broker.records("inbox") == []
