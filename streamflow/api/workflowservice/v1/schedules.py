"""Messages that make, show, change, list and delete schedules."""

from __future__ import annotations

from streamflow.api.common.v1 import Memo, SearchAttributes
from streamflow.api.message import Message, child, field, many
from streamflow.api.schedule.v1 import Schedule, ScheduleInfo, ScheduleListEntry, SchedulePatch
from streamflow.api.times import Timestamp


class CreateScheduleRequest(Message):
    namespace = field(1, "")
    schedule_id = field(2, "")
    schedule = child(3, Schedule)
    initial_patch = child(4, SchedulePatch)
    identity = field(5, "")
    request_id = field(6, "")
    memo = child(7, Memo)
    search_attributes = child(8, SearchAttributes)


class CreateScheduleResponse(Message):
    conflict_token = field(1, b"")


class DescribeScheduleRequest(Message):
    namespace = field(1, "")
    schedule_id = field(2, "")


class DescribeScheduleResponse(Message):
    schedule = child(1, Schedule)
    info = child(2, ScheduleInfo)
    memo = child(3, Memo)
    search_attributes = child(4, SearchAttributes)
    conflict_token = field(5, b"")


class UpdateScheduleRequest(Message):
    namespace = field(1, "")
    schedule_id = field(2, "")
    schedule = child(3, Schedule)
    conflict_token = field(4, b"")
    identity = field(5, "")
    request_id = field(6, "")
    search_attributes = child(7, SearchAttributes)


class UpdateScheduleResponse(Message):
    """Nothing."""


class PatchScheduleRequest(Message):
    namespace = field(1, "")
    schedule_id = field(2, "")
    patch = child(3, SchedulePatch)
    identity = field(4, "")
    request_id = field(5, "")


class PatchScheduleResponse(Message):
    """Nothing."""


class ListScheduleMatchingTimesRequest(Message):
    namespace = field(1, "")
    schedule_id = field(2, "")
    start_time = child(3, Timestamp)
    end_time = child(4, Timestamp)


class ListScheduleMatchingTimesResponse(Message):
    start_time = many(1, Timestamp)


class DeleteScheduleRequest(Message):
    namespace = field(1, "")
    schedule_id = field(2, "")
    identity = field(3, "")


class DeleteScheduleResponse(Message):
    """Nothing."""


class ListSchedulesRequest(Message):
    namespace = field(1, "")
    maximum_page_size = field(2, 0)
    next_page_token = field(3, b"")
    query = field(4, "")


class ListSchedulesResponse(Message):
    schedules = many(1, ScheduleListEntry)
    next_page_token = field(2, b"")
