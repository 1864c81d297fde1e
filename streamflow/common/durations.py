"""Between `timedelta` and the milliseconds that the log keeps."""

from __future__ import annotations

from datetime import timedelta

_MILLISECOND = timedelta(milliseconds=1)
_LONGEST_MS = timedelta.max // _MILLISECOND


def to_ms(duration: timedelta) -> int:
    """Whole milliseconds, rounded up so that a short positive wait never becomes none."""
    return -(-duration // _MILLISECOND)


def optional_ms(duration: timedelta | None) -> int | None:
    return None if duration is None else to_ms(duration)


def from_ms(milliseconds: int) -> timedelta:
    """Of any number in a record: what no `timedelta` holds is the longest that one does."""
    return timedelta(milliseconds=min(max(milliseconds, -_LONGEST_MS), _LONGEST_MS))


def optional_duration(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else from_ms(milliseconds)
