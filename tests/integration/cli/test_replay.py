"""`streamflow replay` under pdb, in a terminal: a history that was downloaded is looked into line by line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pexpect
import pytest

from streamflow.client import Client
from tests.integration.cli.processes import PATIENCE_S, ROOT, SHOP, Shell
from tests.integration.cli.shop import QUEUE, Greet

SOURCE = Path(__file__).with_name("shop.py")
PROMPT = r"\(Pdb\) "


@pytest.fixture(scope="module")
def downloaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, Path]]:
    """The history of a finished Greet, as `streamflow workflow history` writes it; the dev has gone."""
    home = tmp_path_factory.mktemp("replay")
    shell, file = Shell(home), home / "greet.json"
    try:
        dev = shell.dev(home / "data")
        asyncio.run(_greet(dev.address))
        saved = shell.run("workflow", "history", "greet", "--file", str(file))
        assert saved.returncode == 0, saved.stderr
        assert dev.running.stop() == 0
        yield shell, file
    finally:
        shell.close()


async def _greet(address: str) -> None:
    async with await Client.connect(address) as client:
        handle = await client.start_workflow(
            Greet.run,
            "Moon",
            id="greet",
            task_queue=QUEUE,
            start_signal="note",
            start_signal_args=["flowers", 2],
        )
        await handle.signal(Greet.finish)
        assert await handle.result() == "Hello, Moon!"


def _terminal(shell: Shell, words: list[str]) -> pexpect.spawn[str]:
    return pexpect.spawn(
        sys.executable,
        words,
        cwd=str(ROOT),
        env=shell.environment | {"TERM": "dumb"},
        encoding="utf-8",
        timeout=PATIENCE_S,
        dimensions=(50, 200),
    )


def _say(terminal: pexpect.spawn[str], command: str) -> str:
    """What pdb prints in answer to a command, up to its next prompt."""
    terminal.sendline(command)
    terminal.expect(PROMPT)
    assert isinstance(terminal.before, str)
    return terminal.before


def _line_of(text: str) -> int:
    lines = SOURCE.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_pdb_breaks_in_workflow_code_prints_steps_and_goes_on(
    downloaded: tuple[Shell, Path],
) -> None:
    """Under `python -m pdb` a breakpoint in the workflow's file stops there, with the values of that very run."""
    shell, file = downloaded
    line = _line_of("marks = len(greeting)")
    terminal = _terminal(shell, ["-m", "pdb", "-m", "streamflow", "replay", str(file), SHOP])

    terminal.expect(PROMPT)
    assert f"shop.py:{line}" in _say(terminal, f"break {SOURCE}:{line}")
    assert "marks = len(greeting) * 2" in _say(terminal, "continue")
    assert "'Hello, Moon'" in _say(terminal, "print(repr(greeting))")
    assert "['flowers (2)']" in _say(terminal, "print(self.notes)")
    assert "await workflow.wait_condition" in _say(terminal, "next")
    assert "22" in _say(terminal, "print(marks)")
    assert "waiting.py" in _say(terminal, "step")  # into the library's own wait_condition
    assert "shop.py" in _say(terminal, "up")
    _say(terminal, "clear 1")
    ended = _say(terminal, "continue")
    assert "Replayed" in ended
    assert "to its end (WorkflowCompleted)" in ended
    terminal.sendline("quit")
    terminal.close(force=True)


def test_a_breakpoint_in_the_code_opens_the_debugger(
    downloaded: tuple[Shell, Path], tmp_path: Path
) -> None:
    """`breakpoint()` put into the workflow works without further ado; the run is the recorded one."""
    shell, file = downloaded
    text = SOURCE.read_text().replace("marks = len", "breakpoint(); marks = len")
    (tmp_path / "edited_shop.py").write_text(text)
    shell.environment["PYTHONPATH"] = str(tmp_path)
    terminal = _terminal(shell, ["-m", "streamflow", "replay", str(file), "edited_shop:app"])

    terminal.expect(PROMPT)
    assert "'Hello, Moon'" in _say(terminal, "p greeting")
    terminal.sendline("continue")
    terminal.expect("to its end")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_a_changed_workflow_is_shown_to_differ(
    downloaded: tuple[Shell, Path], tmp_path: Path
) -> None:
    """Code that asks for another activity than the history says exits with 1 and names both sides."""
    shell, file = downloaded
    text = SOURCE.read_text().replace(
        "execute_activity(compose, name", 'execute_activity("other", name'
    )
    (tmp_path / "changed_shop.py").write_text(text)

    done = shell.run("replay", str(file), "changed_shop:app", PYTHONPATH=str(tmp_path))

    assert done.returncode == 1
    assert "'compose'" in done.stderr
    assert "'other'" in done.stderr
    assert "changed_shop.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_history_is_stepped_through_in_a_browser(downloaded: tuple[Shell, Path]) -> None:
    """`--web` serves the steps on this machine alone, until it is told to stop."""
    shell, file = downloaded
    serving = shell.start("replay", str(file), SHOP, "--web")
    address = serving.line_with("Steps of greet at ").split()[4]

    first = httpx.get(f"{address}?step=1", timeout=PATIENCE_S).text

    assert address.startswith("http://127.0.0.1:")
    assert "workflow_started" in first
    assert "Greet.run" in first
    assert serving.stop() == 0


def test_a_step_is_shown_in_the_terminal(downloaded: tuple[Shell, Path]) -> None:
    """What the code holds after it, without a debugger."""
    shell, file = downloaded

    done = shell.run("replay", str(file), SHOP, "--step", "-1", "--locals")

    assert done.returncode == 0, done.stderr
    assert "notes = ['flowers (2)']" in done.stdout
