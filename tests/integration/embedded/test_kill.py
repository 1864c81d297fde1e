"""An embedded log under `kill -9`: what was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streamflow.embedded import EmbeddedLog
from streamflow.embedded.folder import enter, leave
from streamflow.ports import Committed, TopicPartition
from tests.integration.embedded.writer import GROUP, IN, OUTS

KILLS = 25
SEED = 20_260
ALIVE_S_MAX = 0.25


@pytest.mark.timeout(300)
def test_no_kill_loses_or_tears_a_transaction(tmp_path: Path) -> None:
    """After each of many kills at random moments: every acknowledged transaction and record is in the log, each
    transaction is in all its partitions and in the group's position or nowhere, and nothing is there twice."""
    moments = random.Random(SEED)
    committed = sent = -1
    for turn in range(KILLS):
        lines = _run_and_kill(tmp_path, moments.uniform(0, ALIVE_S_MAX))
        committed = max([committed, *_numbers(lines, "committed")])
        sent = max([sent, *_numbers(lines, "sent")])

        _verify(tmp_path, committed, sent, turn)
    assert committed > KILLS, "the writer was killed before it did anything worth testing"


def _run_and_kill(folder: Path, alive_s: float) -> list[str]:
    """Lets the writer work for a while after its first commit, kills it, and returns what it said."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.embedded.writer", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    with writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        killer = threading.Timer(alive_s, writer.kill)
        killer.start()
        lines = writer.stdout.read().split("\n")
        killer.join()
    assert writer.returncode == -signal.SIGKILL, first
    # The last line may have been cut.
    return [first.rstrip("\n"), *lines[:-1]]


def _numbers(lines: list[str], what: str) -> list[int]:
    return [int(line.split()[1]) for line in lines if line.startswith(what)]


def _verify(folder: Path, committed: int, sent: int, turn: int) -> None:
    log = EmbeddedLog.open(folder)
    reader = log.reader()
    ends = {at: reader.end_offset(at) for at in OUTS}
    last = ends[OUTS[0]] - 1

    assert last >= committed, (turn, "an acknowledged transaction is lost")
    assert set(ends.values()) == {last + 1}, (turn, ends, "a transaction is torn")
    assert _position(folder) == Committed(last + 1, f"after {last}"), (turn, last)
    assert reader.end_offset(IN) > max(sent, last), (turn, "an acknowledged record is lost")
    for at in (IN, *OUTS):
        assert _values(log, at) == list(range(reader.end_offset(at))), (turn, at)
    log.close()


def _position(folder: Path) -> Committed | None:
    opened = enter(folder)
    position = opened.group(GROUP).positions.stable([IN])[IN]
    leave(opened)
    return position


def _values(log: EmbeddedLog, at: TopicPartition) -> list[int]:
    reader = log.reader()
    return [
        int((record.value or b"").rstrip(b"."))
        for records in reader.read(at, 0, reader.end_offset(at))
        for record in records
    ]
