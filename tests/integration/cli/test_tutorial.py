"""docs/tutorial.md, followed to the letter: its files are written, its commands run, and what they print is what it says.

A fence with a title is a file; with `replace` it is a function of a file that is there already. In a `console` fence, lines
that begin with `$` are commands, and those below what they print, where `...` stands for anything.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.processes import PATIENCE_S, ROOT, Running, Shell

pytestmark = pytest.mark.timeout(600)  # some twenty processes, each of which starts Python

TUTORIAL = ROOT / "docs" / "tutorial.md"
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody who does what the page says, in a folder of their own."""

    def __init__(self, folder: Path, shell: Shell) -> None:
        self.folder = folder
        self.shell = shell
        programs = folder / ".programs"
        programs.mkdir()
        for name, words in (("streamflow", "-m streamflow"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
            (programs / name).chmod(0o755)
        self.environment = shell.environment | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        self.dev: Running | None = None
        self.commands = 0

    def follow(self, text: str) -> None:
        for language, about, body in FENCE.findall(text):
            title = re.search(r'title="([^"]+)"', about)
            replaced = re.search(r'replace="([^"]+)"', about)
            if title and replaced:
                self.replace(title[1], replaced[1], body)
            elif title:
                (self.folder / title[1]).write_text(body)
            elif language == "console":
                for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                    command, _, expected = part.partition("\n")
                    self.run(command, expected)

    def replace(self, name: str, function: str, body: str) -> None:
        """Puts this in the place of a function, with the decorator above it."""
        file = self.folder / name
        changed, count = re.subn(
            rf"^@[\w.]+\nasync def {function}\(.*?\n(?=\n\n)",
            lambda _: body,
            file.read_text(),
            flags=re.MULTILINE | re.DOTALL,
        )
        assert count == 1, function
        file.write_text(changed)

    def run(self, command: str, expected: str) -> None:
        self.commands += 1
        if command.startswith("streamflow dev"):
            self.restart(command, expected)
            return
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        printed = done.stdout + done.stderr
        assert _pattern(expected).fullmatch(printed), (command, expected, printed)

    def restart(self, command: str, expected: str) -> None:
        """As rudely as the page says. Another port each time, for others may run on this machine."""
        if self.dev is not None:
            self.dev.stop(signal.SIGKILL)
        self.dev = self.shell.start(*command.split()[1:], "--port", "0", cwd=self.folder)
        for line in expected.splitlines():
            assert _pattern(line).fullmatch(self.dev.line_with(line.split("...")[0]).rstrip("\n"))


def _pattern(expected: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in expected.split("...")), re.DOTALL)


def test_the_tutorial_does_what_it_says(shell: Shell, tmp_path: Path) -> None:
    """From the first file to the last command."""
    folder = tmp_path / "shop"
    folder.mkdir()
    reader = Reader(folder, shell)

    reader.follow(TUTORIAL.read_text())

    assert reader.commands >= 15
    assert {path.name for path in folder.glob("*.*")} >= {"shop.py", "test_shop.py", "order-1.json"}
