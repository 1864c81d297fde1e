"""Schedules as raw requests speak of them. Other names are as in `streamflow.api.absent`."""

from __future__ import annotations

from typing import ClassVar

from streamflow.api.absent import absent_messages
from streamflow.api.common.v1 import Memo, SearchAttributes, WorkflowExecution, WorkflowType
from streamflow.api.enums.v1 import ScheduleOverlapPolicy
from streamflow.api.files import also_in
from streamflow.api.message import Message, child, field, many
from streamflow.api.message_fields import choice, long, texts
from streamflow.api.times import Duration, Timestamp
from streamflow.api.workflow.v1 import NewWorkflowExecutionInfo

__all__ = [
    "BackfillRequest",
    "CalendarSpec",
    "IntervalSpec",
    "Range",
    "Schedule",
    "ScheduleAction",
    "ScheduleActionResult",
    "ScheduleInfo",
    "ScheduleListEntry",
    "ScheduleListInfo",
    "SchedulePatch",
    "SchedulePolicies",
    "ScheduleSpec",
    "ScheduleState",
    "StructuredCalendarSpec",
    "TriggerImmediatelyRequest",
]

__getattr__ = absent_messages(__name__)


class CalendarSpec(Message):
    """Fields as a cron expression writes them; becomes a `StructuredCalendarSpec`."""

    second = field(1, "")
    minute = field(2, "")
    hour = field(3, "")
    day_of_month = field(4, "")
    month = field(5, "")
    year = field(6, "")
    day_of_week = field(7, "")
    comment = field(8, "")


class Range(Message):
    start = field(1, 0)
    end = field(2, 0)
    step = field(3, 0)


class StructuredCalendarSpec(Message):
    """Times at which all of these fields match."""

    second = many(1, Range)
    minute = many(2, Range)
    hour = many(3, Range)
    day_of_month = many(4, Range)
    month = many(5, Range)
    year = many(6, Range)
    day_of_week = many(7, Range)
    comment = field(8, "")


class IntervalSpec(Message):
    interval = child(1, Duration)
    phase = child(2, Duration)


class ScheduleSpec(Message):
    """When. Texts become structured calendars and intervals, as which they are shown."""

    calendar = many(1, CalendarSpec)
    interval = many(2, IntervalSpec)
    exclude_calendar = many(3, CalendarSpec)
    start_time = child(4, Timestamp)
    end_time = child(5, Timestamp)
    jitter = child(6, Duration)
    structured_calendar = many(7, StructuredCalendarSpec)
    cron_string = texts(8)
    exclude_structured_calendar = many(9, StructuredCalendarSpec)
    timezone_name = field(10, "")
    timezone_data = field(11, b"")


class SchedulePolicies(Message):
    overlap_policy = choice(1, ScheduleOverlapPolicy)
    catchup_window = child(2, Duration)
    pause_on_failure = field(3, False)
    keep_original_workflow_id = field(4, False)


class ScheduleAction(Message):
    _oneofs: ClassVar = {"action": ("start_workflow",)}

    start_workflow = child(1, NewWorkflowExecutionInfo)


class ScheduleActionResult(Message):
    schedule_time = child(1, Timestamp)
    actual_time = child(2, Timestamp)
    start_workflow_result = child(11, WorkflowExecution)


class ScheduleState(Message):
    notes = field(1, "")
    paused = field(2, False)
    limited_actions = field(3, False)
    remaining_actions = long(4)


class TriggerImmediatelyRequest(Message):
    overlap_policy = choice(1, ScheduleOverlapPolicy)


class BackfillRequest(Message):
    start_time = child(1, Timestamp)
    end_time = child(2, Timestamp)
    overlap_policy = choice(3, ScheduleOverlapPolicy)


class SchedulePatch(Message):
    """``pause`` and ``unpause`` are notes; one that is empty asks for nothing."""

    trigger_immediately = child(1, TriggerImmediatelyRequest)
    backfill_request = many(2, BackfillRequest)
    pause = field(3, "")
    unpause = field(4, "")


class ScheduleInfo(Message):
    """What a schedule has done, and when it acts next."""

    action_count = long(1)
    missed_catchup_window = long(2)
    overlap_skipped = long(3)
    recent_actions = many(4, ScheduleActionResult)
    future_action_times = many(5, Timestamp)
    create_time = child(6, Timestamp)
    update_time = child(7, Timestamp)
    running_workflows = many(9, WorkflowExecution)
    buffer_size = long(10)
    buffer_dropped = long(11)


class Schedule(Message):
    spec = child(1, ScheduleSpec)
    action = child(2, ScheduleAction)
    policies = child(3, SchedulePolicies)
    state = child(4, ScheduleState)


class ScheduleListInfo(Message):
    spec = child(1, ScheduleSpec)
    workflow_type = child(2, WorkflowType)
    notes = field(3, "")
    paused = field(4, False)
    recent_actions = many(5, ScheduleActionResult)
    future_action_times = many(6, Timestamp)


class ScheduleListEntry(Message):
    schedule_id = field(1, "")
    memo = child(2, Memo)
    search_attributes = child(3, SearchAttributes)
    info = child(4, ScheduleListInfo)


also_in(__name__, "message_pb2")
