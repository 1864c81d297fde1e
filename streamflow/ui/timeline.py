"""A history as a drawing: one row for each step, its length to scale. Coordinates only; the template writes the SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamflow.ui import formats
from streamflow.ui.steps import Step

WIDTH = 1_000
LABELS = 260
"""Where the bars begin, to the right of the names."""
RIGHT = 24
ROW = 26
TOP = 34
BAR_MIN = 3
ROWS_MAX = 300
"""Steps drawn, the latest; a drawing of more could not be read."""
_TICKS = 6


@dataclass(frozen=True)
class Bar:
    """A row of the drawing."""

    step: Step
    y: int
    x: float
    width: float
    due_width: float
    """Of a pending timer: how far it has still to go."""
    label: str
    told: str
    """What a pointer, or a screen reader, is told."""


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    labels: int
    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    left_out: int
    """Steps that came before those drawn."""


def draw(steps: Sequence[Step], *, until_ms: int) -> Drawing:
    """The steps up to ``until_ms``: the run's end, or now."""
    drawn = steps[-ROWS_MAX:]
    begin_ms = min((step.begun_ms for step in drawn), default=until_ms)
    # A pending timer may be due in days; the drawing goes a little beyond now, no further.
    end_ms = max([until_ms, begin_ms, *(step.ended_ms for step in drawn)])
    span = max(end_ms - begin_ms, 1)
    scale = (WIDTH - LABELS - RIGHT) / span

    def x_of(ms: int) -> float:
        return round(LABELS + (min(max(ms, begin_ms), end_ms) - begin_ms) * scale, 1)

    bars = [
        _bar(step, TOP + number * ROW, x_of(step.begun_ms), x_of(step.ended_ms or end_ms))
        for number, step in enumerate(drawn)
    ]
    ticks = [
        Tick(
            round(LABELS + (WIDTH - LABELS - RIGHT) * number / _TICKS, 1),
            formats.duration(span * number // _TICKS) if number else "0",
        )
        for number in range(_TICKS + 1)
    ]
    height = TOP + max(len(drawn), 1) * ROW + 8
    return Drawing(WIDTH, height, LABELS, bars, ticks, len(steps) - len(drawn))


def _bar(step: Step, y: int, x: float, end: float) -> Bar:
    width = max(round(end - x, 1), BAR_MIN)
    x = min(x, WIDTH - RIGHT - BAR_MIN)
    due = WIDTH - RIGHT + 12 - (x + width) if step.state == "pending" and step.due_ms else 0
    length = "" if step.is_moment else formats.duration((step.ended_ms or 0) - step.begun_ms)
    told = f"{step.kind} {step.name}: {step.state}"
    if step.ended_ms and not step.is_moment:
        told += f", {length}"
    if step.attempts > 1:
        told += f", {step.attempts} attempts"
    if step.due_ms and not step.ended_ms:
        told += f", due at {formats.moment(step.due_ms)} UTC"
    name = step.name if len(step.name) <= 34 else step.name[:33] + "…"
    return Bar(step, y, x, width, due, name, told)
