"""`streamflow workflow ...` as processes, against a running dev: what they print and how they exit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.processes import Dev, Shell
from tests.integration.cli.shop import QUEUE

pytestmark = pytest.mark.timeout(240)  # dozens of processes, each of which starts Python


@pytest.fixture
def shell(served: tuple[Shell, Dev]) -> Shell:
    return served[0]


def _json(shell: Shell, *words: str, code: int = 0) -> Any:
    done = shell.run("workflow", *words)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def _silent(shell: Shell, *words: str) -> None:
    done = shell.run("workflow", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _start(shell: Shell, *words: str) -> dict[str, Any]:
    started: dict[str, Any] = _json(shell, "start", *words, "-q", QUEUE, "-o", "json")
    return started


def test_a_workflow_is_driven_to_its_end_by_commands(shell: Shell, tmp_path: Path) -> None:
    """Start, signal, query, describe, result and history, each in a process of its own."""
    started = _start(shell, "Greet", "--id", "w", "-i", '"Moon"')
    assert started["workflow_id"] == "w"
    assert started["queue"] == QUEUE

    _silent(shell, "signal", "w", "note", "-i", '"flowers"', "-i", "-3")
    assert _json(shell, "query", "w", "at", "-i", "0") == "flowers (-3)"
    stack = shell.run("workflow", "stack", "w").stdout
    assert "shop.py" in stack
    assert "wait_condition" in stack
    described = _json(shell, "describe", "w", "-o", "json")
    assert described["status"] == "running"
    assert described["run_id"] == started["run_id"]
    assert described["type"] == "Greet"

    _silent(shell, "signal", "w", "finish", "--run-id", started["run_id"])
    assert _json(shell, "result", "w", "-o", "json") == "Hello, Moon!"
    assert _json(shell, "describe", "w", "-o", "json")["status"] == "completed"
    assert _json(shell, "query", "w", "state")["finished"] is True

    history = _json(shell, "history", "w", "-o", "json")
    assert history["format"] == "streamflow-history/1"
    saved = shell.run("workflow", "history", "w", "--file", str(tmp_path / "w.json"))
    assert saved.returncode == 0
    assert json.loads((tmp_path / "w.json").read_text()) == history
    table = shell.run("workflow", "history", "w").stdout.splitlines()
    assert len(table) == len(history["events"])
    assert "workflow_started" in table[0]
    assert "Greet" in table[0]


def test_starting_may_wait_for_the_result(shell: Shell) -> None:
    """One command does both, after its delay."""
    words = ["start", "Sleeper", "-i", "0.1", "-q", QUEUE, "--wait", "--start-delay", "0.1"]

    assert _json(shell, *words, "-o", "json") == "awake"


def test_a_signal_may_come_with_the_start(shell: Shell) -> None:
    """To the run that is open, or to the one that it makes."""
    words = ["Greet", "--id", "with", "-i", '"Moon"', "--signal", "note", "--signal-input"]
    first = _start(shell, *words, '"flowers"', "--signal-input", "-3")
    second = _start(shell, *words, '"wine"', "--signal-input", "2")

    assert first["run_id"] == second["run_id"]
    assert _json(shell, "query", "with", "state")["notes"] == ["flowers (-3)", "wine (2)"]
    refused = shell.run("workflow", "start", *words[:5], "-q", QUEUE, "--signal-input", "1")
    assert refused.returncode == 2
    _silent(shell, "terminate", "with")


def test_ids_are_kept_shared_or_taken_over_as_asked(shell: Shell) -> None:
    """The conflict policy decides about an open run, the reuse policy about a closed one."""
    first = _start(shell, "Greet", "--id", "same", "-i", '"Moon"')
    refused = shell.run("workflow", "start", "Greet", "--id", "same", "-i", '"Sun"', "-q", QUEUE)
    shared = _start(shell, "Greet", "--id", "same", "-i", '"Sun"', "--id-conflict", "use-existing")
    other = _start(
        shell, "Greet", "--id", "same", "-i", '"Sun"', "--id-conflict", "terminate-existing"
    )

    assert refused.returncode == 1
    assert first["run_id"] in refused.stderr
    assert shared["run_id"] == first["run_id"] != other["run_id"]
    _silent(shell, "terminate", "same")
    words = ["start", "Greet", "--id", "same", "-i", '"Sun"', "-q", QUEUE]
    again = shell.run("workflow", *words, "--id-reuse", "reject-duplicate")
    assert again.returncode == 1
    _start(shell, "Greet", "--id", "same", "-i", '"Sun"')
    _silent(shell, "terminate", "same")


def test_a_failed_workflow_exits_with_1_and_says_why(shell: Shell) -> None:
    """The chain of causes is printed, for people on stderr, for programs as JSON."""
    failed = shell.run("workflow", "start", "Refused", "-q", QUEUE, "--id", "refused", "--wait")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "ApplicationError: no card" in failed.stderr

    chain = _json(shell, "result", "refused", "-o", "json", code=1)["failed"]
    assert chain[-1] == "ApplicationError: no card"
    assert _json(shell, "describe", "refused", "-o", "json")["status"] == "failed"


def test_cancelled_and_terminated_workflows_say_so(shell: Shell) -> None:
    """Both have failed for who waits for the result."""
    for command in ("cancel", "terminate"):
        _start(shell, "Sleeper", "--id", command, "-i", "1000")
        _silent(shell, command, command, "--reason", "enough")
        chain = _json(shell, "result", command, "-o", "json", code=1)["failed"]
        assert chain[0].startswith({"cancel": "Cancelled", "terminate": "Terminated"}[command])


def test_a_pending_activity_is_shown(shell: Shell) -> None:
    """A row for people, an object for programs: attempt, last failure, next try."""
    _start(shell, "Stubborn", "--id", "stubborn")
    pending: dict[str, Any] = {}
    described: dict[str, Any] = {}
    while not pending.get("last_failure"):
        described = _json(shell, "describe", "stubborn", "-o", "json")
        [pending] = described["pending_activities"]

    assert pending["activity"] == "fail_for_ever"
    assert "not yet" in pending["last_failure"]
    assert pending["attempt"] >= 1
    [failed] = described["failed_attempts"]
    assert failed["attempt"].startswith("1")
    assert "not yet" in failed["failure"]
    shown = shell.run("workflow", "describe", "stubborn").stdout
    assert "fail_for_ever" in shown
    assert re.search(r"Failed attempts\n.*attempt.*\n +1 +1.* not yet", shown)
    query = ["--query", "WorkflowId = 'stubborn' AND MaxAttempt > 1"]
    rows: list[dict[str, Any]] = []
    while not rows:
        rows = _json(shell, "list", *query, "-o", "json")
    [row] = rows
    assert (row["status"], row["state"]) == ("running", "retrying")
    assert "not yet" in row["error"]
    assert re.search(
        r"retrying +Stubborn +stubborn .*not yet", shell.run("workflow", "list", *query).stdout
    )
    _silent(shell, "terminate", "stubborn")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["describe", "nobody"], 3, "nobody"),
        (["describe", "nobody", "--queue", "no-such-queue"], 3, "no-such-queue"),
        (["describe", "nobody", "--namespace", "other"], 3, "other"),
        (["query", "open", "moon"], 1, "moon"),
        (["query", "open", "at", "-i", "99"], 1, "IndexError"),
        (["result", "open", "--timeout", "0.2"], 4, ""),
        (["describe", "open", "--address", "http://127.0.0.1:9"], 5, "127.0.0.1:9"),
        (["describe", "open", "--moon"], 2, "--moon"),
        (["describe", "open", "-o", "xml"], 2, "xml"),
    ],
)
def test_every_mistake_has_its_exit_code(
    shell: Shell, words: list[str], code: int, said: str
) -> None:
    """Not found is 3, no answer 4, nobody there 5, used wrongly 2, and the rest 1; each one line without a stack."""
    _start(shell, "Greet", "--id", "open", "-i", '"Moon"', "--id-conflict", "use-existing")

    done = shell.run("workflow", *words)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert done.stderr.startswith("streamflow: ")
    assert "Traceback" not in done.stderr


def test_addresses_come_from_the_option_the_environment_the_profile_or_the_running_dev(
    served: tuple[Shell, Dev], tmp_path: Path
) -> None:
    """Each of them beats the next; what is chosen is seen by whom the error names."""
    shell, dev = served
    (tmp_path / "streamflow").mkdir()
    profiles = f'[profile.default]\naddress = "{dev.address}"\n[profile.far]\naddress = "http://127.0.0.1:13"\n'
    (tmp_path / "streamflow" / "streamflow.toml").write_text(profiles)
    nowhere = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "none")}
    with_profile = {**nowhere, "XDG_CONFIG_HOME": str(tmp_path)}
    missing = ["workflow", "describe", "nobody", "-q", QUEUE]

    def code_and_words(*words: str, **environment: str) -> tuple[int, str]:
        done = shell.run(*missing, *words, **environment)
        return done.returncode, done.stderr

    assert code_and_words()[0] == 3  # the running dev knows nobody of that name
    code, said = code_and_words(**nowhere)
    assert code == 5
    assert "STREAMFLOW_ADDRESS" in said
    assert code_and_words(**with_profile)[0] == 3
    code, said = code_and_words("--profile", "far", **with_profile)
    assert code == 5
    assert ":13" in said
    code, said = code_and_words(**with_profile, STREAMFLOW_ADDRESS="http://127.0.0.1:17")
    assert code == 5
    assert ":17" in said
    code, said = code_and_words(
        "--address", dev.address, **with_profile, STREAMFLOW_ADDRESS="http://127.0.0.1:17"
    )
    assert code == 3
