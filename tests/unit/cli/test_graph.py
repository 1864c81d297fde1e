"""`streamflow graph`, and the way that a run went."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamflow.cli.code.graph import graph_of_steps
from streamflow.cli.shared.exits import ExitCode, run
from streamflow.ui.steps import Step
from tests.unit.cli.test_cli import HERE, history


def edges(steps: list[Step]) -> set[tuple[str, str]]:
    graph = graph_of_steps(steps)
    names = [node.label.split("\n")[0] for node in graph.nodes]
    return {(names[begin], names[end]) for begin, end in graph.edges}


def test_a_way_leads_to_what_began_after_the_end_and_to_nothing_further() -> None:
    """Two that went on side by side follow the same, and both lead to what came after them."""
    steps = [
        Step("start", "S", "started", 0, [1], 1),
        Step("activity", "a", "completed", 1, [3, 6], 5),
        Step("activity", "b", "completed", 1, [4, 8], 9),
        Step("activity", "c", "completed", 6, [7, 9], 10),
        Step("timer", "t", "pending", 6, [10]),
        Step("end", "Completed", "completed", 11, [12], 11),
    ]

    assert edges(steps) == {
        ("S", "a"),
        ("S", "b"),
        ("a", "c"),
        ("b", "t"),
        ("c", "t"),
        ("b", "Completed"),
        ("c", "Completed"),
    }


def test_apps_files_and_histories_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the same command; DOT on request."""
    saved = tmp_path / "h.json"
    saved.write_text(json.dumps(history()))

    assert run(["graph", HERE]) == ExitCode.OK
    of_app = capsys.readouterr().out
    assert run(["graph", str(Path(__file__).with_name("test_cli.py"))]) == ExitCode.OK
    of_file = capsys.readouterr().out
    assert run(["graph", str(saved), "-f", "dot"]) == ExitCode.OK
    of_history = capsys.readouterr().out

    assert of_app == of_file
    assert of_app.startswith('flowchart TD\n    n0(["Greet"])')
    assert of_history.startswith("digraph workflow {")
    assert "n0 -> n1;" in of_history


@pytest.mark.parametrize("words", [["none.py"], [HERE, "--type", "Moon"], [__file__]])
def test_what_cannot_be_drawn_is_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["graph", *words]) == ExitCode.USAGE
    assert "Expected" in capsys.readouterr().err
