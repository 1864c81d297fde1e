"""``streamflow task-queue describe``: what processors report is beside what their group knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamflow.cli.shared.exits import ExitCode, run
from streamflow.embedded import EmbeddedLog
from streamflow.model.processes import ProcessReport, StandbyReport
from streamflow.topology.processes import report_record


def test_a_queue_names_who_stands_by(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nobody restores what nobody has."""
    at = ["--address", f"embedded:{tmp_path / 'log'}"]
    words = ["topology", "apply", "-q", "orders", "--partitions", "2", "--dev", *at]
    assert run(words) == ExitCode.OK
    log = EmbeddedLog.open(tmp_path / "log")
    follows = (StandbyReport(partition=1, lag=12),)
    producer = log.producer()
    producer.send(
        report_record("default", ProcessReport(queue="orders", instance="b", standby=follows))
    )
    producer.flush(10_000)
    producer.close()
    log.close()
    capsys.readouterr()

    assert run(["task-queue", "describe", "orders", "-o", "json", *at]) == ExitCode.OK

    shares = json.loads(capsys.readouterr().out)["shares"]
    processors = [one for one in shares if one["role"] == "processor"]
    assert [one["standbys"] for one in processors] == [{}, {"b": 12}]
    assert [one["restored_percent"] for one in processors] == [None, None]
