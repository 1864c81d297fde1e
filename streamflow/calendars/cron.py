"""Cron texts: five fields, descriptors like ``@daily``, intervals like ``@every 90m``; with a time zone in front.

    CRON_TZ=Europe/Berlin 30 6 * * MON-FRI     minute hour day-of-month month day-of-week

Where both days are restricted, a day that fits either counts, as cron has always had it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Final

import msgspec

from streamflow.calendars.matching import next_match
from streamflow.calendars.spec import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    HOUR,
    MINUTE,
    MONTH,
    RANGES_MAX,
    CalendarSpec,
    Field,
    Range,
    every,
)

TEXT_CHARS_MAX: Final = 1_000
EVERY_MAX: Final = timedelta(days=36_500)

_DESCRIPTORS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
        start=1,
    )
}
WEEKDAYS: Final = {
    name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])
}
UNITS_MS: Final = {
    "h": 3_600_000.0,
    "m": 60_000.0,
    "s": 1_000.0,
    "ms": 1.0,
    "us": 0.001,
    "µs": 0.001,
    "ns": 0.000_001,
}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
ZONE: Final = re.compile(r"(?:CRON_TZ|TZ)=(\S+)\s+(.*)", re.DOTALL)
_PART: Final = re.compile(r"(\*|\?|\w+)(?:-(\w+))?(?:/(\d{1,4}))?")


class CronError(ValueError):
    """The text is no cron schedule; the message says what was expected."""


class Cron(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled cron text: any of the calendars, or an interval."""

    calendars: tuple[CalendarSpec, ...] = ()
    every_ms: int = 0
    zone: str = ""
    """IANA name; empty is UTC."""

    def next(
        self, after: datetime, zone: tzinfo, *, since: datetime | None = None
    ) -> datetime | None:
        """The first time later than ``after``. An interval counts from ``since``, by default from ``after`` itself."""
        if self.every_ms:
            interval = timedelta(milliseconds=self.every_ms)
            begin = after if since is None or since > after else since
            return begin + ((after - begin) // interval + 1) * interval
        found = [next_match(calendar, after, zone) for calendar in self.calendars]
        return min((time for time in found if time is not None), default=None)


def parse_cron(text: str) -> Cron:
    """The schedule that the text means.

    Raises:
        CronError: it means none.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise CronError(
            f"Expected a cron schedule of at most {TEXT_CHARS_MAX} characters, found {len(text)}"
        )
    zone, rest = "", text.strip()
    if found := ZONE.fullmatch(rest):
        zone, rest = found[1], found[2].strip()
    if rest.startswith("@every "):
        return Cron(every_ms=_interval_ms(rest.removeprefix("@every ").strip()), zone=zone)
    return Cron(calendars=_calendars(fields_of(rest), text), zone=zone)


def fields_of(text: str) -> list[str]:
    """The fields, also those that a descriptor stands for."""
    if text.startswith("@"):
        if text not in _DESCRIPTORS:
            known = ", ".join([*_DESCRIPTORS, "@every DURATION"])
            raise CronError(f"Expected a descriptor like {known}, found {text!r}")
        text = _DESCRIPTORS[text]
    return text.split()


def _calendars(words: list[str], text: str) -> tuple[CalendarSpec, ...]:
    if len(words) != 5:
        raise CronError(
            f"Expected 5 fields (minute hour day-of-month month day-of-week), found {len(words)} in {text!r}"
        )
    minute, hour, day, month, weekday = words
    calendar = CalendarSpec(
        minute=parse_field(minute, MINUTE, {}),
        hour=parse_field(hour, HOUR, {}),
        day_of_month=parse_field(day, DAY_OF_MONTH, {}),
        month=parse_field(month, MONTH, MONTHS),
        day_of_week=parse_field(weekday, DAY_OF_WEEK, WEEKDAYS),
    )
    if day[0] in "*?" or weekday[0] in "*?":
        return (calendar,)
    replace = msgspec.structs.replace
    return (
        replace(calendar, day_of_week=every(DAY_OF_WEEK)),
        replace(calendar, day_of_month=every(DAY_OF_MONTH)),
    )


def parse_field(word: str, field: Field, names: Mapping[str, int]) -> tuple[Range, ...]:
    """One field's ranges. Raises `CronError` for what is none."""
    parts = word.split(",")
    if len(parts) > RANGES_MAX:
        raise CronError(f"Expected at most {RANGES_MAX} parts in {field.name}, found {len(parts)}")
    return tuple(_range(part, field, names) for part in parts)


def _range(part: str, field: Field, names: Mapping[str, int]) -> Range:
    found = _PART.fullmatch(part)
    if found is None:
        raise CronError(f"Expected *, a value, a range or steps for {field.name}, found {part!r}")
    begin, end, step = found[1], found[2], found[3]
    if begin in "*?":
        if end is not None:
            raise CronError(f"Expected * or a range for {field.name}, found both in {part!r}")
        last = 6 if field is DAY_OF_WEEK else field.last
        first = field.first
    else:
        first = _value(begin, field, names)
        # A value with steps and without an end goes on to the field's.
        default = (6 if field is DAY_OF_WEEK else field.last) if step else first
        last = default if end is None else _value(end, field, names)
    if last < first:
        raise CronError(f"Expected a range that goes up for {field.name}, found {part!r}")
    if step is not None and int(step) < 1:
        raise CronError(f"Expected steps of 1 or more for {field.name}, found {part!r}")
    return Range(first, last, int(step or 1))


def _value(text: str, field: Field, names: Mapping[str, int]) -> int:
    number = names.get(text.upper())
    if number is None and text.isascii() and text.isdigit() and len(text) < 5:
        number = int(text)
    if number is None or not field.first <= number <= field.last:
        raise CronError(f"Expected {field.first}-{field.last} for {field.name}, found {text!r}")
    return number


def _interval_ms(text: str) -> int:
    """A duration in whole seconds as cron counts them, and at least one."""
    return max(1, parse_duration_ms(text, UNITS_MS) // 1_000) * 1_000


def parse_duration_ms(text: str, units_ms: Mapping[str, float]) -> int:
    """A duration like ``1h30m`` behind ``@every``. Raises `CronError` for anything else."""
    pieces = _DURATION.findall(text)
    whole = "".join(number + unit for number, unit in pieces)
    if not pieces or whole != text or any(unit not in units_ms for _, unit in pieces):
        raise CronError(f"Expected a duration like 1h30m after @every, found {text!r}")
    total_ms = sum(float(number) * units_ms[unit] for number, unit in pieces)
    if not total_ms < EVERY_MAX / timedelta(milliseconds=1):
        raise CronError(f"Expected a duration below {EVERY_MAX.days} days after @every")
    return int(total_ms)
