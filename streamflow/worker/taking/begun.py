"""How often unfinished records of one partition were begun before: text beside a committed offset, after the window's.

    1.1.2:0.4.1.0.1.2        from the mark on: 4 offsets begun once, then 1 begun twice

Triples of numbers in base 36: offsets to skip, offsets in the run, how often begun. A run may pass over finished records and
over offsets that hold none: nobody asks about those. What does not fit the budget is left out from the high end, and
then counts as never begun.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streamflow.worker.taking.base36 import base36

BEGUN_BYTES_MAX = 512
TIMES_MAX = 1_000_000
"""More is not counted."""


class Run(NamedTuple):
    """Unfinished records from ``start`` to ``end`` (exclusive) were begun ``times`` times."""

    start: int
    end: int
    times: int


def runs_of(unfinished: Iterable[tuple[int, int]]) -> list[Run]:
    """Runs of (offset, times), in order of offsets; ``times`` may be 0."""
    runs: list[Run] = []
    together = False
    for offset, times in unfinished:
        if together and runs[-1].times == times:
            runs[-1] = Run(runs[-1].start, offset + 1, times)
        elif times:
            runs.append(Run(offset, offset + 1, times))
        together = times > 0
    return runs


def encode(mark: int, runs: Iterable[Run], budget: int = BEGUN_BYTES_MAX) -> str:
    parts: list[str] = []
    at, length = mark, 0
    for start, end, times in runs:
        part = f"{base36(start - at)}.{base36(end - start)}.{base36(min(times, TIMES_MAX))}"
        length += len(part) + 1
        if length > budget:
            break
        parts.append(part)
        at = end
    return ".".join(parts)


def decode(mark: int, text: str) -> list[Run]:
    """The runs of a text beside a committed offset. One that cannot be read says that nothing was begun."""
    if not text or not text.isascii():
        return []
    try:
        numbers = [int(part, 36) for part in text.split(".")]
    except ValueError:
        return []
    if len(numbers) % 3 or any(number < 0 for number in numbers):
        return []
    runs: list[Run] = []
    at = mark
    for skip, length, times in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        start = at + skip
        at = start + length
        runs.append(Run(start, at, min(times, TIMES_MAX)))
    return runs
