"""When a schedule acts, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streamflow.client import (
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleRange,
    ScheduleSpec,
)
from streamflow.ui.schedules import texts


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (ScheduleCalendarSpec(), "every day 00:00"),
        (
            ScheduleCalendarSpec(
                hour=[ScheduleRange(9)],
                minute=[ScheduleRange(30)],
                day_of_week=[ScheduleRange(1, 5)],
            ),
            "Mon-Fri 09:30",
        ),
        (
            ScheduleCalendarSpec(hour=[ScheduleRange(8, 18, 2)], month=[ScheduleRange(6)]),
            "month 6 hour 8-18/2, minute 0, second 0",
        ),
        (ScheduleCalendarSpec(comment="at night"), "at night"),
    ],
)
def test_a_calendar_is_told_shortly(spec: ScheduleCalendarSpec, text: str) -> None:
    """A time of day as a clock shows it, days by name, and nothing that matches everything."""
    assert texts(ScheduleSpec(calendars=[spec])) == [text]


def test_an_interval_is_told_with_its_offset() -> None:
    """Where it has one."""
    every = ScheduleIntervalSpec(every=timedelta(hours=2), offset=timedelta(minutes=5))

    assert texts(ScheduleSpec(intervals=[every])) == ["every 2 h from 5 m"]
