"""A run's steps as lines of text: when each began, what became of it, and a bar to scale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from streamflow.cli.shared.terminal import painted
from streamflow.ui.formats import duration
from streamflow.ui.steps import Step

NAME_MAX = 32
BAR_MIN = 12
"""Where there is no room for a bar of so many columns there is none."""
_STATE = 16
_LENGTH = 9
_MARKS = {"signal": "»", "update": "»", "cancel": "»", "change": "·", "start": "●", "end": "■"}


def draw(steps: Sequence[Step], *, until_ms: int, width: int) -> list[str]:
    """A line for each step. ``until_ms`` is the run's end, or now."""
    if not steps:
        return []
    begin_ms = min(step.begun_ms for step in steps)
    end_ms = max(until_ms, *(step.ended_ms or step.begun_ms for step in steps))
    names = [_name(step) for step in steps]
    name_width = max(len(name) for name in names)
    offsets = [duration(step.begun_ms - begin_ms) for step in steps]
    offset_width = max(len(offset) for offset in offsets)
    bar = width - offset_width - name_width - _STATE - _LENGTH - 8
    lines: list[str] = []
    for step, name, offset in zip(steps, names, offsets, strict=True):
        length = "" if step.is_moment else duration((step.ended_ms or end_ms) - step.begun_ms)
        state = f"{step.state}, {step.attempts}x" if step.attempts > 1 else step.state
        cells = [
            offset.rjust(offset_width),
            name.ljust(name_width),
            painted(state[:_STATE].ljust(_STATE), step.state),
            length.rjust(_LENGTH),
        ]
        if bar >= BAR_MIN:
            cells.append(painted(_bar(step, begin_ms, end_ms, bar), step.state))
        lines.append("  ".join(cells).rstrip())
        lines += [f"{'':{offset_width}}    {told}"[:width] for told in _notes(step)]
    return lines


def facts_of(step: Step) -> dict[str, Any]:
    """A step for programs."""
    failure = step.failure
    return {
        "kind": step.kind,
        "name": step.name,
        "state": step.state,
        "begun": _time(step.begun_ms),
        "ended": _time(step.ended_ms),
        "due": _time(step.due_ms),
        "attempts": step.attempts,
        "summary": step.summary,
        "note": step.note,
        "failure": None if failure is None else failure.message,
        "workflow_id": step.workflow_id or None,
        "run_id": step.run_id or None,
        "events": step.seqs,
    }


def _name(step: Step) -> str:
    name = f"{_MARKS.get(step.kind, '○' if step.kind == 'timer' else '▸')} {step.name}"
    return name if len(name) <= NAME_MAX else name[: NAME_MAX - 1] + "…"


def _bar(step: Step, begin_ms: int, end_ms: int, width: int) -> str:
    span = max(end_ms - begin_ms, 1)
    first = (step.begun_ms - begin_ms) * (width - 1) // span
    if step.is_moment:
        return " " * first + "┃"
    last = ((step.ended_ms or end_ms) - begin_ms) * (width - 1) // span
    return " " * first + ("━" if step.ended_ms else "┅") * (last - first + 1)


def _notes(step: Step) -> list[str]:
    """What a person asks next: why it failed, when it goes on, whom it concerns."""
    told: list[str] = []
    if step.failure is not None and step.failure.message:
        told.append(step.failure.message.splitlines()[0])
    if step.note:
        told.append(step.note)
    if step.summary and step.summary != step.name:
        told.append(step.summary)
    if step.workflow_id:
        told.append(f"workflow {step.workflow_id}")
    if step.due_ms and not step.ended_ms:
        told.append(f"due {_time(step.due_ms)}")
    if step.pending is not None and step.pending.next_retry_ms:
        told.append(f"next attempt {_time(step.pending.next_retry_ms)}")
    return told


def _time(ms: int) -> str | None:
    return (
        datetime.fromtimestamp(ms / 1_000, UTC).isoformat(timespec="milliseconds") if ms else None
    )
