"""What only a terminal gets: colours, and drawings that are drawn over."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

_RED, _GREEN, _YELLOW, _BLUE, _GREY = "31", "32", "33", "34", "90"
_COLOUR_OF_STATE = {
    **dict.fromkeys(("failed", "terminated", "timed_out", "stuck", "problem"), _RED),
    **dict.fromkeys(("completed", "fired"), _GREEN),
    **dict.fromkeys(("retrying", "paused", "quarantined", "backing off"), _YELLOW),
    **dict.fromkeys(("running", "pending", "started", "scheduled", "open"), _BLUE),
    **dict.fromkeys(("canceled", "continued_as_new"), _GREY),
}
WIDTH_ELSEWHERE = 100
"""Columns of a drawing where there is no terminal to ask."""


def is_terminal() -> bool:
    """Whether stdout is one, so that a person looks at it now."""
    return sys.stdout.isatty()


def is_in_front(stream: TextIO) -> bool:
    """Whether it is a terminal that this process may draw on as it likes: not a background job, nor one of several processes
    of a command."""
    if not stream.isatty():
        return False
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except OSError:
        return False  # the terminal of another session


def width() -> int:
    """Columns for a drawing on stdout."""
    return shutil.get_terminal_size().columns if is_terminal() else WIDTH_ELSEWHERE


def painted(text: str, state: str) -> str:
    """The text in the colour of the state, on a terminal whose user has not set ``NO_COLOR``."""
    colour = _COLOUR_OF_STATE.get(state)
    if colour is None or not is_terminal() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


class Drawing:
    """Lines at the end of a terminal that are drawn again as they change. At most a screenful: the last lines."""

    def __init__(self) -> None:
        self._shown: list[str] = []

    def draw(self, lines: Sequence[str]) -> None:
        """In place of what was drawn before. The terminal cuts lines that are too long, for one that wraps would be two."""
        fitting = list(lines[-(shutil.get_terminal_size().lines - 1) :])
        if fitting == self._shown:
            return
        up = f"\x1b[{len(self._shown)}A" if self._shown else ""
        # From where the last drawing began to the screen's end: away with it.
        print(f"{up}\r\x1b[J\x1b[?7l" + "\n".join(fitting) + "\x1b[?7h", flush=True)
        self._shown = fitting
