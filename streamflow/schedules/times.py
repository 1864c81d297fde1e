"""When a schedule is due. Pure: the time and the rules of its zone are arguments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import blake2b
from typing import Final, NamedTuple

from streamflow.calendars import matches, next_match
from streamflow.schedules.facts import Spec

_SKIPPED_MAX: Final = 10_000
"""Times in a row that skipped calendars take away before there is taken to be none."""
SPECS_MAX: Final = 100
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Due(NamedTuple):
    """A time at which to act: as the specification says, and moved by the jitter."""

    nominal_ms: int
    at_ms: int


def refuse_spec(spec: Spec, zone: tzinfo) -> None:
    """Raises ValueError for a specification that could never be carried out."""
    count = len(spec.calendars) + len(spec.intervals) + len(spec.skip)
    if count > SPECS_MAX:
        raise ValueError(f"Expected at most {SPECS_MAX} calendars and intervals, found {count}")
    for calendar in (*spec.calendars, *spec.skip):
        next_match(calendar, EPOCH, zone)
    for interval in spec.intervals:
        if interval.every_ms < 1_000:
            raise ValueError(
                f"Expected an interval of a second or more, found {interval.every_ms} ms"
            )
        if not 0 <= interval.offset_ms < interval.every_ms:
            raise ValueError(
                f"Expected an offset from 0 to the interval of {interval.every_ms} ms, found {interval.offset_ms} ms"
            )


def next_due(spec: Spec, after_ms: int, zone: tzinfo, seed: str) -> Due | None:
    """The first nominal time later than this one; ``None`` if there is none."""
    nominal_ms = after_ms
    if spec.start_at_ms is not None:
        nominal_ms = max(nominal_ms, spec.start_at_ms - 1)
    for _ in range(_SKIPPED_MAX):
        found = _next_nominal(spec, nominal_ms, zone)
        if found is None or (spec.end_at_ms is not None and found > spec.end_at_ms):
            return None
        nominal_ms = found
        if not any(matches(calendar, _moment(nominal_ms), zone) for calendar in spec.skip):
            return Due(nominal_ms, nominal_ms + _jitter_ms(spec, nominal_ms, zone, seed))
    return None


def next_times(spec: Spec, after_ms: int, zone: tzinfo, seed: str) -> Iterator[Due]:
    """All of them, one after the other."""
    due = next_due(spec, after_ms, zone, seed)
    while due is not None:
        yield due
        due = next_due(spec, due.nominal_ms, zone, seed)


def _next_nominal(spec: Spec, after_ms: int, zone: tzinfo) -> int | None:
    found: list[int] = []
    after = _moment(after_ms)
    for calendar in spec.calendars:
        match = next_match(calendar, after, zone)
        if match is not None:
            found.append(_ms(match))
    for interval in spec.intervals:
        past = (after_ms - interval.offset_ms) // interval.every_ms
        found.append((past + 1) * interval.every_ms + interval.offset_ms)
    return min(found, default=None)


def _jitter_ms(spec: Spec, nominal_ms: int, zone: tzinfo, seed: str) -> int:
    """The same for the same schedule and time, and never as far as the next time."""
    if not spec.jitter_ms:
        return 0
    following = _next_nominal(spec, nominal_ms, zone)
    most = spec.jitter_ms
    if following is not None:
        most = min(most, following - nominal_ms - 1)
    digest = blake2b(f"{seed}/{nominal_ms}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (most + 1)


def _moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
