"""Calendars and cron texts: what matches, what comes next, and what is refused, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamflow.calendars import (
    CalendarSpec,
    CronError,
    Range,
    matches,
    next_match,
    parse_cron,
)
from streamflow.calendars.spec import DAY_OF_MONTH, HOUR, MINUTE, MONTH, Field

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
MINUTE_STEP = timedelta(minutes=1)


def ranges(field: Field) -> st.SearchStrategy[tuple[Range, ...]]:
    one = st.tuples(
        st.integers(field.first, field.last),
        st.integers(field.first, field.last),
        st.integers(1, 20),
    ).map(lambda drawn: Range(min(drawn[:2]), max(drawn[:2]), drawn[2]))
    return st.lists(one, min_size=1, max_size=3).map(tuple)


dense_specs = st.builds(
    CalendarSpec, minute=ranges(MINUTE), hour=ranges(HOUR), second=st.just((Range(0),))
)
specs = st.builds(
    CalendarSpec,
    minute=ranges(MINUTE),
    hour=ranges(HOUR),
    day_of_month=ranges(DAY_OF_MONTH),
    month=ranges(MONTH),
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
shifts = st.sampled_from(
    [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2026, 3, 8, 7, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
        datetime(2026, 4, 4, 15, tzinfo=UTC),
        datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    ]
)
near_shifts = st.builds(
    lambda shift, minutes: shift + timedelta(minutes=minutes), shifts, st.integers(-400, 400)
)


@given(specs, moments, zones)
def test_the_next_match_is_later_and_matches(
    spec: CalendarSpec, after: datetime, zone: ZoneInfo
) -> None:
    """Whatever the specification: what comes next is after now, and is what was asked for."""
    found = next_match(spec, after, zone)

    if found is not None:
        assert found > after
        assert found.tzinfo is UTC
        assert matches(spec, found, zone)


@settings(max_examples=60)
@given(dense_specs, near_shifts, zones)
def test_nothing_that_matches_is_passed_over(
    spec: CalendarSpec, after: datetime, zone: ZoneInfo
) -> None:
    """Held against looking at every minute of two days around a change of the clocks."""
    found = next_match(spec, after, zone)

    assert found is not None
    minute = after.replace(second=0, microsecond=0) + MINUTE_STEP
    while not matches(spec, minute, zone) and minute - after < timedelta(days=2):
        minute += MINUTE_STEP
    assert found == minute


@given(specs, moments, zones)
def test_going_on_from_each_match_goes_up(
    spec: CalendarSpec, after: datetime, zone: ZoneInfo
) -> None:
    """A chain of runs never stands still."""
    time: datetime | None = after
    for _ in range(5):
        assert time is not None
        following = next_match(spec, time, zone)
        if following is None:
            return
        assert following > time
        time = following


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("30 6 * * MON-FRI", ["2026-11-23T06:30", "2026-11-24T06:30"]),
        ("*/20 3 * * *", ["2026-11-22T03:00", "2026-11-22T03:20", "2026-11-22T03:40"]),
        ("0 12 1,15 * *", ["2026-12-01T12:00", "2026-12-15T12:00", "2027-01-01T12:00"]),
        ("0 0 29 2 *", ["2028-02-29T00:00"]),
        ("0 0 13 * FRI", ["2026-11-27T00:00", "2026-12-04T00:00", "2026-12-11T00:00"]),
        ("5/30 4 * * *", ["2026-11-22T04:05", "2026-11-22T04:35"]),
        ("0 9 * jan sun", ["2027-01-03T09:00"]),
        ("0 9 * * 7", ["2026-11-22T09:00", "2026-11-29T09:00"]),
        ("? ? 1 ? ?", ["2026-12-01T00:00", "2026-12-01T00:01"]),
        ("@hourly", ["2026-11-22T01:00", "2026-11-22T02:00"]),
        ("@daily", ["2026-11-23T00:00"]),
        ("@weekly", ["2026-11-29T00:00"]),
        ("@monthly", ["2026-12-01T00:00"]),
        ("@yearly", ["2027-01-01T00:00"]),
        ("@every 1h30m", ["2026-11-22T01:30", "2026-11-22T03:00"]),
    ],
)
def test_a_cron_text_means_these_times(text: str, times: list[str]) -> None:
    """From the first minute of November 22, 2026, a Sunday, in UTC."""
    cron = parse_cron(text)
    time: datetime | None = datetime(2026, 11, 22, tzinfo=UTC)
    for expected in times:
        assert time is not None
        time = cron.next(time, UTC)
        assert time == datetime.fromisoformat(expected).replace(tzinfo=UTC), text


def test_an_hour_that_clocks_skip_is_left_out_and_one_that_they_repeat_comes_twice() -> None:
    berlin, cron = ZoneInfo("Europe/Berlin"), parse_cron("CRON_TZ=Europe/Berlin 30 2 * * *")
    assert cron.zone == "Europe/Berlin"

    spring = cron.next(datetime(2026, 3, 28, 12, tzinfo=UTC), berlin)
    autumn = cron.next(datetime(2026, 10, 24, 12, tzinfo=UTC), berlin)
    assert autumn is not None

    assert spring == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    assert autumn == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert cron.next(autumn, berlin) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_repeated_hour_that_is_half_a_year_away_comes_twice_too() -> None:
    """Clocks stand when it is asked as they do when the hour comes for the second time."""
    berlin, cron = ZoneInfo("Europe/Berlin"), parse_cron("30 2 25 10 *")

    first = cron.next(datetime(2026, 1, 1, tzinfo=UTC), berlin)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert cron.next(first, berlin) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_an_interval_counts_from_its_begin_and_leaves_out_what_has_passed() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    cron = parse_cron("@every 10m")

    late = cron.next(begin + timedelta(minutes=34), UTC, since=begin)

    assert late == begin + timedelta(minutes=40)


def test_what_never_comes_is_none() -> None:
    assert parse_cron("0 0 30 2 *").next(datetime(2026, 1, 1, tzinfo=UTC), UTC) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "5 fields"),
        ("* * * *", "5 fields"),
        ("* * * * * *", "5 fields"),
        ("60 * * * *", "0-59 for minute"),
        ("* 24 * * *", "0-23 for hour"),
        ("* * 0 * *", "1-31 for day_of_month"),
        ("* * * 13 *", "1-12 for month"),
        ("* * * * 8", "0-7 for day_of_week"),
        ("* * * * NODAY", "0-7 for day_of_week"),
        ("5-1 * * * *", "goes up"),
        ("*/0 * * * *", "steps of 1"),
        ("*-5 * * * *", "or a range"),
        ("a,b * * * *", "0-59 for minute"),
        ("@never", "descriptor"),
        ("@every soon", "duration"),
        ("@every 1000000000h", "days"),
        ("* " * 600, "characters"),
    ],
)
def test_what_is_no_schedule_says_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(CronError, match=said):
        parse_cron(text)


@given(st.text(max_size=40))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    """Nothing else comes of bad input."""
    try:
        cron = parse_cron(text)
    except CronError:
        return
    cron.next(datetime(2026, 1, 1, tzinfo=UTC), timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    "spec",
    [
        CalendarSpec(minute=(Range(60),)),
        CalendarSpec(hour=(Range(5, 3),)),
        CalendarSpec(month=(Range(1, 12, -1),)),
        CalendarSpec(month=()),
    ],
)
def test_a_specification_that_cannot_be_is_refused(spec: CalendarSpec) -> None:
    with pytest.raises(ValueError, match="Expected"):
        next_match(spec, datetime(2026, 1, 1, tzinfo=UTC), UTC)
