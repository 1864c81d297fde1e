"""`streamflow dev` while it restores for longer than a moment: a bar in a terminal, only events elsewhere."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from streamflow.embedded import EmbeddedLog
from streamflow.ports import OutRecord
from streamflow.topology import ensure_queue, history_topic
from tests.integration.cli.processes import PATIENCE_S, ROOT, Shell
from tests.integration.cli.shop import QUEUE
from tests.integration.cli.slow_shop import GATE

pytestmark = pytest.mark.timeout(180)

SLOW = "tests.integration.cli.slow_shop:app"
BAR = re.compile(r"░+  restoring greetings: 0 of 40\b")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A log with 40 records to be restored from: somebody else's, so that each is read and none is kept."""
    log = EmbeddedLog.open(tmp_path / "data")
    ensure_queue(log, "default", QUEUE, kind="workflow", partitions=2, create=True)
    producer = log.producer()
    for number in range(40):
        producer.send(OutRecord(history_topic("default", QUEUE), number % 2, b"key", b"value"))
    producer.flush(10_000)
    producer.close()
    log.close()
    return tmp_path / "data"


@pytest.fixture
def gate(shell: Shell, tmp_path: Path) -> Iterator[Path]:
    """Restores wait until this file is there."""
    gate = tmp_path / "gate"
    shell.environment[GATE] = str(gate)
    yield gate
    gate.touch()


def test_a_terminal_sees_a_bar_until_all_is_restored(shell: Shell, data: Path, gate: Path) -> None:
    command, *words = shell.command("dev", SLOW, "--data", str(data), "--port", "0")
    dev = pexpect.spawn(
        command,
        words,
        cwd=str(ROOT),
        env=shell.environment | {"TERM": "xterm"},
        encoding="utf-8",
        timeout=PATIENCE_S,
        dimensions=(40, 120),
    )
    dev.expect(BAR)

    gate.touch()

    for _ in range(2):
        dev.expect("\x1b\\[2K[^\r]*partition_restored")  # above the line, which was erased for it
    dev.sendintr()
    dev.expect(pexpect.EOF)
    dev.close()
    assert dev.exitstatus == 0
    assert isinstance(dev.before, str)
    _, erase, after = dev.before.rpartition("\x1b[2K")
    assert erase
    assert "restoring" not in after


def test_a_pipe_gets_events_alone(shell: Shell, data: Path, gate: Path) -> None:
    dev = shell.start("dev", SLOW, "--data", str(data), "--port", "0")
    dev.line_with("worker_started")

    gate.touch()

    for _ in range(2):
        dev.line_with("partition_restored")
    assert dev.stop(signal.SIGINT) == 0
    assert "restoring greetings" not in dev.output
    assert "\x1b" not in dev.output
