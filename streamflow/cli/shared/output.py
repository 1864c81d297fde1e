"""Prints facts as a table for people, or as JSON, JSON lines or YAML for programs (``-o``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, cast

from cyclopts import Parameter

from streamflow.cli.shared.terminal import painted

Form = Annotated[
    Literal["table", "json", "jsonl", "yaml"],
    Parameter(
        name=["--output", "-o"],
        help="How to print: a table for people; JSON, JSON with one thing a line, or YAML for programs.",
    ),
]

_COLOURED = ("status", "state")


def show(facts: Mapping[str, Any], form: Form) -> None:
    """One thing with its fields."""
    if form != "table":
        print_data(facts, form)
        return
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        if value not in (None, "", [], {}):
            told = text(value)
            print(f"{name:<{width}}  {painted(told, told) if name in _COLOURED else told}")


def show_rows(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Several things of one kind, a line each, for people; nothing when there are none."""
    if rows:
        print(f"\n{title}")
    for line in table(rows):
        print(line)


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines of a table with the names of its columns on top; states have their colours on a terminal."""
    if not rows:
        return []
    columns = list(rows[0])
    cells = [columns, *([text(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    return [
        "  "
        + "  ".join(
            painted(cell.ljust(width), cell) if name in _COLOURED else cell.ljust(width)
            for name, cell, width in zip(columns, line, widths, strict=True)
        ).rstrip()
        for line in cells
    ]


def show_list(title: str, rows: Sequence[Mapping[str, Any]], form: Form, *, none: str) -> None:
    """A list that is all of the answer; people are told when it is empty."""
    if form != "table":
        print_data(rows, form)
    elif rows:
        show_rows(title, rows)
    else:
        print(none)


def print_data(value: Any, form: Form) -> None:
    """The value for programs. People who asked for a table get JSON: of a value that a user made there is no other form."""
    match form:
        case "jsonl":
            several = isinstance(value, list | tuple)
            for line in cast("list[Any]", value) if several else [value]:
                # One at a time: whoever follows a list sees each when it is there.
                print(
                    json.dumps(line, default=plain, ensure_ascii=False, separators=(",", ":")),
                    flush=True,
                )
        case "yaml":
            from streamflow.cli.shared.yaml import dump

            print(dump(json.loads(json.dumps(value, default=plain))), end="")
        case "json" | "table":
            print(json.dumps(value, indent=2, default=plain))


def text(value: Any) -> str:
    """One line: strings as they are, times without microseconds, nothing as a dash, the rest as JSON."""
    match value:
        case None:
            return "-"
        case str():
            return value
        case Mapping() | Sequence() if not value:
            return "-"
        case Enum():
            return str(value.value)
        case _ if hasattr(value, "isoformat"):
            return str(value.isoformat(timespec="milliseconds"))
        case _:
            return json.dumps(value, default=plain)


def plain(value: Any) -> Any:
    """What JSON has no form for."""
    match value:
        case Enum():
            return value.value
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case _ if hasattr(value, "isoformat"):
            return value.isoformat()
        case _:
            return str(value)
