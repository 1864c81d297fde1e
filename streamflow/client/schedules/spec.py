"""When a schedule acts, as users write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from streamflow.calendars import CalendarSpec, CronError, Range, parse_schedule_cron
from streamflow.common.durations import to_ms
from streamflow.schedules import Interval, Spec


@dataclass(frozen=True)
class ScheduleRange:
    """``start``, ``start + step``, ... up to ``end``; both ends belong to it."""

    start: int
    end: int = 0
    """Default: ``start``, which is also taken if the end is lower."""
    step: int = 0
    """Default: 1."""

    def __post_init__(self) -> None:
        if self.end < self.start:
            object.__setattr__(self, "end", self.start)
        if self.step == 0:
            object.__setattr__(self, "step", 1)


_ZERO = (ScheduleRange(0),)


@dataclass
class ScheduleCalendarSpec:
    """Times at which all of these fields match. By default midnight of every day. Days of the week: Sunday is 0."""

    second: Sequence[ScheduleRange] = _ZERO
    minute: Sequence[ScheduleRange] = _ZERO
    hour: Sequence[ScheduleRange] = _ZERO
    day_of_month: Sequence[ScheduleRange] = (ScheduleRange(1, 31),)
    month: Sequence[ScheduleRange] = (ScheduleRange(1, 12),)
    year: Sequence[ScheduleRange] = ()
    """Default: any."""
    day_of_week: Sequence[ScheduleRange] = (ScheduleRange(0, 6),)
    comment: str | None = None


@dataclass
class ScheduleIntervalSpec:
    """Every so often, counted from the epoch and moved by ``offset``."""

    every: timedelta
    offset: timedelta | None = None


@dataclass
class ScheduleSpec:
    """When: at the times of any calendar, interval or cron expression, unless a calendar of ``skip`` matches."""

    calendars: Sequence[ScheduleCalendarSpec] = field(default_factory=list[ScheduleCalendarSpec])
    intervals: Sequence[ScheduleIntervalSpec] = field(default_factory=list[ScheduleIntervalSpec])
    cron_expressions: Sequence[str] = field(default_factory=list[str])
    """Become calendars and intervals: a description shows them there."""
    skip: Sequence[ScheduleCalendarSpec] = field(default_factory=list[ScheduleCalendarSpec])
    start_at: datetime | None = None
    """Nothing before it. Default: no such bound."""
    end_at: datetime | None = None
    """Nothing after it. Default: no such bound."""
    jitter: timedelta | None = None
    """Each time is moved on by up to this much, and never as far as the next time. Default: not at all."""
    time_zone_name: str | None = None
    """An IANA name, for calendars and cron expressions. Default: UTC."""


def to_facts(spec: ScheduleSpec) -> Spec:
    """Raises `CronError` for a cron expression that is none, or a time zone named twice differently."""
    calendars = [_calendar(calendar) for calendar in spec.calendars]
    comments = [calendar.comment or "" for calendar in spec.calendars]
    intervals = [
        Interval(every_ms=to_ms(one.every), offset_ms=to_ms(one.offset) if one.offset else 0)
        for one in spec.intervals
    ]
    zone = spec.time_zone_name or ""
    for text in spec.cron_expressions:
        cron = parse_schedule_cron(text)
        if cron.calendar is None:
            intervals.append(Interval(every_ms=cron.every_ms, offset_ms=cron.offset_ms))
        else:
            calendars.append(cron.calendar)
            comments.append(cron.comment)
        if cron.zone and zone not in ("", cron.zone):
            raise CronError(
                f"Expected one time zone for all expressions, found {zone} and {cron.zone}"
            )
        zone = cron.zone or zone
    return Spec(
        calendars=tuple(calendars),
        comments=tuple(comments),
        intervals=tuple(intervals),
        skip=tuple(_calendar(calendar) for calendar in spec.skip),
        skip_comments=tuple(calendar.comment or "" for calendar in spec.skip),
        start_at_ms=_moment_ms(spec.start_at),
        end_at_ms=_moment_ms(spec.end_at),
        jitter_ms=to_ms(spec.jitter) if spec.jitter else 0,
        time_zone=zone,
    )


def of_facts(spec: Spec) -> ScheduleSpec:
    return ScheduleSpec(
        calendars=_shown(spec.calendars, spec.comments),
        intervals=[
            ScheduleIntervalSpec(
                every=timedelta(milliseconds=one.every_ms),
                offset=timedelta(milliseconds=one.offset_ms) if one.offset_ms else None,
            )
            for one in spec.intervals
        ],
        cron_expressions=[],
        skip=_shown(spec.skip, spec.skip_comments),
        start_at=_moment(spec.start_at_ms),
        end_at=_moment(spec.end_at_ms),
        jitter=timedelta(milliseconds=spec.jitter_ms) if spec.jitter_ms else None,
        time_zone_name=spec.time_zone or None,
    )


def _calendar(calendar: ScheduleCalendarSpec) -> CalendarSpec:
    def ranges(found: Sequence[ScheduleRange]) -> tuple[Range, ...]:
        return tuple(Range(one.start, one.end, one.step) for one in found)

    return CalendarSpec(
        second=ranges(calendar.second),
        minute=ranges(calendar.minute),
        hour=ranges(calendar.hour),
        day_of_month=ranges(calendar.day_of_month),
        month=ranges(calendar.month),
        year=ranges(calendar.year),
        day_of_week=ranges(calendar.day_of_week),
    )


def _shown(
    calendars: Sequence[CalendarSpec], comments: Sequence[str]
) -> list[ScheduleCalendarSpec]:
    def ranges(found: Sequence[Range]) -> tuple[ScheduleRange, ...]:
        return tuple(ScheduleRange(one.start, one.end, one.step) for one in found)

    return [
        ScheduleCalendarSpec(
            second=ranges(calendar.second),
            minute=ranges(calendar.minute),
            hour=ranges(calendar.hour),
            day_of_month=ranges(calendar.day_of_month),
            month=ranges(calendar.month),
            year=ranges(calendar.year),
            day_of_week=ranges(calendar.day_of_week),
            comment=comment or None,
        )
        for calendar, comment in zip(calendars, comments, strict=True)
    ]


def _moment_ms(moment: datetime | None) -> int | None:
    """A moment without a zone is UTC."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _moment(milliseconds: int | None) -> datetime | None:
    if milliseconds is None:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
