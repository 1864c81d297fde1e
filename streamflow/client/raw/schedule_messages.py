"""A schedule as it is stored, in the messages that raw requests are answered with."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from streamflow.api.common.v1 import WorkflowExecution
from streamflow.api.enums.v1 import ScheduleOverlapPolicy
from streamflow.api.history.telling.values import fill_duration
from streamflow.api.schedule import v1 as messages
from streamflow.api.times import Duration, Timestamp
from streamflow.api.workflow.v1 import NewWorkflowExecutionInfo
from streamflow.calendars import CalendarSpec
from streamflow.client.raw.sending import write_retry_policy
from streamflow.converter import DataConverter
from streamflow.model.answers import Description
from streamflow.model.payload import Payload
from streamflow.schedules import OWN_ATTRIBUTES, Described, Schedule, Spec
from streamflow.schedules.facts import Action, ActionResult

LISTED_MAX = 5
"""Recent and coming times of a schedule in a list."""


def token_of(schedule: Schedule) -> bytes:
    """Another one for each state of a schedule."""
    return blake2b(msgspec.json.encode(schedule), digest_size=16).digest()


def message_of(schedule: Schedule) -> messages.Schedule:
    made = messages.Schedule(spec=_spec(schedule.spec))
    made.action.start_workflow.CopyFrom(_action(schedule.action))
    policy, state = schedule.policy, schedule.state
    made.policies.overlap_policy = ScheduleOverlapPolicy(int(policy.overlap))
    made.policies.catchup_window.CopyFrom(_duration(policy.catchup_window_ms))
    made.policies.pause_on_failure = policy.pause_on_failure
    made.state.notes, made.state.paused = state.note, state.paused
    made.state.limited_actions = state.limited_actions
    made.state.remaining_actions = state.remaining_actions
    return made


def info_of(said: Described) -> messages.ScheduleInfo:
    info = said.info
    made = messages.ScheduleInfo(
        action_count=info.num_actions,
        missed_catchup_window=info.missed_catchup_window,
        overlap_skipped=info.skipped_overlap,
        recent_actions=[_result(one) for one in info.recent],
        future_action_times=[moment(at_ms) for at_ms in said.upcoming_ms],
        create_time=moment(info.created_ms),
        running_workflows=[
            WorkflowExecution(workflow_id=one.workflow_id, run_id=one.run_id)
            for one in info.running
        ],
        buffer_size=len(info.buffer),
        buffer_dropped=info.buffer_dropped,
    )
    if info.updated_ms:
        made.update_time.FromMilliseconds(info.updated_ms)
    return made


def entry_of(schedule_id: str, said: Described, run: Description) -> messages.ScheduleListEntry:
    schedule = said.schedule
    made = messages.ScheduleListEntry(schedule_id=schedule_id)
    made.memo.fields.update(run.memo)
    made.search_attributes.indexed_fields.update(attributes_of(run))
    made.info.spec.CopyFrom(_spec(schedule.spec))
    made.info.workflow_type.name = schedule.action.workflow
    made.info.notes, made.info.paused = schedule.state.note, schedule.state.paused
    made.info.recent_actions.extend(_result(one) for one in said.info.recent[-LISTED_MAX:])
    made.info.future_action_times.extend(moment(at) for at in said.upcoming_ms[:LISTED_MAX])
    return made


def attributes_of(run: Description) -> dict[str, Payload]:
    """Those that its user gave it."""
    found = run.search_attributes.items()
    return {name: payload for name, payload in found if name not in OWN_ATTRIBUTES}


def moment(milliseconds: int) -> Timestamp:
    made = Timestamp()
    made.FromMilliseconds(milliseconds)
    return made


def _duration(milliseconds: int) -> Duration:
    made = Duration()
    made.FromMilliseconds(milliseconds)
    return made


def _result(one: ActionResult) -> messages.ScheduleActionResult:
    return messages.ScheduleActionResult(
        schedule_time=moment(one.scheduled_ms),
        actual_time=moment(one.started_ms),
        start_workflow_result=WorkflowExecution(workflow_id=one.workflow_id, run_id=one.run_id),
    )


def _action(action: Action) -> NewWorkflowExecutionInfo:
    made = NewWorkflowExecutionInfo(workflow_id=action.id)
    made.workflow_type.name, made.task_queue.name = action.workflow, action.queue
    made.input.payloads.extend(action.args)
    fill_duration(made.workflow_execution_timeout, action.execution_timeout_ms)
    fill_duration(made.workflow_run_timeout, action.run_timeout_ms)
    fill_duration(made.workflow_task_timeout, action.task_timeout_ms)
    if action.retry_policy is not None:
        write_retry_policy(action.retry_policy, made.retry_policy)
    made.memo.fields.update(action.memo)
    made.search_attributes.indexed_fields.update(action.search_attributes)
    made.header.fields.update(action.headers)
    encode = DataConverter.default.payload_converter.to_payload
    if action.static_summary:
        made.user_metadata.summary.CopyFrom(encode(action.static_summary))
    if action.static_details:
        made.user_metadata.details.CopyFrom(encode(action.static_details))
    if action.priority or action.fairness_key:
        made.priority.priority_key = action.priority
        made.priority.fairness_key = action.fairness_key
        made.priority.fairness_weight = action.fairness_weight
    return made


def _spec(spec: Spec) -> messages.ScheduleSpec:
    made = messages.ScheduleSpec(timezone_name=spec.time_zone)
    for calendar, comment in zip(spec.calendars, spec.comments, strict=True):
        made.structured_calendar.append(_calendar(calendar, comment))
    for calendar, comment in zip(spec.skip, spec.skip_comments, strict=True):
        made.exclude_structured_calendar.append(_calendar(calendar, comment))
    for one in spec.intervals:
        made.interval.append(
            messages.IntervalSpec(interval=_duration(one.every_ms), phase=_duration(one.offset_ms))
        )
    if spec.start_at_ms is not None:
        made.start_time.FromMilliseconds(spec.start_at_ms)
    if spec.end_at_ms is not None:
        made.end_time.FromMilliseconds(spec.end_at_ms)
    if spec.jitter_ms:
        made.jitter.FromMilliseconds(spec.jitter_ms)
    return made


def _calendar(calendar: CalendarSpec, comment: str) -> messages.StructuredCalendarSpec:
    made = messages.StructuredCalendarSpec(comment=comment)
    for name in CalendarSpec.__struct_fields__:
        getattr(made, name).extend(
            messages.Range(start=one.start, end=max(one.start, one.end), step=one.step or 1)
            for one in getattr(calendar, name)
        )
    return made
