"""Each machine's table, exercised to the last entry, and every pair that it does not have refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from streamflow import exceptions
from streamflow.coroutine.beginning import begin_activity
from streamflow.coroutine.errors import NondeterminismError
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.machines import activity, timer
from streamflow.coroutine.machines.activity import ActivityMachine, ActivityRequest
from streamflow.coroutine.machines.timer import TimerMachine
from streamflow.exceptions import ActivityError
from streamflow.model.events import ActivityCanceled, ActivityCompleted, ActivityFailed, TimerFired
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.ids import Op
from streamflow.model.options import ActivityTimeouts, CancellationType
from tests.unit.coroutine.world import World, driven


async def idle() -> None: ...


def instance() -> Instance:
    return World(driven(idle)).instance


def timer_machine() -> TimerMachine:
    owner = instance()
    handle = owner.loop.call_after(1, lambda: None)
    assert isinstance(handle.timer, TimerMachine)
    return handle.timer


def activity_machine(kind: CancellationType = CancellationType.TRY_CANCEL) -> ActivityMachine:
    owner = instance()
    request = ActivityRequest(
        activity_type="a", timeouts=ActivityTimeouts(start_to_close_ms=1), cancellation_type=kind
    )
    machine = begin_activity(owner, request, None)._machine
    assert machine is not None
    return machine


def say_timer(machine: TimerMachine, cue: timer.Cue) -> None:
    match cue:
        case timer.Cue.SENT:
            machine.intent()
        case timer.Cue.FIRED:
            machine.resolve(TimerFired(op=Op(1)))
        case timer.Cue.CANCEL:
            machine.cancel()


CANCELS = {
    activity.Cue.CANCEL_AND_GO: CancellationType.TRY_CANCEL,
    activity.Cue.CANCEL_AND_WAIT: CancellationType.WAIT_CANCELLATION_COMPLETED,
    activity.Cue.ABANDON: CancellationType.ABANDON,
}
CANCELED = Failure(kind=FailureKind.CANCELED)


def say_activity(machine: ActivityMachine, cue: activity.Cue) -> None:
    op = Op(1)
    match cue:
        case activity.Cue.SENT:
            machine.intent()
        case activity.Cue.COMPLETED:
            machine.resolve(ActivityCompleted(op=op, attempt=1))
        case activity.Cue.FAILED:
            state = RetryState.TIMEOUT
            failed = Failure(kind=FailureKind.APPLICATION)
            machine.resolve(ActivityFailed(op=op, attempt=1, failure=failed, retry_state=state))
        case activity.Cue.CANCELED:
            machine.resolve(ActivityCanceled(op=op, attempt=1, failure=CANCELED))
        case _:
            machine.cancel()


def reach(table: dict[Any, Any], start: Any, goal: Any) -> list[Any]:
    """Cues that lead from one state to another, by the table."""
    paths: dict[Any, list[Any]] = {start: []}
    queue = [start]
    for state in queue:
        for (before, cue), after in table.items():
            if before is state and after not in paths:
                paths[after] = [*paths[state], cue]
                queue.append(after)
    return paths[goal]


def test_every_transition_of_a_timer_leads_where_its_table_says() -> None:
    for (state, cue), after in timer.TABLE.items():
        machine = timer_machine()
        for step in reach(timer.TABLE, timer.State.CREATED, state):
            say_timer(machine, step)
        say_timer(machine, cue)
        assert machine.state is after, (state, cue)


def test_every_transition_of_an_activity_leads_where_its_table_says() -> None:
    for (state, cue), after in activity.TABLE.items():
        path = [*reach(activity.TABLE, activity.State.CREATED, state), cue]
        kinds = {CANCELS[step] for step in path if step in CANCELS} or {CancellationType.TRY_CANCEL}
        for kind in kinds if len(kinds) == 1 else {CANCELS[cue]}:
            machine = activity_machine(kind)
            for step in path:
                say_activity(machine, step)
            assert machine.state is after, (state, cue)
            if machine.handle.done() and not machine.handle.cancelled():
                machine.handle.exception()  # taken, so that nothing complains of it


@pytest.mark.parametrize(
    ("table", "states", "cues", "start", "make", "say"),
    [
        (
            timer.TABLE,
            timer.State,
            [timer.Cue.FIRED],
            timer.State.CREATED,
            timer_machine,
            say_timer,
        ),
        (
            activity.TABLE,
            activity.State,
            [activity.Cue.COMPLETED, activity.Cue.FAILED, activity.Cue.CANCELED],
            activity.State.CREATED,
            activity_machine,
            say_activity,
        ),
    ],
)
def test_events_that_a_table_does_not_have_are_nondeterminism(
    table: dict[Any, Any],
    states: Any,
    cues: list[Any],
    start: Any,
    make: Callable[[], Any],
    say: Callable[[Any, Any], None],
) -> None:
    for state, cue in itertools.product(states, cues):
        if (state, cue) in table:
            continue
        machine = make()
        machine.state = state
        with pytest.raises(NondeterminismError, match=f"in state {state.name}, found {cue.name}"):
            say(machine, cue)


def test_a_cancelled_activitys_error_tells_which_it_was() -> None:
    machine = activity_machine()
    machine.op = Op(5)
    machine.cancel()
    error = machine.handle.exception()
    assert isinstance(error, ActivityError)
    assert (error.activity_type, error.activity_id) == ("a", "5")
    assert error.retry_state is exceptions.RetryState.CANCEL_REQUESTED


def test_facts_are_frozen() -> None:
    """What an instance is told at its start cannot be changed by its code."""
    facts: RunFacts = instance().facts
    with pytest.raises(AttributeError):
        facts.queue = "other"  # type: ignore[misc]
