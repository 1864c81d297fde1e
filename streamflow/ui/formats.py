"""How times, durations and sizes are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

NEVER = "–"


def moment(ms: int) -> str:
    """``2026-01-31 12:00:00``, in UTC; a dash for 0."""
    return _at(ms).strftime("%Y-%m-%d %H:%M:%S") if ms else NEVER


def exact(ms: int) -> str:
    """RFC 3339 with milliseconds, for machines and for those who point at a time."""
    return _at(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z") if ms else ""


def clock(ms: int) -> str:
    """``12:00:00.123``."""
    return _at(ms).strftime("%H:%M:%S.") + f"{ms % 1000:03}" if ms else NEVER


def duration(ms: int | None) -> str:
    """The two largest units that say something: ``340 ms``, ``3.4 s``, ``2 m 5 s``, ``3 d 4 h``."""
    if ms is None:
        return NEVER
    ms = max(0, ms)
    if ms < 1_000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1_000:.1f} s" if ms < 10_000 else f"{ms // 1_000} s"
    units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
    parts: list[str] = []
    for name, length in units:
        count, ms = divmod(ms, length)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(filter(None, parts))


def size(count: int) -> str:
    """Bytes for people."""
    if count < 1024:
        return f"{count} B"
    if count < 1024 * 1024:
        return f"{count / 1024:.1f} KiB"
    return f"{count / 1024 / 1024:.1f} MiB"


def number(count: int) -> str:
    return f"{count:,}".replace(",", "\u2009")


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "exact": exact,
    "clock": clock,
    "duration": duration,
    "size": size,
    "number": number,
}
