"""Cron texts as schedules take them, which is not quite as cron does.

    CRON_TZ=Europe/Berlin 30 6 * * MON-FRI # before work     minute hour day-of-month month day-of-week
    30 6 * * MON-FRI 2027, 15 30 6 * * MON-FRI 2027          six: with a year; seven: seconds in front too
    @daily and the like, @every 3h/15m                       an interval, with an offset that moves it

A time must match every field: where both days are restricted, it is the thirteenth that is a Friday.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from streamflow.calendars.cron import (
    MONTHS,
    TEXT_CHARS_MAX,
    UNITS_MS,
    WEEKDAYS,
    ZONE,
    CronError,
    fields_of,
    parse_duration_ms,
    parse_field,
)
from streamflow.calendars.spec import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    YEAR,
    CalendarSpec,
)

_UNITS_MS: Final = UNITS_MS | {"d": 86_400_000.0}
_WORD: Final = re.compile(r"[A-Za-z]+")
_MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_WEEKDAYS: Final = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]


class ScheduleCron(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled text: a calendar, or else an interval."""

    calendar: CalendarSpec | None = None
    every_ms: int = 0
    offset_ms: int = 0
    zone: str = ""
    comment: str = ""


def parse_schedule_cron(text: str) -> ScheduleCron:
    """What the text means. Raises `CronError` if it means nothing."""
    if len(text) > TEXT_CHARS_MAX:
        raise CronError(
            f"Expected a cron expression of at most {TEXT_CHARS_MAX} characters, found {len(text)}"
        )
    plain, _, comment = text.partition("#")
    zone, rest, comment = "", plain.strip(), comment.strip()
    if found := ZONE.fullmatch(rest):
        zone, rest = found[1], found[2].strip()
    if rest.startswith("@every "):
        every, _, offset = rest.removeprefix("@every ").strip().partition("/")
        return ScheduleCron(
            every_ms=parse_duration_ms(every, _UNITS_MS),
            offset_ms=parse_duration_ms(offset, _UNITS_MS) if offset else 0,
            zone=zone,
            comment=comment,
        )
    return ScheduleCron(calendar=_calendar(fields_of(rest), text), zone=zone, comment=comment)


def _calendar(words: list[str], text: str) -> CalendarSpec:
    if not 5 <= len(words) <= 7:
        raise CronError(
            "Expected 5 fields (minute hour day-of-month month day-of-week), 6 with a year at the end or 7 also with "
            f"seconds in front, found {len(words)} in {text!r}"
        )
    second = words.pop(0) if len(words) == 7 else "0"
    minute, hour, day, month, weekday, *year = words
    return CalendarSpec(
        second=parse_field(second, SECOND, {}),
        minute=parse_field(minute, MINUTE, {}),
        hour=parse_field(hour, HOUR, {}),
        day_of_month=parse_field(day, DAY_OF_MONTH, {}),
        month=parse_field(_short(month, _MONTHS, least=3), MONTH, MONTHS),
        year=parse_field(year[0], YEAR, {}) if year and year[0] not in "*?" else (),
        day_of_week=parse_field(_short(weekday, _WEEKDAYS, least=2), DAY_OF_WEEK, WEEKDAYS),
    )


def _short(word: str, names: list[str], *, least: int) -> str:
    """The field with each name in three letters, from whatever beginning of it is given: ``mo``, ``Thurs``."""

    def short(found: re.Match[str]) -> str:
        given = found[0].lower()
        whole = next((name for name in names if name.startswith(given)), given)
        return whole[:3] if len(given) >= least else found[0]

    return _WORD.sub(short, word)
