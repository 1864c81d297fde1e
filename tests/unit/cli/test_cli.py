"""The command line: what it prints, how it exits, and that a user's mistake is one line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from streamflow import activity, workflow
from streamflow.app import App
from streamflow.cli.processes.worker import _without
from streamflow.cli.shared import dev_file
from streamflow.cli.shared.arguments import parse_inputs
from streamflow.cli.shared.exits import ExitCode, run


@activity.defn
async def charge() -> None: ...


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}"


app = App("greetings", workflows=[Greet])
both = [app, App("payments", activities=[charge])]
nothing = 5
HERE = f"{__name__}:app"


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own settings reaches a test."""
    for name in list(os.environ):
        if name.startswith("STREAMFLOW_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def history(result: str = "workflow_completed", workflow_type: str = "Greet") -> dict[str, object]:
    payload = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "Ik1vb24i"}
    return {
        "format": "streamflow-history/1",
        "workflow_id": "w",
        "run_id": "r",
        "events": [
            {
                "seq": 1,
                "step": 0,
                "time_ms": 1_780_000_000_000,
                "type": "workflow_started",
                "event": {
                    "workflow_type": workflow_type,
                    "queue": "greetings",
                    "first_run_id": "r",
                    "args": [payload],
                },
            },
            {
                "seq": 2,
                "step": 1,
                "time_ms": 1_780_000_000_001,
                "type": "activated",
                "event": {"inputs": [1], "now_ms": 1_780_000_000_001, "seed": 7},
            },
            {
                "seq": 3,
                "step": 1,
                "time_ms": 1_780_000_000_001,
                "type": result,
                "event": {"op": 1, "fire_at_ms": 0, "duration_ms": 0},
            },
        ],
    }


