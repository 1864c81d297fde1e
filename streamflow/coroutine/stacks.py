"""Where tasks wait, as text for people."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Sequence
from typing import Any

_OURS = ("streamflow.",)


def describe(tasks: Sequence[asyncio.Task[Any]]) -> str:
    """One stack per task that has not ended, in the order of their creation."""
    return "\n\n".join(_describe(task) for task in tasks)


def _describe(task: asyncio.Task[Any]) -> str:
    lines = [f"Task {task.get_name()} (most recent call last)"]
    summary = traceback.StackSummary()
    for frame, line in frames(task.get_coro()):
        summary.append(traceback.FrameSummary(frame.f_code.co_filename, line, frame.f_code.co_name))
    lines.extend(part.rstrip("\n") for part in summary.format())
    return "\n".join(lines)


def frames(coroutine: Any) -> list[tuple[Any, int]]:
    """From the outermost coroutine inwards; our own frames are left out."""
    found: list[tuple[Any, int]] = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None and not str(frame.f_globals.get("__name__", "")).startswith(_OURS):
            found.append((frame, frame.f_lineno))
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return found
