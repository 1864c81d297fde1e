"""Commands in a real terminal: what is drawn and coloured there, and that nothing is elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
from pathlib import Path

import pexpect
import pytest

from streamflow.client import Client
from tests.integration.cli.processes import PATIENCE_S, ROOT, Dev, Shell
from tests.integration.cli.shop import QUEUE, Greet

pytestmark = pytest.mark.timeout(180)

GREEN = "\x1b[32m"


@pytest.fixture
def shell(served: tuple[Shell, Dev]) -> Shell:
    return served[0]


def terminal(shell: Shell, *words: str, **environment: str) -> pexpect.spawn[str]:
    command, *rest = shell.command(*words)
    return pexpect.spawn(
        command,
        rest,
        cwd=str(ROOT),
        env=shell.environment | {"TERM": "xterm"} | environment,
        encoding="utf-8",
        timeout=PATIENCE_S,
        dimensions=(40, 120),
    )


def seen(shell: Shell, *words: str, **environment: str) -> str:
    """All that a terminal shows of a command."""
    running = terminal(shell, *words, **environment)
    running.expect(pexpect.EOF)
    running.close()
    assert isinstance(running.before, str)
    assert running.exitstatus == 0, running.before
    return running.before


@pytest.fixture
def greets(served: tuple[Shell, Dev]) -> Greets:
    return Greets(served[1].address)


class Greets:
    """Workflows of the running dev, started and ended in this process: each command would be a process."""

    def __init__(self, address: str) -> None:
        self._address = address

    def start(self, *workflow_ids: str) -> None:
        async def call() -> None:
            async with await Client.connect(self._address) as client:
                for one in workflow_ids:
                    await client.start_workflow(Greet.run, "Moon", id=one, task_queue=QUEUE)

        asyncio.run(call())

    def finish(self, workflow_id: str) -> None:
        async def call() -> None:
            async with await Client.connect(self._address) as client:
                handle = client.get_workflow_handle_for(Greet.run, workflow_id)
                await handle.signal(Greet.finish)
                await handle.result()

        asyncio.run(call())


def test_a_run_is_drawn_with_colours_on_a_terminal_only(shell: Shell, greets: Greets) -> None:
    """The same lines when piped or under NO_COLOR, without a single escape."""
    greets.start("drawn")
    greets.finish("drawn")
    words = ["workflow", "show", "drawn"]

    on_terminal = seen(shell, *words)
    piped = shell.run(*words).stdout
    without = seen(shell, *words, NO_COLOR="1")

    assert GREEN in on_terminal
    assert re.search(r"▸ compose +completed .*━", piped)
    assert "» finish" in piped
    assert "\x1b" not in piped + without
    facts = json.loads(shell.run(*words, "-o", "json").stdout)
    assert [step["kind"] for step in facts["steps"]] == ["start", "activity", "signal", "end"]
    assert facts["status"] == "completed"


def test_a_followed_run_is_drawn_again_until_it_ends(shell: Shell, greets: Greets) -> None:
    """On a terminal in place; in a pipe each step is a line once it has ended."""
    greets.start("followed")
    following = terminal(shell, "workflow", "show", "followed", "--follow")
    told = shell.start("workflow", "show", "followed", "--follow")
    lines = shell.start("workflow", "show", "followed", "--follow", "-o", "jsonl")
    following.expect("compose")
    told.line_with("compose: completed")

    greets.finish("followed")

    following.expect("Completed")
    following.expect(pexpect.EOF)
    following.close()
    assert following.exitstatus == 0
    assert told.wait() == 0
    assert "finish: received" in told.output
    assert "\x1b" not in told.output
    assert lines.wait() == 0
    assert [json.loads(line)["name"] for line in lines.output.splitlines()] == [
        "Greet",
        "compose",
        "finish",
        "Completed",
    ]


def test_a_followed_list_shows_what_is_new_and_what_has_ended(shell: Shell, greets: Greets) -> None:
    """Until Ctrl-C, in a terminal and in a pipe."""
    greets.start("one")
    query = ["-q", "WorkflowId IN ('one', 'two')"]
    watching = terminal(shell, "workflow", "list", "--follow", *query)
    told = shell.start("workflow", "list", "--follow", "-o", "jsonl", *query)
    watching.expect("running.* one ")
    told.line_with('"one"')

    greets.start("two")
    watching.expect("2 workflows")
    told.line_with('"two"')
    greets.finish("one")
    watching.expect("completed")
    assert json.loads(told.line_with('"one"'))["status"] == "completed"

    watching.sendintr()
    watching.expect(pexpect.EOF)
    watching.close()
    assert watching.exitstatus == 130
    assert told.stop(signal.SIGINT) == 130
    greets.finish("two")


def test_batches_draw_how_far_they_are(shell: Shell, greets: Greets) -> None:
    """A bar on the terminal; the answer on stdout is only the answer."""
    greets.start("batched-1", "batched-2", "batched-3")
    words = ["--query", "WorkflowId STARTS_WITH 'batched-'", "--yes"]

    shown = seen(shell, "batch", "signal", "finish", *words)
    piped = shell.run("batch", "signal", "finish", *words, "-o", "yaml")

    assert "workflows: 3 of 3" in shown
    assert "succeeded" in shown
    assert piped.stderr == ""
    assert "succeeded: " in piped.stdout


def test_a_shell_completes_commands_and_the_names_of_what_is_there(
    shell: Shell, greets: Greets, tmp_path: Path
) -> None:
    """In bash: the group, its command, and the ID of a workflow that was started before."""
    greets.start("completed-by-tab")
    program = tmp_path / "streamflow"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(shell.command())} "$@"\n')
    program.chmod(0o755)
    environment = shell.environment | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TERM": "dumb",
        "PS1": "$ ",
        "INPUTRC": "/dev/null",
    }
    bash = pexpect.spawn(
        "bash", ["--norc", "-i"], env=environment, encoding="utf-8", timeout=PATIENCE_S
    )
    bash.sendline('eval "$(streamflow completion bash)"; echo re""ady')
    bash.expect("ready")

    bash.send("streamflow workf\t")
    bash.expect("streamflow workflow ")
    bash.send("desc\t")
    bash.expect("describe ")
    bash.send("completed-b\t")
    bash.expect("completed-by-tab")
    bash.close(force=True)
