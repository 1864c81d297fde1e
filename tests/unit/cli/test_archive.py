"""`streamflow archive`: what is in an archive, and getting it out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamflow.cli.shared.exits import ExitCode, run
from streamflow.objects import FolderObjects
from streamflow.wire.archive import archive_name
from tests.unit.cli.test_cli import history


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """Two runs of w."""
    objects = FolderObjects(tmp_path / "kept")
    for number, run_id in enumerate(("r1", "r2")):
        name = archive_name("default", "w", 1_780_000_000_000 + number, run_id)
        objects.put(name, json.dumps(history() | {"run_id": run_id}).encode())
    return str(tmp_path / "kept")


def test_archived_runs_are_listed_the_latest_first(
    archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["archive", "list", "w", "--archive", archive, "-o", "json"]) == ExitCode.OK
    assert [row["run_id"] for row in json.loads(capsys.readouterr().out)] == ["r2", "r1"]

    assert run(["archive", "list", "nobody", "--archive", archive]) == ExitCode.OK
    assert "No run is archived" in capsys.readouterr().out


def test_a_run_comes_out_as_it_went_in(
    archive: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The latest, or the one that is named; printed, or as a file."""
    monkeypatch.setenv("STREAMFLOW_ARCHIVE", archive)
    file = tmp_path / "w.json"

    assert run(["archive", "get", "w"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["run_id"] == "r2"
    assert run(["archive", "get", "w", "--run-id", "r1", "--file", str(file)]) == ExitCode.OK
    assert json.loads(file.read_text())["run_id"] == "r1"


def test_what_is_missing_is_said(archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The run, or where to look."""
    assert run(["archive", "get", "w", "--run-id", "r9", "--archive", archive]) == (
        ExitCode.NOT_FOUND
    )
    assert "Expected run r9 of w in the archive" in capsys.readouterr().err
    assert run(["archive", "list", "w"]) == ExitCode.USAGE
    assert "STREAMFLOW_ARCHIVE" in capsys.readouterr().err
    assert run(["archive", "list", "w", "--archive", "gs://b"]) == ExitCode.USAGE
