"""When a schedule is due: intervals and calendars together, within their bounds, moved by the jitter."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.calendars import parse_schedule_cron
from streamflow.schedules import Interval, Spec, next_times, refuse_spec

HOUR_MS = 3_600_000
BEGIN_MS = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)


def hours(spec: Spec, count: int = 4, *, after_ms: int = BEGIN_MS) -> list[float]:
    """The next nominal times, as hours since the begin."""
    times = islice(next_times(spec, after_ms, UTC, "s"), count)
    return [(due.nominal_ms - BEGIN_MS) / HOUR_MS for due in times]


def every(hours: int, offset_ms: int = 0) -> Interval:
    return Interval(every_ms=hours * HOUR_MS, offset_ms=offset_ms)


def daily(hour: int, weekdays: str = "*") -> Spec:
    calendar = parse_schedule_cron(f"0 {hour} * * {weekdays}").calendar
    assert calendar is not None
    return Spec(calendars=(calendar,))


def test_an_interval_counts_from_the_epoch_and_is_moved_by_its_offset() -> None:
    assert hours(Spec(intervals=(every(2),))) == [2, 4, 6, 8]
    assert hours(Spec(intervals=(every(2, HOUR_MS // 2),))) == [0.5, 2.5, 4.5, 6.5]


def test_any_of_them_counts_and_a_time_of_two_comes_once() -> None:
    spec = Spec(intervals=(every(4), every(6)), calendars=daily(5).calendars)

    assert hours(spec, 7) == [4, 5, 6, 8, 12, 16, 18]


def test_nothing_comes_before_the_start_or_after_the_end() -> None:
    """Both belong to it."""
    spec = Spec(
        intervals=(every(2),),
        start_at_ms=BEGIN_MS + 4 * HOUR_MS,
        end_at_ms=BEGIN_MS + 8 * HOUR_MS,
    )

    assert hours(spec) == [4, 6, 8]
    assert hours(spec, after_ms=BEGIN_MS + 6 * HOUR_MS) == [8]
    assert hours(spec, after_ms=BEGIN_MS + 8 * HOUR_MS) == []


def test_what_matches_a_skipped_calendar_does_not_come() -> None:
    """Sunday is March 1."""
    spec = Spec(calendars=daily(12).calendars, skip=daily(12, "mon,tue").calendars)

    assert hours(spec) == [12, 84, 108, 132]


def test_nothing_ever_is_due_without_calendars_and_intervals() -> None:
    assert hours(Spec()) == []


@given(jitter_ms=st.integers(1, 48 * HOUR_MS), seed=st.text(max_size=5))
def test_jitter_moves_a_time_on_and_never_as_far_as_the_next(jitter_ms: int, seed: str) -> None:
    """And always alike, for the same schedule."""
    spec = Spec(intervals=(every(3),), jitter_ms=jitter_ms)

    times = list(islice(next_times(spec, BEGIN_MS, UTC, seed), 5))

    for due, following in pairwise(times):
        assert due.nominal_ms <= due.at_ms <= due.nominal_ms + jitter_ms
        assert due.at_ms < following.nominal_ms
    assert times == list(islice(next_times(spec, BEGIN_MS, UTC, seed), 5))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (Spec(intervals=(Interval(every_ms=999),)), "a second or more"),
        (Spec(intervals=(Interval(every_ms=HOUR_MS, offset_ms=HOUR_MS),)), "offset from 0"),
        (Spec(intervals=(Interval(every_ms=HOUR_MS, offset_ms=-1),)), "offset from 0"),
        (Spec(intervals=(every(1),) * 101), "at most 100"),
    ],
)
def test_what_could_never_be_carried_out_is_refused(spec: Spec, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        refuse_spec(spec, UTC)
