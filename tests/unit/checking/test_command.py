"""`streamflow check` on files, folders and modules."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from streamflow.checking import CODES, Unreadable, check_paths
from streamflow.cli.shared.exits import ExitCode, run

BAD = """
import time
from streamflow import workflow

@workflow.defn
class W:
    @workflow.run
    async def run(self):
        return time.time()
"""
ROOT = Path(__file__).resolve().parents[3]


def test_findings_are_one_line_each_and_exit_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "bad.py").write_text(BAD)
    (tmp_path / "fine.py").write_text("import time\ntime.time()\n")

    assert run(["check", str(tmp_path)]) == ExitCode.FAILED
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(
        f"{tmp_path}/deep/bad.py:9:16: SF001 calls time.time(); use workflow.now()"
    )


def test_json_is_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.py"
    file.write_text(BAD)

    assert run(["check", str(file), "-o", "json"]) == ExitCode.FAILED
    [finding] = json.loads(capsys.readouterr().out)
    assert (finding["code"], finding["line"], finding["path"]) == ("SF001", 9, str(file))


def test_nothing_found_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """As for the examples of this project, and by a module's name."""
    assert run(["check", str(ROOT / "examples"), "streamflow.workflow"]) == ExitCode.OK
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "targets", [[], ["no/such/file.py"], ["no_such_module_at_all"]], ids=["none", "file", "module"]
)
def test_what_is_not_there_is_used_wrongly(
    targets: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", *targets]) == ExitCode.USAGE
    assert "Expected" in capsys.readouterr().err


def test_what_is_no_python_is_said_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("x = 1\ndef (:\n")

    with pytest.raises(Unreadable, match=r"broken\.py, found at line 2"):
        check_paths([file])


def test_every_code_is_documented() -> None:
    """With what it is about, and nothing else is."""
    rows = re.findall(r"^\| `(SF\d{3})` \|", (ROOT / "docs" / "check.md").read_text(), re.MULTILINE)

    assert rows == list(CODES)
