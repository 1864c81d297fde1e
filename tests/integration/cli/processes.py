"""Commands as a shell runs them: processes of their own, with nothing of this machine's settings."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import psutil

ROOT = Path(__file__).resolve().parents[3]
SHOP = "tests.integration.cli.shop:app"
PATIENCE_S = 60.0
STOPPED_AFTER_S = 75.0
"""A parent of several processes kills those that have not stopped after a minute."""


class Shell:
    """Runs ``streamflow ...`` in an environment of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("STREAMFLOW_")
        }
        self.environment |= {
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
        }
        self._running: list[Running] = []

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "streamflow", *words]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The command's outcome, once it has ended."""
        return subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def start(self, *words: str, cwd: Path = ROOT) -> Running:
        """The command, running until the test's end at the latest."""
        environment = self.environment
        if cwd != ROOT:
            environment = environment | {"PYTHONPATH": str(ROOT)}
        running = Running(self.command(*words), environment, cwd)
        self._running.append(running)
        return running

    def dev(self, data: Path, *words: str) -> Dev:
        """A ``streamflow dev`` that has said where it is."""
        return Dev(self.start("dev", SHOP, "--data", str(data), "--port", "0", *words))

    def close(self) -> None:
        for running in self._running:
            running.kill()


class Running:
    """A command under way. What it prints, on either stream, is read as it comes."""

    def __init__(self, command: list[str], environment: dict[str, str], cwd: Path = ROOT) -> None:
        # Signals to it must not reach the test, nor those of a terminal reach it.
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.printed: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._lines.put(line)
        self._lines.put(None)

    def line_with(self, text: str) -> str:
        """The next line that has ``text``; fails the test if the command ends without it."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {text!r} in time:\n{self.output}") from None
            assert line is not None, f"ended without {text!r}:\n{self.output}"
            self.printed.append(line)
            if text in line:
                return line

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tells it to stop, and gives its exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(timeout=STOPPED_AFTER_S)
        self._read_to_its_end()
        while (line := self._lines.get()) is not None:
            self.printed.append(line)
        return code

    def kill(self) -> None:
        """Ends it and all that it started: whatever lived on would keep the output open, which is read to its end."""
        if self.process.poll() is None:
            started = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            for child in started:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        self.process.wait()
        self._read_to_its_end()

    def _read_to_its_end(self) -> None:
        self._reader.join(timeout=PATIENCE_S)
        assert not self._reader.is_alive(), "it has ended, and something that it started has not"

    @property
    def output(self) -> str:
        return "".join(self.printed)


class Dev:
    def __init__(self, running: Running) -> None:
        self.running = running
        self.address = running.line_with("streamflow dev at").split()[3]
        running.line_with("queue")
