"""The lines of a file around those that a frame stands in."""

from __future__ import annotations

import linecache
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

FUNCTION_LINES_MAX = 40
"""A function of so many lines is shown whole ..."""
AROUND_LINES = 14
"""... of a longer one so many before and after."""
LINE_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str
    waits: bool
    """Whether it is (a part of) the expression that has not returned."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a source, or why there are none."""

    lines: tuple[Line, ...] = ()
    note: str = ""


def excerpt(
    code: CodeType, first: int, last: int, module: Mapping[str, Any], *, loaded_s: float
) -> Excerpt:
    """The function's lines. ``loaded_s``: a file that was changed after this (seconds since the epoch) is told of."""
    file = code.co_filename
    found = linecache.getlines(file, dict(module) if file.startswith("<") else None)
    if not found or last > len(found):
        return Excerpt(note=f"The source of {os.path.basename(file)} is not at hand.")
    begin = code.co_firstlineno
    end = min(max(_last_line(code), last), len(found))
    if end - begin >= FUNCTION_LINES_MAX:
        begin, end = max(begin, first - AROUND_LINES), min(end, last + AROUND_LINES)
    lines = tuple(
        Line(number, _line(found[number - 1]), first <= number <= last)
        for number in range(begin, end + 1)
    )
    return Excerpt(lines, _changed(file, loaded_s))


@lru_cache(maxsize=1_024)
def _last_line(code: CodeType) -> int:
    return max((end for _, end, _, _ in code.co_positions() if end), default=code.co_firstlineno)


def _line(text: str) -> str:
    plain = text.rstrip("\n").expandtabs(4)
    plain = plain.encode("utf-8", "backslashreplace").decode()
    return plain if len(plain) <= LINE_CHARS_MAX else plain[:LINE_CHARS_MAX] + "…"


def _changed(file: str, loaded_s: float) -> str:
    try:
        changed = os.stat(file).st_mtime > loaded_s
    except OSError:
        return ""
    return "The file was changed since its code was loaded: lines may not fit." if changed else ""
