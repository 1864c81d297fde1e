"""``streamflow worker list|describe`` and ``task-queue list|describe``: the same through a gateway as of the log itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamflow import topology
from streamflow.cli.shared.exits import ExitCode, run
from streamflow.embedded import EmbeddedLog
from streamflow.model.processes import ProcessReport, RestoreReport, StandbyReport
from streamflow.ports import OutRecord
from streamflow.topology.processes import report_record
from tests.unit.cli.through import gateway_on
from tests.unit.embedded.member import Member

INBOX = "default.orders.inbox"


@pytest.fixture(params=["log", "gateway"])
def at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> Iterator[list[str]]:
    """A queue of two partitions that `a` has, and restores the first of; `b` stands by for the second, with 12 to follow."""
    words = ["--address", f"embedded:{tmp_path / 'log'}"]
    made = ["topology", "apply", "-q", "orders", "--partitions", "2", "--dev", *words]
    assert run(made) == ExitCode.OK
    log = EmbeddedLog.open(tmp_path / "log")
    part = RestoreReport(
        partition=0, begin_offset=0, next_offset=25, end_offset=100, elapsed_ms=10_000
    )
    producer = log.producer()
    for report in (
        ProcessReport(queue="orders", instance="a", restoring=(part,)),
        ProcessReport(queue="orders", instance="b", standby=(StandbyReport(partition=1, lag=12),)),
    ):
        producer.send(report_record("default", report))
    for n in range(3):
        producer.send(OutRecord(INBOX, 1, b"order-1", str(n).encode()))
    producer.flush(10_000)
    producer.close()
    group = topology.processor_group("default", "orders")
    member = Member(log, "a", INBOX, group=group)
    member.read(3)
    capsys.readouterr()
    if request.param == "log":
        yield words
    else:
        with gateway_on(tmp_path / "log") as address:
            yield ["--address", address]
    member.source.close()
    log.close()


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert run([*words, "-o", "json"]) == ExitCode.OK
    return json.loads(capsys.readouterr().out)


def test_processes_are_listed_with_what_they_have(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """And described by partitions; nobody has activities."""
    assert shown(capsys, "worker", "list", *at) == [
        {"instance": "a", "queue": "orders", "role": "processor", "partitions": 2, "lag": 3}
    ]
    rows = shown(capsys, "worker", "describe", "a", *at)
    assert [(row["partition"], row["role"], row["lag"]) for row in rows] == [
        (0, "processor", 0),
        (1, "processor", 3),
    ]
    assert run(["worker", "describe", "c", *at]) == ExitCode.NOT_FOUND
    assert "found a" in capsys.readouterr().err


def test_a_queue_is_shown_with_owners_lags_and_restores(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """In the list by sums."""
    [row] = shown(capsys, "task-queue", "list", *at)
    assert (row["queue"], row["processors"], row["workers"], row["lag"]) == ("orders", 1, 0, 3)

    found = shown(capsys, "task-queue", "describe", "orders", *at)
    assert found["topics"][INBOX] == 2
    first, second = (one for one in found["shares"] if one["role"] == "processor")
    assert (first["instance"], first["lag"], second["instance"], second["lag"]) == ("a", 0, "a", 3)
    assert (first["restored_percent"], first["seconds_left"]) == (25, 30)
    assert (second["restored_percent"], second["standbys"]) == (None, {"b": 12})
    assert {one["instance"] for one in found["shares"] if one["role"] == "activities"} == {None}
    assert run(["task-queue", "describe", "nothing", *at]) == ExitCode.NOT_FOUND
