"""When something recurs: calendar specifications, cron texts that compile to them, and the next time of either.

Pure: times are arguments, and the rules of a time zone come in as a ``tzinfo``. Used by workflows with a cron schedule and
by schedules alike.
"""

from streamflow.calendars.cron import Cron, CronError, parse_cron
from streamflow.calendars.matching import matches, next_match
from streamflow.calendars.schedule_cron import ScheduleCron, parse_schedule_cron
from streamflow.calendars.spec import CalendarSpec, Range

__all__ = [
    "CalendarSpec",
    "Cron",
    "CronError",
    "Range",
    "ScheduleCron",
    "matches",
    "next_match",
    "parse_cron",
    "parse_schedule_cron",
]
