"""Percentiles, medians of repeats, and the table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(frozen=True)
class Figure:
    """One quantity over repeats."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(repeats: Sequence[float]) -> Figure:
        return Figure(
            round(statistics.median(repeats), 2), round(min(repeats), 2), round(max(repeats), 2)
        )

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.median:g}"
        return f"{self.median:g} ({self.low:g}-{self.high:g})"


@dataclass(frozen=True)
class Row:
    """What one case measured. ``target`` is the promise that it is held against, in words."""

    case: str
    figures: dict[str, Figure]
    target: str = ""
    met: bool | None = None
    notes: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def latency_figures(repeats: Sequence[Sequence[float]], prefix: str = "") -> dict[str, Figure]:
    """p50, p95 and p99 in milliseconds of each repeat's seconds, over the repeats."""
    return {
        f"{prefix}{name} ms": Figure.of([percentile(seconds, share) * 1000 for seconds in repeats])
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


def table(rows: Sequence[Row]) -> str:
    """GitHub-flavoured, one line a case."""
    lines = ["| case | figures: median (low-high) | target | met |", "|---|---|---|---|"]
    for row in rows:
        figures = ", ".join(f"{name} **{figure}**" for name, figure in row.figures.items())
        met = {True: "yes", False: "no", None: ""}[row.met]
        note = f" {row.notes}" if row.notes else ""
        lines.append(f"| {row.case} | {figures}{note} | {row.target} | {met} |")
    return "\n".join(lines)
