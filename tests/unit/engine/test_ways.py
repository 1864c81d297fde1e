"""The ways of a run: between them every kind of event is decided, and applied."""

from __future__ import annotations

import typing

import pytest

from streamflow.engine import deadlines
from streamflow.engine.activation import ready
from streamflow.engine.apply import apply_trouble
from streamflow.engine.context import Limits
from streamflow.engine.deadlines import Due
from streamflow.engine.decide.activities import decide_started
from streamflow.engine.describe import describe, result_of
from streamflow.engine.state import STATUS_OF, Run
from streamflow.model import events
from streamflow.model.answers import Trouble
from streamflow.model.commands import StartActivity
from streamflow.model.ids import Op
from streamflow.model.intents import ScheduleActivity, StartTimer
from streamflow.model.options import ActivityTimeouts, Status
from tests.unit.engine.driven import MINUTE, Driven, W, charge
from tests.unit.engine.ways import WAYS, related


@pytest.mark.parametrize("status", WAYS, ids=lambda status: status.value)
def test_each_way_ends_where_it_says(status: Status) -> None:
    """A closed run waits for nothing, is due for nothing, and says how it ended."""
    run = WAYS[status]().run

    assert run.status is status
    assert result_of(run).status is status
    assert deadlines.next_due_ms(run, Limits()) == 0
    assert not ready(run, 10**15)
    description = describe(run, namespace="n", queue="q", history_bytes=1)
    assert (description.pending_activities, description.pending_timers) == ((), ())


def test_every_kind_of_event_is_decided_and_applied_on_some_way() -> None:
    """A new kind of event fails here until some way of a run has it."""
    Driven.seen.clear()
    for way in (*WAYS.values(), related):
        way()

    assert Driven.seen == set(typing.get_args(events.Event))
    assert {STATUS_OF[type(way().run.closed)] for way in WAYS.values()} == set(STATUS_OF.values())


def test_every_kind_of_due_is_taken_up() -> None:
    """Each limit, wait and retry has somebody who asks for it."""
    seen: set[Due] = set()
    take = deadlines.take_due

    def noting(run: Run, now_ms: int, limits: Limits) -> tuple[Due, int] | None:
        found = take(run, now_ms, limits)
        if found is not None:
            seen.add(found[0])
        return found

    deadlines.take_due = noting
    try:
        _all_that_is_due()
    finally:
        deadlines.take_due = take

    assert seen == set(Due)


def _all_that_is_due() -> None:
    limits = ActivityTimeouts(
        schedule_to_close_ms=50_000,
        schedule_to_start_ms=2_000,
        start_to_close_ms=10_000,
        heartbeat_ms=3_000,
    )
    driven = Driven(
        Limits(resend_ms=20_000),
        start_delay_ms=500,
        run_timeout_ms=900_000,
        execution_timeout_ms=10**9,
    )
    driven.pass_time(500)
    long_limits = ActivityTimeouts(start_to_close_ms=10_000, schedule_to_close_ms=50_000)
    driven.activate(
        ScheduleActivity(op=Op(1), activity_id="1", activity_type="a", timeouts=limits),
        ScheduleActivity(op=Op(2), activity_id="2", activity_type="a", timeouts=limits),
        ScheduleActivity(op=Op(3), activity_id="3", activity_type="a", timeouts=long_limits),
        charge(4, local=True),
        StartTimer(op=Op(5), duration_ms=1),
    )
    unannounced = ScheduleActivity(op=Op(6), activity_id="6", activity_type="a", timeouts=MINUTE)
    driven.activate(unannounced)
    for op in (2, 3):
        started = StartActivity(workflow_id=W, task=driven.task(op), started_ms=driven.now_ms)
        driven.decided(decide_started(driven.run, started, driven.context()))
    for _ in range(30):
        driven.pass_time(1_000)
    apply_trouble(driven.run, Trouble(kind="stuck", message="", next_try_ms=driven.now_ms + 1))
    driven.pass_time(1_000_000)
    whole = Driven(execution_timeout_ms=10)
    whole.pass_time(10)
