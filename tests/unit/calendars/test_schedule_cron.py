"""Cron texts of schedules: what they mean, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.calendars import CronError, next_match, parse_schedule_cron


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("0 8 13 * FRI", ["2026-02-13 08:00:00", "2026-03-13 08:00:00", "2026-11-13 08:00:00"]),
        ("0 0 * jan,Februa mo", ["2026-01-05 00:00:00", "2026-01-12 00:00:00"]),
        ("0 0 1 1 * 2030-2034/2", ["2030-01-01 00:00:00", "2032-01-01 00:00:00"]),
        ("*/30 59 23 * * thurs-sat *", ["2026-01-01 23:59:00", "2026-01-01 23:59:30"]),
        ("0 0 * * 7", ["2026-01-04 00:00:00", "2026-01-11 00:00:00"]),
        ("20/20 0 1 * *", ["2026-01-01 00:20:00", "2026-01-01 00:40:00", "2026-02-01 00:20:00"]),
        ("@monthly", ["2026-02-01 00:00:00", "2026-03-01 00:00:00"]),
    ],
)
def test_a_time_matches_every_field(text: str, times: list[str]) -> None:
    """Both days, where both are restricted; names in any length that says which; a year behind, seconds in front."""
    calendar = parse_schedule_cron(text).calendar
    assert calendar is not None

    found, moment = [], datetime(2026, 1, 1, tzinfo=UTC)
    for _ in times:
        following = next_match(calendar, moment, UTC)
        assert following is not None
        found.append(f"{following:%Y-%m-%d %H:%M:%S}")
        moment = following
    assert found == times


@pytest.mark.parametrize(
    ("text", "every_ms", "offset_ms"),
    [
        ("@every 90s", 90_000, 0),
        ("@every 1h30m", 5_400_000, 0),
        ("@every 3d/6h", 259_200_000, 21_600_000),
    ],
)
def test_intervals_may_be_moved(text: str, every_ms: int, offset_ms: int) -> None:
    found = parse_schedule_cron(text)

    assert found.calendar is None
    assert (found.every_ms, found.offset_ms) == (every_ms, offset_ms)


def test_zone_and_comment_are_taken_off() -> None:
    found = parse_schedule_cron("CRON_TZ=Europe/Berlin 0 6 * * * # before work")

    assert (found.zone, found.comment) == ("Europe/Berlin", "before work")
    assert found.calendar == parse_schedule_cron("0 6 * * *").calendar


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("* * * *", "Expected 5 fields"),
        ("0 0 0 1 1 * 2030 2031", "found 8"),
        ("@often", "Expected a descriptor like"),
        ("@every soon", "Expected a duration like"),
        ("@every 1h/x", "Expected a duration like"),
        ("0 0 * * m", "day_of_week"),
        ("0 0 1 1 * 1066", "year"),
        ("", "Expected 5 fields"),
    ],
)
def test_what_is_no_expression_says_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(CronError, match=said):
        parse_schedule_cron(text)


@given(st.text(max_size=60) | st.text("0123456789*/-,?#@ aefhmnotuwMW", max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    """With nothing else than that error."""
    try:
        found = parse_schedule_cron(text)
    except CronError:
        return
    assert (found.calendar is None) == bool(found.every_ms or "@every" in text)
