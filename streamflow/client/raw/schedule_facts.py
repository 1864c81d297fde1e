"""What a raw request says of a schedule, as it is stored. Payloads go as they are."""

from __future__ import annotations

import msgspec

from streamflow.api.enums.v1 import WorkflowIdReusePolicy
from streamflow.api.schedule import v1 as messages
from streamflow.api.times import Timestamp
from streamflow.api.workflow.v1 import NewWorkflowExecutionInfo
from streamflow.calendars import CalendarSpec, CronError, Range, parse_schedule_cron
from streamflow.client.raw.sending import optional_ms, retry_policy_of, text_of
from streamflow.model.bounds import refused_run
from streamflow.schedules import Backfill, Interval, Overlap, Policy, Schedule, Spec, State
from streamflow.schedules.facts import Action, Patch
from streamflow.service import RPCError, RPCStatusCode


def schedule_of(given: messages.Schedule) -> Schedule:
    """Raises RPCError for what no schedule here does."""
    policies, state = given.policies, given.state
    if policies.keep_original_workflow_id:
        raise RPCError(
            "Expected policies without keep_original_workflow_id: workflow IDs have the time appended here",
            RPCStatusCode.UNIMPLEMENTED,
        )
    return Schedule(
        action=_action(given.action),
        spec=_spec(given.spec),
        policy=Policy(
            overlap=_overlap(policies.overlap_policy) or Overlap.SKIP,
            catchup_window_ms=optional_ms(policies.catchup_window) or Policy().catchup_window_ms,
            pause_on_failure=policies.pause_on_failure,
        ),
        state=State(
            note=state.notes,
            paused=state.paused,
            limited_actions=state.limited_actions,
            remaining_actions=state.remaining_actions,
        ),
    )


def patch_of(given: messages.SchedulePatch) -> Patch:
    """Raises RPCError, INVALID_ARGUMENT, for a patch that pauses and unpauses."""
    if given.pause and given.unpause:
        raise _invalid("Expected pause or unpause in a patch, found both")
    trigger = given.HasField("trigger_immediately")
    return Patch(
        paused=True if given.pause else False if given.unpause else None,
        note=given.pause or given.unpause or None,
        trigger=trigger,
        overlap=_overlap(given.trigger_immediately.overlap_policy) if trigger else None,
        backfills=tuple(
            Backfill(
                start_at_ms=one.start_time.ToMilliseconds(),
                end_at_ms=one.end_time.ToMilliseconds(),
                overlap=_overlap(one.overlap_policy),
            )
            for one in given.backfill_request
        ),
    )


def _overlap(given: int) -> Overlap | None:
    try:
        return Overlap(given) if given else None
    except ValueError:
        raise _invalid(f"Expected an overlap policy, found {given}") from None


def _action(given: messages.ScheduleAction) -> Action:
    if not given.HasField("start_workflow"):
        raise _invalid("Expected an action that starts a workflow, found none")
    start: NewWorkflowExecutionInfo = given.start_workflow
    for name, found in (
        ("workflow_id", start.workflow_id),
        ("workflow_type", start.workflow_type.name),
        ("task_queue", start.task_queue.name),
    ):
        if not found:
            raise _invalid(f"Expected a {name} in the action, found none")
    allowed = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    if start.cron_schedule or start.workflow_id_reuse_policy not in (0, allowed):
        raise _invalid(
            "Expected an action without cron_schedule and workflow_id_reuse_policy: a schedule says itself when it acts"
        )
    retry = retry_policy_of(start.retry_policy) if start.HasField("retry_policy") else None
    action = Action(
        workflow=start.workflow_type.name,
        id=start.workflow_id,
        queue=start.task_queue.name,
        args=tuple(start.input.payloads),
        execution_timeout_ms=optional_ms(start.workflow_execution_timeout),
        run_timeout_ms=optional_ms(start.workflow_run_timeout),
        task_timeout_ms=optional_ms(start.workflow_task_timeout),
        retry_policy=retry,
        memo=dict(start.memo.fields),
        search_attributes=dict(start.search_attributes.indexed_fields),
        static_summary=text_of(start.user_metadata.summary),
        static_details=text_of(start.user_metadata.details),
        headers=dict(start.header.fields),
        priority=start.priority.priority_key,
        fairness_key=start.priority.fairness_key,
        fairness_weight=start.priority.fairness_weight or 1.0,
    )
    refused = refused_run(action)
    if refused:  # it would be each time that it acts
        raise _invalid(f"Invalid schedule action: {refused}")
    return action


