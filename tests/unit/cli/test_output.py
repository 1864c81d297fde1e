"""What programs read: every form says the same, and YAML is YAML to those who know it."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # one call; its stubs are a package of their own
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from streamflow.cli.shared.output import Form, print_data, show_list, text
from streamflow.cli.shared.progress import HEARTBEAT_S, Progress
from streamflow.cli.shared.yaml import dump

TEXTS = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "no",
            "Off",
            "~",
            "1e3",
            "0x1f",
            "12:30:00",
            "2026-01-31",
            "- a",
            "a: b",
            "=",
            "<<",
            ".nan",
        ]
    ),
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
@example({"a": [[{"b": []}], {}], "": "x\ny"})
def test_yaml_is_read_as_what_was_written(value: Any) -> None:
    """By a reader of YAML 1.2 and by one of 1.1."""
    written = dump(value)

    assert YAML(typ="safe", pure=True).load(written) == value
    assert yaml.safe_load(written) == value


def test_yaml_is_pleasant_to_read() -> None:
    """Blocks, and no quotes where none are needed."""
    value = {"workflow_id": "order-1", "tags": ["a", "b c"], "pending": [{"id": 1, "note": None}]}

    assert dump(value) == (
        'workflow_id: order-1\ntags:\n  - a\n  - "b c"\npending:\n  - id: 1\n    note: null\n'
    )


@pytest.mark.parametrize("form", ["json", "jsonl", "yaml"])
def test_every_form_says_the_same(form: Form, capsys: pytest.CaptureFixture[str]) -> None:
    """Times as ISO texts; in JSON lines each thing has a line."""
    rows = [{"id": "größe", "at": datetime(2026, 1, 31, tzinfo=UTC)}, {"id": "b", "at": None}]

    print_data(rows, form)

    printed = capsys.readouterr().out
    read = {
        "json": json.loads,
        "yaml": yaml.safe_load,
        "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    }[form](printed)
    assert read == [
        {"id": "größe", "at": "2026-01-31T00:00:00+00:00"},
        {"id": "b", "at": None},
    ]


def test_an_empty_list_is_told_to_people_and_is_empty_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No words where data is expected."""
    printed: dict[str, str] = {}
    forms: tuple[Form, ...] = ("table", "json", "jsonl", "yaml")
    for form in forms:
        show_list("Orders", [], form, none="There is none.")
        printed[form] = capsys.readouterr().out

    assert printed == {"table": "There is none.\n", "json": "[]\n", "jsonl": "", "yaml": "[]\n"}


# -- progress -----------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_with_the_time_that_is_left() -> None:
    """Drawn over itself, and whole at the end."""
    now, terminal = [0.0], Terminal()
    with Progress("letters", 200, to=terminal, clock=lambda: now[0]) as progress:
        now[0] = 30.0
        progress.add(50)
        drawn = terminal.getvalue().split("\r\x1b[2K")[-1]
        now[0] = 80.0
        progress.add(150)

    assert "█" in drawn
    assert "░" in drawn
    assert drawn.endswith("letters: 50 of 200, 1 min 30 s left")
    assert terminal.getvalue().endswith("letters: 200 of 200 in 1 min 20 s\n")


def test_without_a_terminal_long_work_says_a_line_now_and_then() -> None:
    """Short work says nothing; nothing is ever drawn."""
    now, file = [0.0], io.StringIO()
    with Progress("records read", to=file, clock=lambda: now[0]) as progress:
        now[0] = HEARTBEAT_S - 1
        progress.add(5_000)
        assert file.getvalue() == ""
        now[0] = HEARTBEAT_S
        progress.add(1_000)
        progress.add(1_000)

    assert file.getvalue() == "records read: 6,000 in 10 s\n"


@pytest.mark.parametrize("nothing", [None, {}, [], ()])
def test_nothing_is_a_dash_in_a_table(nothing: Any) -> None:
    assert text(nothing) == "-"
    assert text([nothing]) != "-"
