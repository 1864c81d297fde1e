"""A schedule's decisions, step by step, where time does not pass by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamflow.client import WorkflowHistory
from streamflow.model.intents import StartTimer, UpsertSearchAttributes
from streamflow.model.relations import StartChild
from streamflow.schedules import (
    Action,
    Backfill,
    Described,
    Interval,
    Overlap,
    Policy,
    Schedule,
    Spec,
    State,
)
from streamflow.schedules.facts import Memory, Patch
from streamflow.schedules.workflow import (
    BACKFILLED_PER_STEP_MAX,
    DUE_PER_STEP_MAX,
    ScheduleWorkflow,
)
from streamflow.worker import Replayer
from tests.unit.coroutine.world import START_MS, World

HISTORY = Path(__file__).parents[2] / "golden" / "schedule_history.json"
HOUR_MS = 3_600_000
HOURLY = Spec(intervals=(Interval(every_ms=HOUR_MS),))
ACTION = Action(workflow="Greet", id="greet", queue="q")


def world(
    spec: Spec = HOURLY,
    *,
    policy: Policy | None = None,
    state: State | None = None,
    trigger: Overlap | None = None,
    backfills: tuple[Backfill, ...] = (),
) -> World:
    schedule = Schedule(action=ACTION, spec=spec, policy=policy or Policy(), state=state or State())
    memory = Memory(id="s", schedule=schedule, trigger=trigger, backfills=backfills)
    return World(ScheduleWorkflow, msgspec.json.encode(memory).decode())


def described(world: World) -> Described:
    text: str = world.query("describe", world.now_ms)
    return msgspec.json.decode(text, type=Described)


def patch(world: World, **changes: Any) -> World:
    return world.signal("patch", msgspec.json.encode(Patch(**changes)).decode())


def wake(world: World, *, late_ms: int = 0) -> list[StartChild]:
    """Lets the time of the last timer come; what is started then."""
    timers = [one for asked in world.asked for one in asked if isinstance(one, StartTimer)]
    assert timers[-1].duration_ms is not None
    world.pass_ms(timers[-1].duration_ms + late_ms).fire(timers[-1].op)
    return started(world)


def started(world: World) -> list[StartChild]:
    return [one for one in world.step() if isinstance(one, StartChild)]


@pytest.mark.parametrize(("late_ms", "acts"), [(9_000, True), (11_000, False)])
def test_ten_seconds_late_is_never_too_late(late_ms: int, acts: bool) -> None:
    """A window to catch up of less would miss actions on an ordinary day."""
    schedule = world(policy=Policy(catchup_window_ms=1_000))
    schedule.step()

    assert bool(wake(schedule, late_ms=late_ms)) is acts
    assert described(schedule).info.missed_catchup_window == (0 if acts else 1)


def test_a_pause_takes_away_what_is_buffered() -> None:
    """What was asked for by hand is started all the same, when its turn comes."""
    schedule = world(policy=Policy(overlap=Overlap.BUFFER_ALL), trigger=Overlap.SKIP)
    (first,) = started(schedule)
    schedule.child_started(first.op).step()
    wake(schedule)
    patch(schedule, trigger=True).step()
    assert [one.manual for one in described(schedule).info.buffer] == [False, True]

    patch(schedule, paused=True).step()
    assert len(started(schedule.child_closed(first.op))) == 1

    assert described(schedule).info.buffer == []


def test_a_limit_of_actions_takes_away_what_is_buffered() -> None:
    """Three are due while the first one runs, and two are left."""
    schedule = world(
        policy=Policy(overlap=Overlap.BUFFER_ALL),
        state=State(limited_actions=True, remaining_actions=2),
    )
    schedule.step()
    (first,) = wake(schedule)
    schedule.child_started(first.op).step()
    wake(schedule)
    wake(schedule)
    (second,) = started(schedule.child_closed(first.op))
    schedule.child_started(second.op).step()

    assert started(schedule.child_closed(second.op)) == []

    assert described(schedule).info.buffer == []


def _schedule(world: World) -> Schedule:
    return described(world).schedule


def test_an_update_leaves_a_time_that_jitter_has_moved_beyond_it() -> None:
    """The time itself is over when the schedule is updated, the moment to act is not."""
    spec = Spec(intervals=HOURLY.intervals, jitter_ms=HOUR_MS - 1_000)
    schedule = world(spec)
    schedule.step()
    due_ms = described(schedule).upcoming_ms[0]
    nominal_ms = due_ms // HOUR_MS * HOUR_MS
    assert nominal_ms > START_MS
    assert due_ms - nominal_ms > 1_000
    schedule.pass_ms(due_ms - 500 - schedule.now_ms)

    patch(schedule, schedule=_schedule(schedule)).step()

    assert described(schedule).upcoming_ms[0] == due_ms
    assert len(wake(schedule)) == 1
    assert schedule.now_ms == due_ms


def test_an_update_makes_up_for_nothing() -> None:
    """Times of the new specification that are over are over."""
    schedule = world(Spec(intervals=(Interval(every_ms=100 * HOUR_MS),)))
    schedule.step()
    schedule.pass_ms(10 * HOUR_MS)

    patch(schedule, schedule=msgspec.structs.replace(_schedule(schedule), spec=HOURLY))

    assert started(schedule) == []
    assert len(wake(schedule)) == 1


def test_backfills_act_bit_by_bit() -> None:
    """Some in each step, up to the last one of the stretch, and those that were asked for next after them."""
    hours = BACKFILLED_PER_STEP_MAX + 20
    begin = (START_MS // HOUR_MS - 1_000) * HOUR_MS
    stretch = Backfill(
        start_at_ms=begin, end_at_ms=begin + (hours - 1) * HOUR_MS, overlap=Overlap.ALLOW_ALL
    )
    schedule = world(state=State(paused=True), backfills=(stretch,))

    first = started(schedule)
    second = wake(schedule)

    assert 0 < len(first) <= BACKFILLED_PER_STEP_MAX
    assert len(first) + len(second) == hours
    assert len({one.workflow_id for one in first + second}) == hours
    assert described(schedule).info.num_actions == hours


def test_what_came_due_in_a_long_absence_is_dealt_with_bit_by_bit() -> None:
    """All at once, the times of a week would hold the partition up."""
    spec = Spec(intervals=(Interval(every_ms=1_000),))
    schedule = world(spec, policy=Policy(overlap=Overlap.SKIP))
    schedule.step()

    late_ms = 2 * DUE_PER_STEP_MAX * 1_000
    assert len(wake(schedule, late_ms=late_ms)) == 1
    skipped = [described(schedule).info.skipped_overlap]
    for _ in range(2):
        assert wake(schedule) == []
        skipped.append(described(schedule).info.skipped_overlap)

    assert skipped == [DUE_PER_STEP_MAX - 1, 2 * DUE_PER_STEP_MAX - 1, 2 * DUE_PER_STEP_MAX]


def test_what_is_due_in_the_same_second_gets_ids_of_its_own() -> None:
    """Whether or not the ones before have started."""
    schedule = world(state=State(paused=True))
    schedule.step()
    for _ in range(3):
        patch(schedule, trigger=True, overlap=Overlap.ALLOW_ALL)

    ids = [one.workflow_id for one in started(schedule)]

    assert ids == [ids[0], f"{ids[0]}-2", f"{ids[0]}-3"]


def test_what_could_not_be_started_is_no_action() -> None:
    """Its ID is taken by a workflow that runs."""
    schedule = world(trigger=Overlap.SKIP)
    (first,) = started(schedule)

    schedule.child_refused(first.op).step()

    assert described(schedule).info.num_actions == 0


def test_no_more_times_are_announced_than_actions_are_left() -> None:
    """A limit of actions ends the list of the next times, too."""
    schedule = world(state=State(limited_actions=True, remaining_actions=3))
    schedule.step()

    assert len(described(schedule).upcoming_ms) == 3


def test_whether_it_is_paused_can_be_searched_for() -> None:
    """Set at the beginning, and changed where it changes."""
    schedule = world()

    def upserts() -> int:
        return sum(isinstance(one, UpsertSearchAttributes) for one in schedule.step())

    assert upserts() == 1
    patch(schedule, note="still running")
    assert upserts() == 0
    patch(schedule, paused=True)
    assert upserts() == 1


@pytest.mark.asyncio
async def test_runs_that_began_with_the_first_release_replay() -> None:
    """Recorded before the patch: with jitter, a buffer, limits, pauses, backfills, every overlap policy and a failure."""
    history = WorkflowHistory.from_json("streamflow-schedule:s", HISTORY.read_text())

    await Replayer(workflows=[ScheduleWorkflow]).replay_workflow(history)
