"""Which times match a calendar specification, and which is the next.

A time matches by what clocks on the wall of its time zone show. An hour that clocks skip never matches; one that they show
twice matches twice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from streamflow.calendars import spec as fields
from streamflow.calendars.spec import CalendarSpec

YEARS_AHEAD_MAX: Final = 100
"""So far is a match looked for: February 29 that is a Sunday comes within 40 years."""

_SECOND: Final = timedelta(seconds=1)
_SHIFT: Final = timedelta(hours=3)
"""Clocks are never set by more than this, except where a country changes sides of the date line."""


class _Fields(NamedTuple):
    seconds: Sequence[int]
    minutes: Sequence[int]
    hours: Sequence[int]
    days: frozenset[int]
    months: Sequence[int]
    years: Sequence[int]
    weekdays: frozenset[int]


def matches(spec: CalendarSpec, moment: datetime, zone: tzinfo) -> bool:
    """Whether this moment (to the second) matches in that time zone."""
    found, local = _fields(spec), moment.astimezone(zone)
    return (
        local.second in found.seconds
        and local.minute in found.minutes
        and local.hour in found.hours
        and (not found.years or local.year in found.years)
        and local.month in found.months
        and _is_day(found, local.date())
    )


def next_match(spec: CalendarSpec, after: datetime, zone: tzinfo) -> datetime | None:
    """The first match later than ``after``, in UTC; ``None`` if there is none within `YEARS_AHEAD_MAX`.

    Raises:
        ValueError: a field of the specification holds what no such field can.
    """
    found = _fields(spec)
    begin = after.replace(microsecond=0) + _SECOND
    local = begin.astimezone(zone).replace(tzinfo=None)
    stop_year = local.year + YEARS_AHEAD_MAX
    first = _next_wall_time(found, local, stop_year)
    if first is not None and _steady(begin, local, first, zone):
        return begin.astimezone(UTC) + (first - local)
    # Clocks are set somewhere around: look at every wall time that could be the one, and at both of its moments.
    best: datetime | None = None
    wall = _next_wall_time(found, local - _SHIFT, stop_year)
    while wall is not None:
        for moment in _moments(wall, zone):
            if moment >= begin and (best is None or moment < best):
                best = moment
        if best is not None and wall > best.astimezone(zone).replace(tzinfo=None) + _SHIFT:
            return best
        wall = _next_wall_time(found, wall + _SECOND, stop_year)
    return best


def _steady(begin: datetime, local: datetime, first: datetime, zone: tzinfo) -> bool:
    """Whether clocks stand as they do at ``begin``, and go on evenly, around it and around the match."""
    end = begin + (first - local)
    offset = begin.astimezone(zone).utcoffset()
    around = (begin - _SHIFT, begin + _SHIFT, end - _SHIFT, end, end + _SHIFT)
    return all(moment.astimezone(zone).utcoffset() == offset for moment in around)


def _moments(wall: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The moments at which clocks show this: one, none while they skip it, two while they repeat it."""
    for fold in (0, 1):
        moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
            yield moment


def _next_wall_time(found: _Fields, begin: datetime, stop_year: int) -> datetime | None:
    """The first date and time from ``begin`` on whose every field matches."""
    day = begin.date()
    if _is_day(found, day) and day.month in found.months and _is_year(found, day.year):
        clock = _next_time_of_day(found, begin.hour, begin.minute, begin.second)
        if clock is not None:
            return datetime.combine(day, clock)
    next_day = _next_day(found, day + timedelta(days=1), stop_year)
    if next_day is None:
        return None
    return datetime.combine(next_day, time(found.hours[0], found.minutes[0], found.seconds[0]))


def _next_time_of_day(found: _Fields, hour: int, minute: int, second: int) -> time | None:
    hours, minutes, seconds = found.hours, found.minutes, found.seconds
    if _has(hours, hour):
        if _has(minutes, minute):
            at = bisect_left(seconds, second)
            if at < len(seconds):
                return time(hour, minute, seconds[at])
        at = bisect_right(minutes, minute)
        if at < len(minutes):
            return time(hour, minutes[at], seconds[0])
    at = bisect_right(hours, hour)
    return time(hours[at], minutes[0], seconds[0]) if at < len(hours) else None


def _next_day(found: _Fields, begin: date, stop_year: int) -> date | None:
    day = begin
    while day.year <= stop_year:
        if not _is_year(found, day.year):
            day = date(day.year + 1, 1, 1)
        elif day.month not in found.months:
            day = _next_month(day)
        elif _is_day(found, day):
            return day
        else:
            day += timedelta(days=1)
    return None


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _is_day(found: _Fields, day: date) -> bool:
    return day.day in found.days and day.isoweekday() % 7 in found.weekdays


def _is_year(found: _Fields, year: int) -> bool:
    return not found.years or year in found.years


def _has(ordered: Sequence[int], value: int) -> bool:
    at = bisect_left(ordered, value)
    return at < len(ordered) and ordered[at] == value


@lru_cache(maxsize=1_024)
def _fields(spec: CalendarSpec) -> _Fields:
    def ordered(ranges: tuple[fields.Range, ...], field: fields.Field) -> list[int]:
        found = sorted(fields.values(ranges, field))
        if not found:
            raise ValueError(f"Expected at least one value for {field.name}, found none")
        return found

    return _Fields(
        seconds=ordered(spec.second, fields.SECOND),
        minutes=ordered(spec.minute, fields.MINUTE),
        hours=ordered(spec.hour, fields.HOUR),
        days=frozenset(ordered(spec.day_of_month, fields.DAY_OF_MONTH)),
        months=ordered(spec.month, fields.MONTH),
        years=sorted(fields.values(spec.year, fields.YEAR)),
        weekdays=frozenset(day % 7 for day in ordered(spec.day_of_week, fields.DAY_OF_WEEK)),
    )
