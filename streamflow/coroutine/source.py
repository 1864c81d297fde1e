"""Where in workflow code something was begun. Kept as a code object and a line, made text only for an error."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import CodeType, FrameType
from typing import NamedTuple

PLUMBING = frozenset({"streamflow", "asyncio", "contextlib"})
"""Top-level packages that stand between workflow code and its operations."""


class Place(NamedTuple):
    code: CodeType
    line: int

    def __str__(self) -> str:
        return f"{self.code.co_filename}:{self.line} in {self.code.co_qualname}"


@lru_cache(maxsize=4_096)
def shortly(place: Place | None) -> str:
    """For a history: the file without its folders, as they say where code lies on one machine."""
    if place is None:
        return ""
    file = place.code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{file}:{place.line} in {place.code.co_qualname}"


def calling_place() -> Place | None:
    """The nearest frame of user code above the caller."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in PLUMBING:
            return Place(frame.f_code, frame.f_lineno)
        frame = frame.f_back
    return None


def suspended_place(coroutine: object) -> Place | None:
    """Where a coroutine waits: its innermost frame of user code."""
    found: Place | None = None
    while coroutine is not None:
        frame: FrameType | None = getattr(coroutine, "cr_frame", None)
        if frame is not None and (
            frame.f_globals.get("__name__", "").partition(".")[0] not in PLUMBING
        ):
            found = Place(frame.f_code, frame.f_lineno)
        coroutine = getattr(coroutine, "cr_await", None)
    return found
