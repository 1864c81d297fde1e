"""Requests about schedules: what they make is what handles see, and the other way round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streamflow.api.common.v1 import Memo, SearchAttributes, WorkflowType
from streamflow.api.enums.v1 import ScheduleOverlapPolicy
from streamflow.api.schedule import v1 as messages
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.workflow.v1 import NewWorkflowExecutionInfo
from streamflow.api.workflowservice import v1 as api
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from tests.unit.client.raw.programs import QUEUE, payloads

pytestmark = pytest.mark.asyncio

BUFFER_ALL = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL


def _schedule(client: Client, **spec: object) -> messages.Schedule:
    made = messages.Schedule(
        spec=messages.ScheduleSpec(
            **(spec or {"interval": [messages.IntervalSpec(interval=timedelta(hours=1))]})
        ),
        state=messages.ScheduleState(notes="n", paused=True),
    )
    made.action.start_workflow.CopyFrom(
        NewWorkflowExecutionInfo(
            workflow_id="w",
            workflow_type=WorkflowType(name="Hears"),
            task_queue=TaskQueue(name=QUEUE),
            workflow_run_timeout=timedelta(minutes=5),
        )
    )
    made.policies.overlap_policy = BUFFER_ALL
    return made


async def _create(client: Client, schedule: messages.Schedule, **more: object) -> bytes:
    request = api.CreateScheduleRequest(schedule_id="s", schedule=schedule, **more)
    return (await client.workflow_service.create_schedule(request)).conflict_token


async def _describe(client: Client) -> api.DescribeScheduleResponse:
    request = api.DescribeScheduleRequest(schedule_id="s")
    return await client.workflow_service.describe_schedule(request)


async def test_a_schedule_is_made_once_for_one_request_and_shown_as_it_was_given(
    client: Client,
) -> None:
    note = payloads(client, "why").payloads[0]
    given = _schedule(client)
    given.action.start_workflow.input.CopyFrom(payloads(client, "a"))

    token = await _create(client, given, request_id="once", memo=Memo(fields={"note": note}))
    assert await _create(client, given, request_id="once") == token

    shown = await _describe(client)
    assert shown.schedule.action == given.action
    assert shown.schedule.spec.interval[0].interval.ToTimedelta() == timedelta(hours=1)
    assert shown.schedule.policies.overlap_policy == BUFFER_ALL
    assert (shown.schedule.state.notes, shown.schedule.state.paused) == ("n", True)
    assert shown.memo.fields["note"] == note
    assert shown.conflict_token == token
    assert len(shown.info.future_action_times) == 10
    described = await client.get_schedule_handle("s").describe()
    assert described.schedule.state.note == "n"
    assert isinstance(described.schedule.action, ScheduleActionStartWorkflow)
    assert described.schedule.action.run_timeout == timedelta(minutes=5)
    with pytest.raises(RPCError, match="already registered") as refused:
        await _create(client, given)
    assert refused.value.status is RPCStatusCode.ALREADY_EXISTS


async def test_what_is_made_by_a_handle_is_shown(client: Client) -> None:
    """A schedule is one, whoever asks."""
    action = ScheduleActionStartWorkflow("Hears", id="w", task_queue=QUEUE)
    spec = ScheduleSpec(
        intervals=[ScheduleIntervalSpec(every=timedelta(days=1), offset=timedelta(hours=2))],
        start_at=datetime(2040, 1, 1, tzinfo=UTC),
    )
    await client.create_schedule("s", Schedule(action, spec))

    shown = (await _describe(client)).schedule

    assert shown.action.start_workflow.workflow_type.name == "Hears"
    assert shown.spec.interval[0].phase.ToTimedelta() == timedelta(hours=2)
    assert shown.spec.start_time.ToDatetime(UTC) == datetime(2040, 1, 1, tzinfo=UTC)
    assert not shown.spec.HasField("end_time")


async def test_texts_become_structured_calendars(client: Client) -> None:
    """Whether in one string or in fields, with comments and a zone; exclusions too."""
    await _create(
        client,
        _schedule(
            client,
            cron_string=["CRON_TZ=Europe/Berlin 30 9 * * MON-FRI # opening", "@every 2h/5m"],
            calendar=[messages.CalendarSpec(hour="8-10", minute="*/15", comment="mornings")],
            exclude_calendar=[messages.CalendarSpec(month="12", day_of_month="25", hour="*")],
        ),
    )

    spec = (await _describe(client)).schedule.spec

    mornings, opening = spec.structured_calendar
    assert (mornings.comment, opening.comment) == ("mornings", "opening")
    assert (mornings.hour[0].start, mornings.hour[0].end) == (8, 10)
    assert mornings.minute[0].step == 15
    assert (opening.day_of_week[0].start, opening.day_of_week[0].end) == (1, 5)
    assert spec.timezone_name == "Europe/Berlin"
    assert spec.interval[0].phase.ToTimedelta() == timedelta(minutes=5)
    assert spec.exclude_structured_calendar[0].month[0].start == 12


async def test_a_schedule_is_patched_once_for_one_request(client: Client) -> None:
    """Unpaused with a note, and triggered: its workflow is among the recent actions, with what it was given."""
    await _create(client, _schedule(client))
    patch = messages.SchedulePatch(unpause="go on")
    patch.trigger_immediately.SetInParent()
    request = api.PatchScheduleRequest(schedule_id="s", patch=patch, request_id="once")

    for _ in range(2):
        await client.workflow_service.patch_schedule(request)

    shown = await _describe(client)
    assert (shown.schedule.state.notes, shown.schedule.state.paused) == ("go on", False)
    [action] = shown.info.recent_actions
    assert action.start_workflow_result.workflow_id.startswith("w-")
    assert shown.info.running_workflows == [action.start_workflow_result]
    assert shown.info.action_count == 1


async def test_a_schedule_is_begun_with_a_patch(client: Client) -> None:
    """Backfilled and unpaused from its beginning."""
    patch = messages.SchedulePatch(unpause="at once")
    patch.backfill_request.append(
        messages.BackfillRequest(
            start_time=datetime(2020, 1, 1, 0, 30, tzinfo=UTC),
            end_time=datetime(2020, 1, 1, 2, 30, tzinfo=UTC),
            overlap_policy=ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
        )
    )

    await _create(client, _schedule(client), initial_patch=patch)

    shown = await _describe(client)
    assert shown.schedule.state.paused is False
    assert {one.start_workflow_result.workflow_id for one in shown.info.recent_actions} == {
        "w-2020-01-01T01:00:00Z",
        "w-2020-01-01T02:00:00Z",
    }


async def test_an_update_replaces_the_schedule_unless_it_has_changed_since(client: Client) -> None:
    await _create(client, _schedule(client))
    before = await _describe(client)
    await client.get_schedule_handle("s").pause(note="by another")
    changed = _schedule(client, cron_string=["@daily"])
    request = api.UpdateScheduleRequest(
        schedule_id="s",
        schedule=changed,
        conflict_token=before.conflict_token,
        search_attributes=SearchAttributes(),
    )

    with pytest.raises(RPCError, match="mismatched conflict token") as refused:
        await client.workflow_service.update_schedule(request)
    assert refused.value.status is RPCStatusCode.FAILED_PRECONDITION
    request.conflict_token = (await _describe(client)).conflict_token
    await client.workflow_service.update_schedule(request)

    spec = (await _describe(client)).schedule.spec
    assert len(spec.structured_calendar) == 1
    assert not spec.interval


async def test_schedules_are_listed_and_deleted(client: Client) -> None:
    await _create(client, _schedule(client))
    listing = api.ListSchedulesRequest(query="ScheduleId = 's'")

    listed = await client.workflow_service.list_schedules(listing)

    [entry] = listed.schedules
    assert (entry.schedule_id, entry.info.workflow_type.name) == ("s", "Hears")
    assert (entry.info.notes, entry.info.paused) == ("n", True)
    assert len(entry.info.future_action_times) == 5
    assert listed.next_page_token == b""
    await client.workflow_service.delete_schedule(api.DeleteScheduleRequest(schedule_id="s"))
    assert not (await client.workflow_service.list_schedules(listing)).schedules
    for ask in (
        _describe(client),
        client.workflow_service.patch_schedule(
            api.PatchScheduleRequest(
                schedule_id="s", patch=messages.SchedulePatch(pause="too late")
            )
        ),
    ):
        with pytest.raises(RPCError, match="schedule not found") as refused:
            await ask
        assert refused.value.status is RPCStatusCode.NOT_FOUND


async def test_times_are_told_for_a_stretch_with_both_ends(client: Client) -> None:
    await _create(client, _schedule(client))

    found = await client.workflow_service.list_schedule_matching_times(
        api.ListScheduleMatchingTimesRequest(
            schedule_id="s",
            start_time=datetime(2030, 1, 1, 1, tzinfo=UTC),
            end_time=datetime(2030, 1, 1, 3, tzinfo=UTC),
        )
    )

    assert [at.ToDatetime(UTC).hour for at in found.start_time] == [1, 2, 3]


@pytest.mark.parametrize(
    ("spoil", "status", "said"),
    [
        (lambda s: s.ClearField("action"), RPCStatusCode.INVALID_ARGUMENT, "action"),
        (
            lambda s: s.action.start_workflow.task_queue.Clear(),
            RPCStatusCode.INVALID_ARGUMENT,
            "task_queue",
        ),
        (
            lambda s: setattr(s.action.start_workflow, "cron_schedule", "@daily"),
            RPCStatusCode.INVALID_ARGUMENT,
            "cron_schedule",
        ),
        (
            lambda s: setattr(s.action.start_workflow.priority, "priority_key", 9),
            RPCStatusCode.INVALID_ARGUMENT,
            "priority_key",
        ),
        (
            lambda s: setattr(s.action.start_workflow.retry_policy, "maximum_attempts", -1),
            RPCStatusCode.INVALID_ARGUMENT,
            "maximum_attempts",
        ),
        (
            lambda s: s.action.start_workflow.workflow_run_timeout.FromMilliseconds(-1),
            RPCStatusCode.INVALID_ARGUMENT,
            "run_timeout",
        ),
        (
            lambda s: s.spec.cron_string.append("every day"),
            RPCStatusCode.INVALID_ARGUMENT,
            "Invalid schedule spec",
        ),
        (
            lambda s: s.spec.calendar.append(messages.CalendarSpec(hour="1 2")),
            RPCStatusCode.INVALID_ARGUMENT,
            "without spaces",
        ),
        (
            lambda s: setattr(s.spec, "timezone_name", "Nowhere/At_All"),
            RPCStatusCode.INVALID_ARGUMENT,
            "Nowhere",
        ),
        (
            lambda s: setattr(s.spec, "timezone_data", b"TZif"),
            RPCStatusCode.UNIMPLEMENTED,
            "timezone_name",
        ),
        (
            lambda s: setattr(s.policies, "keep_original_workflow_id", True),
            RPCStatusCode.UNIMPLEMENTED,
            "keep_original_workflow_id",
        ),
    ],
)
async def test_what_could_not_be_carried_out_is_refused(
    client: Client, spoil: object, status: RPCStatusCode, said: str
) -> None:
    """Nothing is made."""
    schedule = _schedule(client)
    assert callable(spoil)
    spoil(schedule)

    with pytest.raises(RPCError, match=said) as refused:
        await _create(client, schedule)

    assert refused.value.status is status
    listed = await client.workflow_service.list_schedules(api.ListSchedulesRequest())
    assert not listed.schedules