# -- usage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["moon"], ExitCode.USAGE, "moon"),
        (["workflow", "start", "Greet"], ExitCode.USAGE, "queue"),
        (["workflow", "result", "w"], ExitCode.UNREACHABLE, "STREAMFLOW_ADDRESS"),
        (["workflow", "result", "w", "--address", "moon"], ExitCode.USAGE, "Expected a target"),
        (["workflow", "result", "w", "--profile", "moon"], ExitCode.USAGE, "Profile 'moon'"),
        (["workflow", "describe", "w", "--address", "memory:cli"], ExitCode.NOT_FOUND, "queue"),
        (
            ["workflow", "describe", "w", "--address", "http://127.0.0.1:9", "--timeout", "0.1"],
            ExitCode.UNREACHABLE,
            "streamflow dev",
        ),
        (["workflow", "start", "G", "-q", "q", "-i", "{"], ExitCode.USAGE, "Expected JSON"),
        (["workflow", "start", "G", "-q", "q", "-i", "@none"], ExitCode.USAGE, "none"),
        (["dev"], ExitCode.USAGE, "MODULE:APP"),
        (["dev", "nothing"], ExitCode.USAGE, "MODULE:APP"),
        (["dev", "no_such_module:app"], ExitCode.USAGE, "no_such_module"),
        (["dev", f"{__name__}:moon"], ExitCode.USAGE, "found app"),
        (["dev", f"{__name__}:nothing"], ExitCode.USAGE, "found int"),
        (["worker", HERE], ExitCode.UNREACHABLE, "--kafka"),
        (["worker", HERE, "--kafka", "moon"], ExitCode.USAGE, "Expected a target"),
        (["worker", HERE, "--processes", "0"], ExitCode.USAGE, "processes"),
        (["replay", "none.json", HERE], ExitCode.USAGE, "none.json"),
        (["topology", "apply"], ExitCode.UNREACHABLE, "--kafka"),
        (["topology", "plan", "-n", "Bad Name"], ExitCode.USAGE, "Bad Name"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(
    argv: list[str], code: ExitCode, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Expected user errors say what to do, on stderr, without a stack."""
    assert run(argv) == code

    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.startswith("streamflow: ")
    assert "Traceback" not in captured.err + captured.out


def test_a_missing_import_inside_the_users_module_keeps_its_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module was found; what it lacks is its author's to see."""
    (tmp_path / "broken_app.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        run(["dev", "broken_app:app"])


# -- workflow -----------------------------------------------------------------------------------------------------


def test_a_start_prints_what_it_started(capsys: pytest.CaptureFixture[str]) -> None:
    """With `-o json` a program reads the workflow's ID; a run that nobody serves yet has no ID."""
    argv = ["workflow", "start", "Greet", "-q", "q", "--id", "w", "-i", '"Moon"', "-o", "json"]

    assert run([*argv, "--address", "memory:cli-start"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == {
        "workflow_id": "w",
        "run_id": None,
        "queue": "q",
    }


def test_arguments_are_json_or_files(tmp_path: Path) -> None:
    """Each `--input` is one argument."""
    (tmp_path / "order.json").write_text('{"id": 1}')

    assert parse_inputs(["1", '"text"', "null", f"@{tmp_path}/order.json"]) == [
        1,
        "text",
        None,
        {"id": 1},
    ]


def test_an_argument_may_begin_with_a_hyphen(capsys: pytest.CaptureFixture[str]) -> None:
    """A negative number is an argument, not an option."""
    argv = ["workflow", "start", "Count", "-q", "q", "-i", "-5", "--address", "memory:cli-minus"]

    assert run(argv) == ExitCode.OK


# -- the running dev ----------------------------------------------------------------------------------------------


def test_a_running_dev_is_found_as_long_as_it_runs() -> None:
    """The file of a process that has gone does not count, and a later dev's file is left alone."""
    mine = dev_file.RunningDev(
        pid=os.getpid(), address="http://127.0.0.1:1", namespaces=("default",), data="/d"
    )
    dev_file.write(mine)
    assert dev_file.read() == mine

    gone = dev_file.RunningDev(pid=2**22 + 1, address="x", namespaces=(), data="/d")
    dev_file.write(gone)
    assert dev_file.read() is None

    dev_file.write(mine)
    dev_file.remove(gone)
    assert dev_file.read() == mine
    dev_file.remove(mine)
    assert dev_file.read() is None


def test_commands_speak_to_the_running_dev(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an address the running dev's is used: here nobody listens there, and the message names it."""
    dev_file.write(
        dev_file.RunningDev(
            pid=os.getpid(), address="http://127.0.0.1:9", namespaces=("default",), data="/d"
        )
    )

    code = run(["workflow", "describe", "w"])

    assert code == ExitCode.UNREACHABLE
    assert "http://127.0.0.1:9" in capsys.readouterr().err


# -- replay -------------------------------------------------------------------------------------------------------


def test_a_history_that_fits_the_code_is_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The outcome says how far the history goes."""
    file = tmp_path / "h.json"
    file.write_text(json.dumps(history()))

    assert run(["replay", str(file), HERE]) == ExitCode.OK
    assert "Replayed 3 events of Greet w" in capsys.readouterr().out


def test_code_that_does_something_else_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A non-determinism error says what was expected and found."""
    file = tmp_path / "h.json"
    file.write_text(json.dumps(history("timer_started")))

    assert run(["replay", str(file), HERE]) == ExitCode.FAILED
    said = capsys.readouterr().err
    assert "TimerStarted" in said
    assert "CompleteRun" in said


def test_a_folder_of_histories_is_replayed_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that do not fit, or cannot be read, are named; one of them fails the command."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "fits.json").write_text(json.dumps(history()))
    assert run(["replay", str(tmp_path), HERE]) == ExitCode.OK
    assert "1 of 1 histories fit the code." in capsys.readouterr().out

    (tmp_path / "differs.json").write_text(json.dumps(history("timer_started")))
    (tmp_path / "unreadable.json").write_text("{}")
    (tmp_path / "zeal.json").write_text(json.dumps(history()))
    assert run(["replay", str(tmp_path), HERE]) == ExitCode.FAILED
    said = capsys.readouterr().out
    assert "differs.json: Non-determinism" in said
    assert "unreadable.json: " in said
    assert "2 of 4 histories fit the code." in said
    (tmp_path / "none").mkdir()
    assert run(["replay", str(tmp_path / "none"), HERE]) == ExitCode.USAGE


def test_a_history_of_an_unknown_workflow_names_those_that_are_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Apps given must have the workflow's code."""
    file = tmp_path / "h.json"
    file.write_text(json.dumps(history(workflow_type="Other")))

    assert run(["replay", str(file), f"{__name__}:both"]) == ExitCode.USAGE
    assert "found Greet" in capsys.readouterr().err


def test_a_step_of_a_history_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its events, where the code stands, and with --locals what it holds."""
    file = tmp_path / "h.json"
    file.write_text(json.dumps(history()))

    assert run(["replay", str(file), HERE, "--step", "-1", "--locals"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert said.startswith("Step 1 of 1\n")
    assert "came in        1  workflow_started Greet" in said
    assert "asked for      3  workflow_completed" in said
    assert "The code has ended." in said


def test_a_step_that_the_code_does_not_come_through_shows_both_sides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "h.json"
    file.write_text(json.dumps(history("timer_started")))

    assert run(["replay", str(file), HERE, "--step", "1"]) == ExitCode.FAILED
    said = capsys.readouterr().out
    assert "expected       3  timer_started" in said
    assert "CompleteRun" in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--step", "2"], "Expected a step from 1 to 1"),
        (["--step", "0"], "Expected a step from 1 to 1"),
        (["--locals"], "Expected --step with --locals"),
    ],
)
def test_steps_that_are_not_there_are_refused(
    words: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With those that are."""
    file = tmp_path / "h.json"
    file.write_text(json.dumps(history()))

    assert run(["replay", str(file), HERE, *words]) == ExitCode.USAGE
    assert expected in capsys.readouterr().err


# -- worker and topology ------------------------------------------------------------------------------------------


def test_a_child_process_gets_the_same_command_line_less_the_count() -> None:
    """Each child is the same command in one process, under a name of its own."""
    words = ["worker", "a:b", "--processes", "3", "--name=x", "--kafka", "h:1", "--processes=3"]

    assert _without(words, ("--processes", "--name")) == ["worker", "a:b", "--kafka", "h:1"]


def test_a_plan_without_an_address_shows_what_is_declared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No broker is needed to see the topics of a queue."""
    assert run(["topology", "plan", "-q", "orders", "--partitions", "6"]) == ExitCode.OK

    assert "default.orders.inbox (6 partitions" in capsys.readouterr().out


def test_a_plan_against_a_log_shows_the_difference(capsys: pytest.CaptureFixture[str]) -> None:
    """Against an empty log everything is to be created."""
    argv = ["topology", "plan", "-q", "orders", "--dev", "--kafka", "memory:cli-plan"]

    assert run(argv) == ExitCode.OK
    assert "+ create default.orders.inbox" in capsys.readouterr().out


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The version of the package, and of Python."""
    assert run(["version"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("streamflow ")
