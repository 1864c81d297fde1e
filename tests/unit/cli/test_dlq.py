"""``streamflow dlq``: listed, shown, re-driven, put away; of the log itself, and through a gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamflow.cli.shared.exits import ExitCode, run
from streamflow.embedded import EmbeddedLog
from streamflow.ports import Record, TopicPartition
from streamflow.topology import partition_for
from streamflow.wire.inbox import dead_letter
from tests.unit.cli.through import gateway_on

INBOX = "default.orders.inbox"
SIGNAL = json.dumps({"type": "signal", "signal": "paid", "args": [1]}).encode()


@pytest.fixture(params=["log", "gateway"])
def at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> Iterator[list[str]]:
    """An embedded log whose dead letters are one that can be re-driven, and one of bytes; or a gateway on it."""
    words = ["--address", f"embedded:{tmp_path / 'log'}"]
    assert run(["topology", "apply", "-q", "orders", "--dev", *words]) == ExitCode.OK
    log = EmbeddedLog.open(tmp_path / "log")
    try:
        producer = log.producer()
        for key, value, stage in (
            (b"order-1", SIGNAL, "address"),
            (b"order-2", b"\xff\x00", "VALUE_CONVERTER"),
        ):
            producer.send(
                dead_letter(
                    Record(INBOX, 0, 5, key, value, (("shop", b"north"),), 0),
                    topic="default.dead-letters",
                    stage=stage,
                    message=f"About {key!r}: " + "m" * 100,
                )
            )
        producer.flush(10_000)
        producer.close()
    finally:
        log.close()
    capsys.readouterr()
    if request.param == "log":
        yield words
        return
    with gateway_on(tmp_path / "log") as address:
        yield ["--address", address]


def listed(at: list[str], capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["dlq", "list", "-o", "json", *words, *at]) == ExitCode.OK
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_letters_are_listed_newest_first(at: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert {row["id"] for row in listed(at, capsys)} == {"0/0", "0/1"}
    [one] = listed(at, capsys, "--reason", "address", "-q", "orders", "--since", "1h")
    assert (one["id"], one["workflow_id"], one["state"]) == ("0/0", "order-1", "open")
    assert one["from"] == f"{INBOX}/0/5"
    assert listed(at, capsys, "--since", "2199-01-01T00:00Z") == []
    assert len(listed(at, capsys, "--limit", "1")) == 1

    assert run(["dlq", "list", *at]) == ExitCode.OK
    table = capsys.readouterr().out
    assert "2 of 2 letters" in table
    assert "mmm..." in table
    assert run(["dlq", "list", "-w", "nobody", *at]) == ExitCode.OK
    assert "There is no such letter." in capsys.readouterr().out


def test_a_letter_is_shown_with_what_to_do(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dlq", "show", "0/0", *at]) == ExitCode.OK
    told = capsys.readouterr().out
    assert '"signal": "paid"' in told
    assert "SignalWorkflow" in told
    assert "streamflow dlq redrive 0/0" in told

    assert run(["dlq", "show", "0/1", "-o", "json", *at]) == ExitCode.OK
    shown = json.loads(capsys.readouterr().out)
    assert shown["value"] == "hex:ff00"
    assert shown["headers"]["shop"] == "north"
    assert shown["reads_as"] is None
    assert "docs/inbox.md" in shown["advice"]

    assert run(["dlq", "show", "0/7", *at]) == ExitCode.NOT_FOUND
    assert run(["dlq", "show", "first", *at]) == ExitCode.USAGE
    assert run(["dlq", "list", "-n", "nowhere", *at]) == ExitCode.NOT_FOUND


def test_a_letter_is_redriven_once(
    at: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that could not be makes the exit code 1; a dry run sends nothing."""
    assert run(["dlq", "redrive", "0/0", "--dry-run", *at]) == ExitCode.OK
    assert "1 would be re-driven, 0 not." in capsys.readouterr().out
    assert _inbox(tmp_path) == []

    assert run(["dlq", "redrive", "--all", *at]) == ExitCode.FAILED
    told = capsys.readouterr().out
    assert "1 re-driven, 1 not." in told
    assert "letter again" in told
    [sent] = _inbox(tmp_path)
    assert (sent.key, sent.value) == (b"order-1", SIGNAL)
    assert dict(sent.headers) == {
        "shop": b"north",
        "sf-redriven": b"0/0",
        "sf-message-id": f"{INBOX}/0/5".encode(),
    }

    assert [row["id"] for row in listed(at, capsys)] == ["0/1"]
    assert run(["dlq", "redrive", "0/0", *at]) == ExitCode.FAILED
    assert len(_inbox(tmp_path)) == 1
    assert run(["dlq", "redrive", "0/0", "--again", "-o", "json", *at]) == ExitCode.OK
    assert len(_inbox(tmp_path)) == 2


def test_letters_are_put_away(at: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dlq", "purge", "--all", "--reason", "unreadable", "--dry-run", *at]) == ExitCode.OK
    assert "1 would be put away." in capsys.readouterr().out
    assert len(listed(at, capsys)) == 2

    assert run(["dlq", "purge", "0/1", *at]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "1 put away." in told
    assert "default.dead-letters/0 below offset 0" in told
    [discarded] = listed(at, capsys, "--state", "discarded")
    assert discarded["id"] == "0/1"

    assert run(["dlq", "purge", "--all", "-o", "json", *at]) == ExitCode.OK
    purged = json.loads(capsys.readouterr().out)
    assert purged["discarded"] == ["0/0"]
    assert listed(at, capsys) == []


@pytest.mark.parametrize(
    "words",
    [
        ["redrive"],
        ["redrive", "0/0", "--all"],
        ["redrive", "first"],
        ["purge"],
        ["redrive", "0/0", "--reason", "address"],
        ["list", "--since", "yesterday"],
        ["list", "--limit", "0"],
    ],
    ids=" ".join,
)
def test_used_wrongly_it_says_how(
    at: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dlq", *words, *at]) == ExitCode.USAGE
    assert "Expected" in capsys.readouterr().err


def test_one_that_is_missing_among_several_stops_all(
    at: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dlq", "redrive", "0/0", "0/9", *at]) == ExitCode.NOT_FOUND
    assert "0/9" in capsys.readouterr().err
    assert _inbox(tmp_path) == []


def test_more_letters_than_a_request_names_are_sent(
    at: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each once; and one that is missing among the last of them stops all."""
    monkeypatch.setattr("streamflow.client.http.api_v1_letters.IDS_MAX", 1)
    monkeypatch.setattr("streamflow.client.http.api_v1_letters.PAGE_MAX", 1)

    assert run(["dlq", "redrive", "0/0", "0/9", *at]) == ExitCode.NOT_FOUND
    assert _inbox(tmp_path) == []
    assert {row["id"] for row in listed(at, capsys)} == {"0/0", "0/1"}
    assert run(["dlq", "redrive", "--all", *at]) == ExitCode.FAILED
    assert "1 re-driven, 1 not." in capsys.readouterr().out
    assert run(["dlq", "purge", "0/0", "0/1", "-o", "json", *at]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["discarded"] == ["0/1"]


def _inbox(tmp_path: Path) -> list[Record]:
    """What is on the home partition of `order-1`."""
    log = EmbeddedLog.open(tmp_path / "log")
    try:
        reader = log.reader()
        place = TopicPartition(INBOX, partition_for("order-1", 12))
        found = [
            record for batch in reader.read(place, 0, reader.end_offset(place)) for record in batch
        ]
        reader.close()
        return found
    finally:
        log.close()
