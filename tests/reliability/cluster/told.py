"""What a client asked and what it was told, one line of a file each: the history that a checker compares with the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Told(NamedTuple):
    """One call, on one process's monotonic clock. Without ``ok`` nobody knows what became of it."""

    what: str
    name: str
    """Of the workflow."""
    number: int
    begun_ns: int
    ended_ns: int
    ok: bool
    answer: Any


def line_of(told: Told) -> str:
    return json.dumps(told) + "\n"


def read(file: Path) -> Iterator[Told]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield Told(*json.loads(line))