def _spec(given: messages.ScheduleSpec) -> Spec:
    if given.timezone_data:
        raise RPCError(
            "Expected a timezone_name, found timezone_data: rules of time zones are the host's here",
            RPCStatusCode.UNIMPLEMENTED,
        )
    spec = Spec(
        intervals=tuple(
            Interval(every_ms=one.interval.ToMilliseconds(), offset_ms=one.phase.ToMilliseconds())
            for one in given.interval
        ),
        start_at_ms=_moment(given, "start_time"),
        end_at_ms=_moment(given, "end_time"),
        jitter_ms=given.jitter.ToMilliseconds(),
        time_zone=given.timezone_name,
    )
    found = [(_structured(one), one.comment) for one in given.structured_calendar]
    skipped = [(_structured(one), one.comment) for one in given.exclude_structured_calendar]
    try:
        found += [(_parsed(one), one.comment) for one in given.calendar]
        skipped += [(_parsed(one), one.comment) for one in given.exclude_calendar]
        for text in given.cron_string:
            cron = parse_schedule_cron(text)
            if cron.zone and spec.time_zone not in ("", cron.zone):
                raise CronError(
                    f"Expected one time zone for all expressions, found {spec.time_zone} and {cron.zone}"
                )
            every = Interval(every_ms=cron.every_ms, offset_ms=cron.offset_ms)
            spec = msgspec.structs.replace(
                spec,
                time_zone=cron.zone or spec.time_zone,
                intervals=spec.intervals if cron.calendar else (*spec.intervals, every),
            )
            if cron.calendar:
                found.append((cron.calendar, cron.comment))
    except CronError as error:
        raise _invalid(f"Invalid schedule spec: {error}") from error
    return msgspec.structs.replace(
        spec,
        calendars=tuple(calendar for calendar, _ in found),
        comments=tuple(comment for _, comment in found),
        skip=tuple(calendar for calendar, _ in skipped),
        skip_comments=tuple(comment for _, comment in skipped),
    )


def _parsed(given: messages.CalendarSpec) -> CalendarSpec:
    """What is left out is 0 for a time of the day, and anything for the rest."""
    words = (
        given.second or "0",
        given.minute or "0",
        given.hour or "0",
        given.day_of_month or "*",
        given.month or "*",
        given.day_of_week or "*",
        given.year or "*",
    )
    for word in words:
        if len(word.split()) != 1 or "#" in word:
            raise CronError(
                f"Expected a field of a calendar without spaces and '#', found {word!r}"
            )
    found = parse_schedule_cron(" ".join(words)).calendar
    assert found is not None, "Expected fields to be a calendar"
    return found


def _structured(given: messages.StructuredCalendarSpec) -> CalendarSpec:
    """What is left out matches nothing there; here it is what a calendar's default says, as for users of handles."""
    plain = CalendarSpec()

    def ranges(name: str) -> tuple[Range, ...]:
        found = tuple(Range(one.start, one.end, one.step) for one in getattr(given, name))
        default: tuple[Range, ...] = getattr(plain, name)
        return found or default

    return CalendarSpec(**{name: ranges(name) for name in CalendarSpec.__struct_fields__})


def _moment(given: messages.ScheduleSpec, name: str) -> int | None:
    moment: Timestamp = getattr(given, name)
    return moment.ToMilliseconds() if given.HasField(name) else None


def _invalid(message: str) -> RPCError:
    return RPCError(message, RPCStatusCode.INVALID_ARGUMENT)
