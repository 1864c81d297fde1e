"""What an embedded log still knows after it was closed and opened again, and who may open it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streamflow.embedded import EmbeddedLog
from streamflow.ports import Committed, Fatal, StoreTaken, TopicPartition
from tests.unit.embedded.member import Member, out, texts, topic

IN = TopicPartition("in", 0)

HOLD = """
import sys
from streamflow.embedded import EmbeddedLog
log = EmbeddedLog.open(sys.argv[1])
log.announce("http://127.0.0.1:8233")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    """Topics with their settings, records with their offsets, and positions with their metadata."""
    log = EmbeddedLog.open(tmp_path)
    log.create_topics([topic("in", 2, retention_ms="5"), topic("out")])
    for n in range(3):
        log.producer().send(out(f"m{n}"))
    member = Member(log)
    assert member.read(3) == ["m0", "m1", "m2"]
    member.source.commit({IN: Committed(2, "two done")})
    log.close()

    log = EmbeddedLog.open(tmp_path)
    assert log.topics()["in"].config == {"retention.ms": "5"}
    assert set(log.topics()) == {"in", "out"}
    member = Member(log)
    assert member.read(1) == ["m2"]
    assert member.source.committed([IN]) == {IN: Committed(2, "two done")}
    log.producer().send(out("m3"))
    assert member.read(1) == ["m3"]
    assert [texts(r) for r in log.reader().read(IN, 0, 4)][-1][-1] == "m3"
    log.close()


def test_deleted_topics_stay_deleted(tmp_path: Path) -> None:
    """With their records and positions; a topic of the name made after a restart begins empty, and nobody has read it."""
    log = EmbeddedLog.open(tmp_path)
    log.create_topics([topic("out"), topic("in")])
    log.producer().send(out("m0"))
    log.producer().send(out("kept", to="out"))
    member = Member(log)
    assert member.read(1) == ["m0"]
    member.source.commit({IN: Committed(1)})
    member.source.close()

    log.delete_topics(["in", "never"])
    assert set(log.topics()) == {"out"}
    assert log.positions("g", [IN]) == {IN: None}
    log.close()

    log = EmbeddedLog.open(tmp_path)
    assert set(log.topics()) == {"out"}
    log.create_topics([topic("in")])
    assert log.positions("g", [IN]) == {IN: None}
    assert log.reader().end_offset(IN) == 0
    assert Member(log).poll() == []
    log.producer().send(out("m1"))
    assert [texts(r) for r in log.reader().read(IN, 0, 1)] == [["m1"]]
    assert [texts(r) for r in log.reader().read(TopicPartition("out", 0), 0, 1)] == [["kept"]]
    log.close()


def test_what_is_written_of_a_deleted_topic_is_in_no_other(tmp_path: Path) -> None:
    """A late record of one who still held the partition never appears in the next topic that is made."""
    log = EmbeddedLog.open(tmp_path)
    log.create_topics([topic("in")])
    folder = log._folder
    held = folder.topics.find(IN)
    log.delete_topics(["in"])
    with folder.journal.lock:
        folder.journal.append(held, b"k", b"late", (), 1)
    folder.journal.settle()
    log.close()

    log = EmbeddedLog.open(tmp_path)
    log.create_topics([topic("in")])
    assert log.reader().end_offset(IN) == 0
    log.close()


def test_one_process_shares_a_folder_until_its_last_connection_closes(tmp_path: Path) -> None:
    """Connections see each other's records; closing one ends neither the other nor the folder."""
    first, second = EmbeddedLog.open(tmp_path), EmbeddedLog.open(tmp_path / "." / "x" / "..")
    first.create_topics([topic("in")])
    member = Member(second)
    first.producer().send(out("m0"))
    first.close()
    first.close()

    assert member.read(1) == ["m0"]
    second.producer().send(out("m1"))
    assert member.read(1) == ["m1"]
    second.close()


def test_another_process_is_told_where_to_go(tmp_path: Path) -> None:
    """It gets `StoreTaken` with the owner's pid and HTTP address; when the owner is killed, the log is free."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreTaken, match=rf"{holder.pid} at http://127.0.0.1:8233"):
            EmbeddedLog.open(tmp_path)
        holder.kill()

    EmbeddedLog.open(tmp_path).close()


def test_no_thread_outlives_its_log(tmp_path: Path) -> None:
    """Closing ends every thread that opening, delays and tails have started."""
    before = set(threading.enumerate())
    log = EmbeddedLog.open(tmp_path)
    log.create_topics([topic("in")])
    log.delay(60, lambda: None)
    log.tail(IN, lambda _: None)

    log.close()

    assert set(threading.enumerate()) == before


def test_a_closed_log_takes_nothing(tmp_path: Path) -> None:
    """A producer that outlives its log is told, instead of appending to nowhere."""
    log = EmbeddedLog.open(tmp_path)
    log.create_topics([topic("in")])
    producer = log.producer()
    producer.send(out("before"))
    log.close()

    with pytest.raises(Fatal, match="closed"):
        producer.send(out("behind"))


def test_a_damaged_log_is_refused(tmp_path: Path) -> None:
    """What cannot be rebuilt from anything is not opened as if it were empty; and the folder is free afterwards."""
    log = EmbeddedLog.open(tmp_path)
    log.close()
    current = tmp_path / "log" / "CURRENT"
    kept = current.read_bytes()
    current.write_bytes(b"nonsense\n")

    with pytest.raises(Fatal, match=os.fspath(tmp_path)):
        EmbeddedLog.open(tmp_path)

    current.write_bytes(kept)
    EmbeddedLog.open(tmp_path).close()
