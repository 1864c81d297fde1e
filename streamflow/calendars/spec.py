"""A calendar specification: for each field of a date and time, the values that match. A time matches if every field does."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec


class Range(msgspec.Struct, frozen=True):
    """``start``, ``start + step``, ... up to ``end``. Without an end it is ``start`` alone; without a step, 1."""

    start: int
    end: int = 0
    step: int = 0


class Field(NamedTuple):
    """What a field may hold. Days of the week count from Sunday, which is 0 and also 7."""

    name: str
    first: int
    last: int


SECOND: Final = Field("second", 0, 59)
MINUTE: Final = Field("minute", 0, 59)
HOUR: Final = Field("hour", 0, 23)
DAY_OF_MONTH: Final = Field("day_of_month", 1, 31)
MONTH: Final = Field("month", 1, 12)
YEAR: Final = Field("year", 1970, 9999)
DAY_OF_WEEK: Final = Field("day_of_week", 0, 7)

RANGES_MAX: Final = 100
"""In one field."""


def every(field: Field) -> tuple[Range, ...]:
    """All values of the field."""
    return (Range(field.first, field.last),)


class CalendarSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Matches once a day at midnight unless fields say otherwise; no year means any year."""

    second: tuple[Range, ...] = (Range(0),)
    minute: tuple[Range, ...] = (Range(0),)
    hour: tuple[Range, ...] = (Range(0),)
    day_of_month: tuple[Range, ...] = (Range(1, 31),)
    month: tuple[Range, ...] = (Range(1, 12),)
    year: tuple[Range, ...] = ()
    day_of_week: tuple[Range, ...] = (Range(0, 6),)


def values(ranges: tuple[Range, ...], field: Field) -> frozenset[int]:
    """The values that the ranges name.

    Raises:
        ValueError: a range leaves the field, or runs backwards.
    """
    if len(ranges) > RANGES_MAX:
        raise ValueError(
            f"Expected at most {RANGES_MAX} ranges in {field.name}, found {len(ranges)}"
        )
    found: set[int] = set()
    for range_ in ranges:
        last = max(range_.end, range_.start) if not range_.end else range_.end
        step = range_.step or 1
        fits = field.first <= range_.start <= last <= field.last
        if not fits or step < 1:
            raise ValueError(
                f"Expected a range within {field.first}-{field.last} for {field.name}, found {range_.start}-{last} in "
                f"steps of {step}"
            )
        found.update(range(range_.start, last + 1, step))
    return frozenset(found)
