"""`streamflow init` makes a project that passes its own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamflow.cli.shared.exits import ExitCode, run

ROOT = Path(__file__).resolve().parents[3]


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_project_passes_its_tests_and_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the linter's, and ours for form."""
    folder = tmp_path / "my-shop"
    assert run(["init", str(folder)]) == ExitCode.OK
    assert "streamflow dev my_shop.app:app" in capsys.readouterr().out

    tests = _run(folder, "-m", "pytest", "-q", "-W", "error", "-p", "no:asyncio")
    assert tests.returncode == 0, tests.stdout
    assert "3 passed" in tests.stdout
    check = _run(folder, "-m", "streamflow", "check", "my_shop")
    assert check.returncode == 0, check.stdout
    form = _run(
        folder, "-m", "ruff", "check", "--select", "E,F,W,I,B,UP", "--line-length", "120", "."
    )
    assert form.returncode == 0, form.stdout
    for file in folder.rglob("*.*"):
        if file.is_file() and file.suffix != ".pyc":
            assert "$" not in file.read_text(), file


def test_what_is_there_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not one file is written when one is in the way."""
    (tmp_path / "README.md").write_text("mine")

    assert run(["init", str(tmp_path), "--name", "shop"]) == ExitCode.USAGE

    assert "README.md" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["My_Shop", "class", "streamflow", "1st", "tests", "a/b"])
def test_a_name_that_is_no_package_is_refused(name: str, tmp_path: Path) -> None:
    """Before anything is written."""
    assert run(["init", str(tmp_path / "here"), "--name", name]) == ExitCode.USAGE
    assert not (tmp_path / "here").exists()
