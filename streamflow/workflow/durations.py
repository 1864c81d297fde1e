"""From `timedelta` to the milliseconds that the log keeps."""

from __future__ import annotations

from datetime import timedelta

from streamflow.common.durations import to_ms

_NONE = timedelta(0)


def milliseconds(duration: timedelta) -> int:
    """Whole milliseconds, rounded up so that a short wait never becomes none."""
    if duration < _NONE:
        raise ValueError(f"Expected a duration of 0 or more, found {duration}")
    return to_ms(duration)


def optional_milliseconds(duration: timedelta | None) -> int | None:
    return None if duration is None else milliseconds(duration)


def seconds(duration: timedelta | float) -> float:
    """A duration that users may also give in seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
