"""``streamflow doctor``: what it prints, and with which code it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamflow.cli.shared.exits import ExitCode, run
from streamflow.embedded import EmbeddedLog
from streamflow.ports import OutRecord
from streamflow.wire.header import SF


@pytest.fixture
def at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    words = ["--address", f"embedded:{tmp_path / 'log'}"]
    assert run(["topology", "apply", "-q", "orders", "--dev", *words]) == ExitCode.OK
    capsys.readouterr()
    return words


def test_where_nothing_is_wrong_it_says_what_was_looked_at(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--verify", *at]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "No problem was found." in told
    assert "0 records are sound" in told
    assert "librdkafka" in told

    assert run(["doctor", "-q", "orders", "-o", "json", *at]) == ExitCode.OK
    facts = json.loads(capsys.readouterr().out)
    assert {finding["severity"] for finding in facts["findings"]} <= {"ok", "note"}
    assert facts["verified"] == []


def test_a_problem_is_told_with_its_command_and_is_a_failure(
    at: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = EmbeddedLog.open(tmp_path / "log")
    producer = log.producer()
    producer.send(OutRecord("default.orders.history", 3, b"whoever", b"v", ((SF, b"short"),)))
    producer.flush(10_000)
    producer.close()
    log.alter_topics({"default.orders.inbox": {"cleanup.policy": "compact"}})
    log.close()

    assert run(["doctor", *at]) == ExitCode.FAILED
    told = capsys.readouterr().out
    assert "PROBLEM  default.orders.inbox: Expected cleanup.policy=delete, found compact" in told
    assert "-> kafka-configs.sh" in told
    assert "1 problems." in told

    assert run(["doctor", "--verify", "-o", "json", *at]) == ExitCode.FAILED
    [verified] = json.loads(capsys.readouterr().out)["verified"]
    assert "default.orders.history/3 offset 0" in verified["problems"][0]
    assert run(["doctor", "--verify", "--partition", "2", "-o", "json", *at]) == ExitCode.FAILED
    assert json.loads(capsys.readouterr().out)["verified"][0]["problems"] == []


def test_used_wrongly_it_says_how(at: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--partition", "1", *at]) == ExitCode.USAGE
    assert run(["doctor", "--verify", "--partition", "12", *at]) == ExitCode.USAGE
    assert "from 0 to 11" in capsys.readouterr().err
    assert run(["doctor", "-q", "nowhere", *at]) == ExitCode.NOT_FOUND
    assert "streamflow topology apply --queue nowhere" in capsys.readouterr().err
