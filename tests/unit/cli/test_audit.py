"""``streamflow audit list``, of the log itself and through a gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamflow.audit import AuditTopic
from streamflow.cli.shared.exits import ExitCode, run
from streamflow.embedded import EmbeddedLog
from streamflow.model.audit import AuditEntry
from tests.unit.cli.through import gateway_on

ENTRIES = (
    AuditEntry(
        who="user:ada@shop.example",
        role="operator",
        action="SignalWorkflow",
        outcome="done",
        workflow_id="order-1",
        details={"signal_name": "paid"},
    ),
    AuditEntry(
        who="token:ci",
        action="TerminateWorkflow",
        outcome="failed: permission_denied",
        workflow_id="order-2",
    ),
)


@pytest.fixture(params=["log", "gateway"])
def at(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """A log with both entries, or a gateway on it."""

    async def write(log: EmbeddedLog) -> None:
        topic = AuditTopic(log, "default", creates=True)
        for entry in ENTRIES:
            await topic.write(entry, wait=True)
        await topic.close()

    log = EmbeddedLog.open(tmp_path / "log")
    asyncio.run(write(log))
    log.close()
    if request.param == "log":
        yield ["--address", f"embedded:{tmp_path / 'log'}"]
        return
    with gateway_on(tmp_path / "log") as address:
        yield ["--address", address]


def test_entries_are_listed_newest_first(at: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Narrowed by who, by workflow and by time; whole for programs."""

    def listed(*words: str) -> list[dict[str, object]]:
        assert run(["audit", "list", "-o", "json", *words, *at]) == ExitCode.OK
        rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
        return rows

    assert [row["workflow_id"] for row in listed()] == ["order-2", "order-1"]
    [one] = listed("--user", "ada", "--since", "1h")
    assert (one["role"], one["outcome"], one["details"]) == (
        "operator",
        "done",
        {"signal_name": "paid"},
    )
    assert listed("--workflow-id", "order-1") == [one]
    assert listed("--action", "CancelWorkflow") == []
    assert len(listed("--limit", "1")) == 1


def test_a_table_says_whether_there_are_older_ones(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "list", "--limit", "1", *at]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "1 entries, and older ones" in said
    assert "TerminateWorkflow" in said
    assert run(["audit", "list", "--user", "nobody", *at]) == ExitCode.OK
    assert "There is no such entry." in capsys.readouterr().out


def test_a_page_that_is_full_is_followed_by_the_next(
    at: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a gateway, whose pages are bounded."""
    monkeypatch.setattr("streamflow.client.http.api_v1_audit.PAGE_MAX", 1)
    assert run(["audit", "list", "-o", "json", *at]) == ExitCode.OK
    rows = json.loads(capsys.readouterr().out)
    assert [row["workflow_id"] for row in rows] == ["order-2", "order-1"]


def test_what_is_not_there_and_what_is_no_number_exit_with_their_codes(
    tmp_path: Path, at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bare = ["--address", f"embedded:{tmp_path / 'other'}"]
    assert run(["audit", "list", *bare]) == ExitCode.NOT_FOUND
    assert "streamflow topology apply" in capsys.readouterr().err
    assert run(["audit", "list", "--limit", "0", *at]) == ExitCode.USAGE
