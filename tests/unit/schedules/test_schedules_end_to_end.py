"""Schedules against a running engine: made, seen, changed, and acting."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleListActionStartWorkflow,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowExecutionStatus,
)
from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from streamflow.exceptions import ApplicationError
from streamflow.schedules import SCHEDULES_QUEUE
from streamflow.schedules.workflow import ScheduleWorkflow
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Replayer, Worker

pytestmark = pytest.mark.asyncio

QUEUE = "scheduled"
HOURLY = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))])
CITY = SearchAttributeKey.for_keyword("City")


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}! You are {workflow.info().workflow_type}"


@workflow.defn
class Lasts:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(hours=5))


@workflow.defn
class Breaks:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("no luck")


@pytest_asyncio.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue=QUEUE, workflows=[Greet, Lasts, Breaks]),
    ):
        yield env


def greeting() -> ScheduleActionStartWorkflow:
    return ScheduleActionStartWorkflow(
        Greet.run, "Ada", id="greet", task_queue=QUEUE, memo={"why": "scheduled"}
    )


def lasting() -> ScheduleActionStartWorkflow:
    return ScheduleActionStartWorkflow(Lasts.run, id="lasts", task_queue=QUEUE)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(200):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("Expected it to become true, found that it did not")


async def actions(handle: ScheduleHandle) -> int:
    return (await handle.describe()).info.num_actions


async def test_a_description_says_what_was_made(env: WorkflowEnvironment) -> None:
    """Everything comes back, cron expressions as calendars, and arguments as payloads."""
    schedule = Schedule(
        action=greeting(),
        spec=ScheduleSpec(
            calendars=[
                ScheduleCalendarSpec(hour=[ScheduleRange(2, 7, 2)], comment="small hours"),
            ],
            intervals=[ScheduleIntervalSpec(timedelta(days=10), timedelta(days=2))],
            cron_expressions=["0 12 * * MON"],
            skip=[ScheduleCalendarSpec(month=(ScheduleRange(12),))],
            end_at=datetime(2060, 1, 1, tzinfo=UTC),
            jitter=timedelta(seconds=80),
            time_zone_name="Europe/Berlin",
        ),
        policy=SchedulePolicy(ScheduleOverlapPolicy.BUFFER_ONE, timedelta(minutes=5), True),
        state=ScheduleState(note="first", paused=True, limited_actions=True, remaining_actions=30),
    )

    handle = await env.client.create_schedule(
        "s",
        schedule,
        memo={"who": "me"},
        search_attributes=TypedSearchAttributes([SearchAttributePair(CITY, "Bonn")]),
    )

    found = await handle.describe()
    assert found.id == "s"
    assert found.schedule.spec.cron_expressions == []
    assert found.schedule.spec.calendars[1] == ScheduleCalendarSpec(
        hour=(ScheduleRange(12),),
        minute=(ScheduleRange(0),),
        day_of_week=(ScheduleRange(1),),
        second=(ScheduleRange(0),),
    )
    assert found.schedule.spec.calendars[0].comment == "small hours"
    assert replace(found.schedule.spec, calendars=[], skip=[]) == replace(
        schedule.spec, calendars=[], skip=[], cron_expressions=[]
    )
    assert (found.schedule.policy, found.schedule.state) == (schedule.policy, schedule.state)
    action = found.schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert (action.workflow, action.id, action.task_queue) == ("Greet", "greet", QUEUE)
    assert await env.client.data_converter.decode(action.args, [str]) == ["Ada"]
    assert await found.memo() == {"who": "me"}
    assert found.typed_search_attributes[CITY] == "Bonn"
    assert found.info.num_actions == 0
    assert found.info.created_at.tzinfo is not None
    assert found.info.last_updated_at is None
    assert len(found.info.next_action_times) == 10
    with pytest.raises(ScheduleAlreadyRunningError):
        await env.client.create_schedule("s", schedule)


async def test_it_acts_when_it_is_due(env: WorkflowEnvironment) -> None:
    """Each hour a workflow, named by its time, with what the action says; the description keeps count."""
    handle = await env.client.create_schedule("s", Schedule(greeting(), HOURLY))
    upcoming = (await handle.describe()).info.next_action_times

    await env.sleep(timedelta(hours=3))

    info = (await handle.describe()).info
    assert info.num_actions == 3
    assert [one.scheduled_at for one in info.recent_actions] == list(upcoming[:3])
    last = info.recent_actions[-1].action
    assert isinstance(last, ScheduleActionExecutionStartWorkflow)
    assert last.workflow_id == f"greet-{upcoming[2]:%Y-%m-%dT%H:%M:%S}Z"
    started = env.client.get_workflow_handle(last.workflow_id, run_id=last.first_execution_run_id)
    assert await started.result() == "Hello, Ada! You are Greet"
    run = await started.describe()
    assert await run.memo() == {"why": "scheduled"}
    assert run.search_attributes["TemporalScheduledById"] == ["s"]
    found = [one.workflow_type async for one in env.client.list_workflows()]
    assert found == ["Greet"] * 3, "Expected the schedule's own workflow not to be listed"


async def test_a_trigger_acts_at_once(env: WorkflowEnvironment) -> None:
    """Also when it is paused, and at its making."""
    paused = ScheduleState(paused=True)
    handle = await env.client.create_schedule(
        "s", Schedule(greeting(), HOURLY, state=paused), trigger_immediately=True
    )
    await eventually(lambda: _is(actions(handle), 1))

    await handle.trigger()
    await eventually(lambda: _is(actions(handle), 2))
    ids = {
        one.action.workflow_id
        for one in (await handle.describe()).info.recent_actions
        if isinstance(one.action, ScheduleActionExecutionStartWorkflow)
    }
    assert len(ids) == 2
    await env.sleep(timedelta(hours=3))
    assert await actions(handle) == 2


async def test_pausing_and_going_on(env: WorkflowEnvironment) -> None:
    """While it is paused nothing is started, and afterwards nothing is made up for."""
    handle = await env.client.create_schedule("s", Schedule(greeting(), HOURLY))

    await handle.pause(note="stop it")
    state = (await handle.describe()).schedule.state
    await env.sleep(timedelta(hours=5))
    paused = await actions(handle)
    await handle.unpause()
    await env.sleep(timedelta(hours=1))

    assert (state.paused, state.note) == (True, "stop it")
    assert (paused, await actions(handle)) == (0, 1)
    assert (await handle.describe()).schedule.state.note == "Unpaused via Python SDK"


async def test_an_update_takes_over_what_the_updater_gives(env: WorkflowEnvironment) -> None:
    """Sync or async; None leaves everything."""
    handle = await env.client.create_schedule("s", Schedule(greeting(), HOURLY))

    def daily(given: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = given.description.schedule
        schedule.spec.intervals = [ScheduleIntervalSpec(every=timedelta(days=1))]
        schedule.state.note = "daily now"
        return ScheduleUpdate(schedule, TypedSearchAttributes([SearchAttributePair(CITY, "Kiel")]))

    async def nothing(given: ScheduleUpdateInput) -> ScheduleUpdate | None:
        return None

    await handle.update(daily)
    await handle.update(nothing)
    await eventually(lambda: _updated(handle))
    found = await handle.describe()
    assert found.schedule.spec.intervals[0].every == timedelta(days=1)
    assert found.schedule.state.note == "daily now"
    assert found.typed_search_attributes[CITY] == "Kiel"
    await env.sleep(timedelta(days=2))
    assert await actions(handle) == 2
    last = (await handle.describe()).info.recent_actions[-1].action
    assert isinstance(last, ScheduleActionExecutionStartWorkflow)
    assert (
        await env.client.get_workflow_handle(last.workflow_id).result()
        == "Hello, Ada! You are Greet"
    )


async def test_backfills_act_for_times_that_are_over(env: WorkflowEnvironment) -> None:
    """Both ends included."""
    now = await env.get_current_time()
    hour = now.replace(minute=0, second=0, microsecond=0)
    handle = await env.client.create_schedule(
        "s",
        Schedule(greeting(), HOURLY, state=ScheduleState(paused=True)),
        backfill=[
            ScheduleBackfill(
                hour - timedelta(hours=3),
                hour - timedelta(hours=1),
                ScheduleOverlapPolicy.ALLOW_ALL,
            )
        ],
    )
    await eventually(lambda: _is(actions(handle), 3))

    await handle.backfill(
        ScheduleBackfill(
            hour - timedelta(hours=10), hour - timedelta(hours=9), ScheduleOverlapPolicy.ALLOW_ALL
        )
    )

    await eventually(lambda: _is(actions(handle), 5))
    with pytest.raises(ValueError, match="At least one backfill"):
        await handle.backfill()


async def test_a_time_is_made_up_for_once(env: WorkflowEnvironment) -> None:
    """Where stretches overlap, and however often one is asked for."""
    hour = (await env.get_current_time()).replace(minute=0, second=0, microsecond=0)

    def stretch(first: int, last: int) -> ScheduleBackfill:
        return ScheduleBackfill(
            hour - timedelta(hours=first),
            hour - timedelta(hours=last),
            ScheduleOverlapPolicy.ALLOW_ALL,
        )

    paused = Schedule(greeting(), HOURLY, state=ScheduleState(paused=True))
    handle = await env.client.create_schedule("s", paused)

    await handle.backfill(stretch(4, 2), stretch(2, 1))
    await eventually(lambda: _is(actions(handle), 4))
    await handle.backfill(stretch(4, 0))

    await eventually(lambda: _is(actions(handle), 5))


async def test_what_was_triggered_is_seen_at_once(env: WorkflowEnvironment) -> None:
    """A description waits for what is being started."""
    paused = Schedule(greeting(), HOURLY, state=ScheduleState(paused=True))

    handle = await env.client.create_schedule("s", paused, trigger_immediately=True)

    info = (await handle.describe()).info
    assert (info.num_actions, len(info.recent_actions)) == (1, 1)


@pytest.mark.parametrize(
    ("policy", "begun", "skipped"),
    [
        (ScheduleOverlapPolicy.SKIP, 1, 3),
        (ScheduleOverlapPolicy.BUFFER_ONE, 1, 2),
        (ScheduleOverlapPolicy.BUFFER_ALL, 1, 0),
        (ScheduleOverlapPolicy.ALLOW_ALL, 4, 0),
        (ScheduleOverlapPolicy.CANCEL_OTHER, 4, 0),
        (ScheduleOverlapPolicy.TERMINATE_OTHER, 4, 0),
    ],
)
async def test_overlap_policies(
    env: WorkflowEnvironment, policy: ScheduleOverlapPolicy, begun: int, skipped: int
) -> None:
    """A workflow of five hours is due every hour: after four of them, the policies differ."""
    now = await env.get_current_time()
    await env.sleep(
        timedelta(hours=1, seconds=1) - timedelta(minutes=now.minute, seconds=now.second)
    )
    handle = await env.client.create_schedule(
        "s", Schedule(lasting(), HOURLY, SchedulePolicy(overlap=policy))
    )

    await env.sleep(timedelta(hours=4, minutes=30))

    await eventually(lambda: _is(actions(handle), begun))
    info = (await handle.describe()).info
    assert info.num_actions_skipped_overlap == skipped
    running = begun if policy is ScheduleOverlapPolicy.ALLOW_ALL else 1
    await eventually(lambda: _running(handle, running))
    statuses = [run.status async for run in env.client.list_workflows("WorkflowType = 'Lasts'")]
    assert statuses.count(WorkflowExecutionStatus.RUNNING) == running
    ended = {
        ScheduleOverlapPolicy.CANCEL_OTHER: WorkflowExecutionStatus.CANCELED,
        ScheduleOverlapPolicy.TERMINATE_OTHER: WorkflowExecutionStatus.TERMINATED,
    }
    if policy in ended:
        assert statuses.count(ended[policy]) == 3


async def test_a_failure_pauses_if_it_is_to(env: WorkflowEnvironment) -> None:
    """The note names the workflow."""
    action = ScheduleActionStartWorkflow(Breaks.run, id="breaks", task_queue=QUEUE)
    handle = await env.client.create_schedule(
        "s", Schedule(action, HOURLY, SchedulePolicy(pause_on_failure=True))
    )

    await env.sleep(timedelta(hours=4))

    found = await handle.describe()
    assert found.info.num_actions == 1
    assert found.schedule.state.paused
    assert "breaks-" in (found.schedule.state.note or "")


async def test_a_limit_of_actions_is_kept(env: WorkflowEnvironment) -> None:
    """Two, and no more; contradictory limits are refused before anything is made."""
    handle = await env.client.create_schedule(
        "s",
        Schedule(
            greeting(), HOURLY, state=ScheduleState(limited_actions=True, remaining_actions=2)
        ),
    )

    await env.sleep(timedelta(hours=5))

    found = await handle.describe()
    assert (found.info.num_actions, found.schedule.state.remaining_actions) == (2, 0)
    assert found.info.next_action_times == []
    with pytest.raises(ValueError, match="limited actions to false"):
        await env.client.create_schedule(
            "t", Schedule(greeting(), HOURLY, state=ScheduleState(limited_actions=True))
        )
    with pytest.raises(ValueError, match="limited actions to true"):
        await env.client.create_schedule(
            "t", Schedule(greeting(), HOURLY, state=ScheduleState(remaining_actions=1))
        )


async def test_a_deleted_schedule_is_not_found(env: WorkflowEnvironment) -> None:
    """By any call, nor in a list; its ID is free again."""
    handle = await env.client.create_schedule("s", Schedule(greeting(), HOURLY))
    await handle.delete()

    for call in (handle.describe, handle.pause, handle.trigger, handle.delete):
        with pytest.raises(RPCError) as caught:
            await call()
        assert caught.value.status is RPCStatusCode.NOT_FOUND
    assert [one async for one in await env.client.list_schedules()] == []
    await env.client.create_schedule("s", Schedule(greeting(), HOURLY))


async def test_lists_page_by_page(env: WorkflowEnvironment) -> None:
    """With what a list shows of each."""
    for number in range(3):
        await env.client.create_schedule(f"s-{number}", Schedule(greeting(), HOURLY))

    found = [one async for one in await env.client.list_schedules(page_size=2)]

    assert sorted(one.id for one in found) == ["s-0", "s-1", "s-2"]
    one = found[0]
    assert one.schedule is not None
    assert one.schedule.action == ScheduleListActionStartWorkflow("Greet")
    assert one.info is not None
    assert len(one.info.next_action_times) == 5


async def test_without_anybody_on_the_queue_it_can_still_be_seen() -> None:
    """On the embedded log too; a calendar without fields is every midnight."""
    async with await WorkflowEnvironment.start_local() as env:
        client: Client = env.client
        handle = await client.create_schedule(
            f"s-{uuid.uuid4()}",
            Schedule(
                ScheduleActionStartWorkflow("some workflow", id="w", task_queue="nobody"),
                ScheduleSpec(calendars=[ScheduleCalendarSpec()]),
                state=ScheduleState(paused=True),
            ),
        )

        found = await handle.describe()

        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        assert found.info.next_action_times[0] == midnight + timedelta(days=1)
        with pytest.raises(RPCError) as caught:
            await client.create_schedule(
                "bad",
                Schedule(
                    ScheduleActionStartWorkflow("w", id="w", task_queue="nobody"),
                    ScheduleSpec(calendars=[ScheduleCalendarSpec(month=[ScheduleRange(13)])]),
                ),
            )
        assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT


async def _is(counted: Awaitable[int], wanted: int) -> bool:
    return await counted == wanted


async def _running(handle: ScheduleHandle, wanted: int) -> bool:
    return len((await handle.describe()).info.running_actions) == wanted


async def _updated(handle: ScheduleHandle) -> bool:
    return (await handle.describe()).info.last_updated_at is not None


@pytest.mark.parametrize(
    "policy",
    [
        ScheduleOverlapPolicy.BUFFER_ALL,
        ScheduleOverlapPolicy.CANCEL_OTHER,
        ScheduleOverlapPolicy.TERMINATE_OTHER,
        ScheduleOverlapPolicy.ALLOW_ALL,
    ],
)
async def test_a_schedule_replays_from_its_history(
    env: WorkflowEnvironment, policy: ScheduleOverlapPolicy
) -> None:
    """Whatever it was told and did, in a time zone and with jitter."""
    spec = ScheduleSpec(
        cron_expressions=["*/30 * * * *"],
        jitter=timedelta(minutes=5),
        time_zone_name="Europe/Berlin",
    )
    handle = await env.client.create_schedule(
        "s", Schedule(lasting(), spec, SchedulePolicy(overlap=policy)), trigger_immediately=True
    )
    await env.sleep(timedelta(hours=2))
    await handle.pause()
    await env.sleep(timedelta(hours=2))
    await handle.unpause(note="go on")
    await handle.update(lambda given: ScheduleUpdate(given.description.schedule))
    await env.sleep(timedelta(hours=6))

    own = env.client.get_workflow_handle("streamflow-schedule:s", task_queue=SCHEDULES_QUEUE)
    history = await own.fetch_history()

    assert len(history.recorded) > 20
    await Replayer(workflows=[ScheduleWorkflow]).replay_workflow(history)
