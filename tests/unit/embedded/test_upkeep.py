"""What is removed from an embedded log, and what never is."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamflow.embedded import EmbeddedLog, upkeep
from streamflow.embedded.folder import enter, leave
from streamflow.ports import Committed, OutRecord, TopicPartition
from tests.unit.embedded.member import Member, out, texts, topic

IN = TopicPartition("in", 0)
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds as small as the tests' logs."""
    monkeypatch.setattr(upkeep, "CONSUMED_RECORDS_MAX", 100)
    monkeypatch.setattr(upkeep, "TRIM_RECORDS_MIN", 50)
    monkeypatch.setattr(upkeep, "DIRTY_RECORDS_MIN", 100)
    monkeypatch.setattr(upkeep, "SETTLED_RECORDS", 10)
    monkeypatch.setattr(upkeep, "PAUSE_S", 0.0)


def fill(log: EmbeddedLog, count: int, *, to: str = "in", keys: int = 1, size: int = 10) -> None:
    producer = log.producer()
    for n in range(count):
        producer.send(OutRecord(to, 0, b"%d" % (n % keys), b"%d" % n + b"." * size))
    producer.flush(1000)


def run_upkeep(log: EmbeddedLog, *, after_ms: int = 0) -> None:
    folder = enter(log.path)
    folder.upkeep.run_once(log.clock.now_ms() + after_ms)
    leave(folder)


def stored(log: EmbeddedLog, name: str = "in") -> list[str]:
    """What a new process would find, read from the disk alone."""
    folder = enter(log.path)
    partition = folder.topics.find(TopicPartition(name, 0))
    records, _ = folder.shelf.stored(partition, 0, partition.end, 100_000)
    leave(folder)
    return [text.rstrip(".") for text in texts(records)]


def test_consumed_records_are_trimmed_but_for_the_last(log: EmbeddedLog) -> None:
    """Behind the lowest group position they go; some stay to be looked at, and offsets stay what they are."""
    slow, fast = Member(log, group="slow"), Member(log, group="fast")
    fill(log, 500)
    fast.read(500)
    fast.source.commit({IN: Committed(500)})
    slow.poll()
    slow.source.commit({IN: Committed(300)})
    slow.source.close()

    run_upkeep(log)
    assert stored(log)[0] == "300"
    assert log.reader().start_offset(IN) == 300

    slow = Member(log, group="slow")
    assert len(slow.read(200)) == 200
    slow.source.commit({IN: Committed(500)})
    run_upkeep(log)
    assert stored(log) == [str(n) for n in range(400, 500)]


def test_unread_records_stay(log: EmbeddedLog) -> None:
    """What a source has not yet read, or no group ever consumed, is not trimmed while there is room."""
    fill(log, 500)
    run_upkeep(log)
    assert len(stored(log)) == 500

    Member(log).poll()
    fill(log, 500)
    run_upkeep(log)
    assert "499" in stored(log)


def test_old_records_go_consumed_or_not(log: EmbeddedLog) -> None:
    """Retention by age is the topic's setting, else a week."""
    log.create_topics([topic("short", retention_ms="3600000")])
    fill(log, 20, to="short")
    fill(log, 20)

    run_upkeep(log, after_ms=7_200_000)
    assert (len(stored(log, "short")), len(stored(log))) == (0, 20)

    run_upkeep(log, after_ms=8 * DAY_MS)
    assert stored(log) == []


def test_a_topic_keeps_to_its_bytes(log: EmbeddedLog) -> None:
    """`retention.bytes` bounds what nobody reads."""
    log.create_topics([topic("narrow", retention_bytes="20000")])
    fill(log, 1_000, to="narrow", size=100)

    run_upkeep(log)

    assert 20 < len(stored(log, "narrow")) < 200


def test_offsets_go_on_after_everything_was_trimmed(tmp_path: Path) -> None:
    """An empty partition still knows its end, also after a restart."""
    log = EmbeddedLog.open(tmp_path)
    log.create_topics([topic("in")])
    fill(log, 60)
    run_upkeep(log, after_ms=8 * DAY_MS)
    log.close()

    log = EmbeddedLog.open(tmp_path)
    reader = log.reader()
    assert (reader.start_offset(IN), reader.end_offset(IN)) == (60, 60)
    assert list(reader.read(IN, 60, 60)) == []
    log.producer().send(out("next"))
    assert [r[0].offset for r in reader.read(IN, 60, 61)] == [60]
    log.close()


def test_compaction_keeps_the_last_record_of_each_key(log: EmbeddedLog) -> None:
    """Older ones go, offsets stay, and readers see the same latest values as before."""
    log.create_topics([topic("history", cleanup_policy="compact")])
    fill(log, 1_000, to="history", keys=7)
    fill(log, 200, to="history", keys=100)

    run_upkeep(log)

    kept = stored(log, "history")
    assert len(kept) < 130
    last = {record.key: record.value for record in _everything(log, "history")}
    expected = {b"%d" % (n % 100): n for n in range(200)}
    assert {k: int((v or b"").rstrip(b".")) for k, v in last.items()} == expected


def test_tombstones_go_when_they_are_old(log: EmbeddedLog) -> None:
    """A deleted key's tombstone outlives its records by `delete.retention.ms`, then goes as well."""
    log.create_topics([topic("history", cleanup_policy="compact", delete_retention_ms="1000")])
    fill(log, 100, to="history", keys=100)
    for n in range(50):
        log.producer().send(OutRecord("history", 0, b"%d" % n, None))
    fill(log, 10, to="history", keys=1)
    run_upkeep(log)
    assert stored(log, "history").count("-") == 50

    fill(log, 120, to="history", keys=1)
    run_upkeep(log, after_ms=5_000)
    assert stored(log, "history").count("-") == 0


def test_compaction_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    """What was looked at is remembered, so a restart does not begin anew."""
    log = EmbeddedLog.open(tmp_path)
    log.create_topics([topic("history", cleanup_policy="compact")])
    fill(log, 500, to="history", keys=5)
    run_upkeep(log)
    log.close()

    log = EmbeddedLog.open(tmp_path)
    folder = enter(log.path)
    partition = folder.topics.find(TopicPartition("history", 0))
    assert (partition.cleaned, partition.kept, partition.end) == (490, 5, 500)
    leave(folder)
    log.close()


def _everything(log: EmbeddedLog, name: str) -> list[OutRecord]:
    reader, partition = log.reader(), TopicPartition(name, 0)
    return [
        OutRecord(r.topic, r.partition, r.key, r.value)
        for records in reader.read(partition, 0, reader.end_offset(partition))
        for r in records
    ]
