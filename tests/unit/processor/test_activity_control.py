"""What operators and outsiders do to pending activities: paused, let go on, begun anew, and ended by ID."""

from __future__ import annotations

from typing import Any

import pytest

from streamflow.engine.decide.interruption import PAUSE_FAILURE, RESET_FAILURE
from streamflow.model.answers import (
    Confirmed,
    Description,
    Done,
    HeartbeatAck,
    PendingActivity,
    Reason,
    Rejection,
)
from streamflow.model.commands import (
    ActivityControl,
    ActivityOutcome,
    ConfirmTasks,
    ControlActivity,
    DescribeWorkflow,
    HeartbeatActivity,
    ReportActivity,
    StartActivity,
    TaskRef,
)
from streamflow.model.events import ActivityFailed
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.tasks import ActivityTask
from tests.unit.processor.programs import Charge
from tests.unit.processor.stage import Stage, payload, ref

W = WorkflowId("w")


def charging(**options: object) -> tuple[Stage, ActivityTask]:
    stage = Stage([Charge])
    stage.begin("Charge", args=(payload(options),))
    [task] = stage.tasks()
    return stage, task


def control(what: ActivityControl, **fields: object) -> ControlActivity:
    named = {"activity_id": "1"} if "activity_type" not in fields else {}
    return ControlActivity(workflow_id=W, control=what, **named, **fields)  # type: ignore[arg-type]  # of any field


def failed(kind: str = "Broken") -> Failure:
    return Failure(kind=FailureKind.APPLICATION, message="no", type=kind)


def pending(stage: Stage) -> PendingActivity:
    description = stage.ask(DescribeWorkflow(workflow_id=W))
    assert isinstance(description, Description)
    [activity] = description.pending_activities
    return activity


def begin(stage: Stage, task: ActivityTask) -> None:
    now_ms = stage.clock.now_ms()
    stage.ask(StartActivity(workflow_id=W, task=ref(task), started_ms=now_ms))


def beat(stage: Stage, task: ActivityTask, details: object = None) -> HeartbeatAck:
    ack = stage.ask(HeartbeatActivity(workflow_id=W, task=ref(task), details=(payload(details),)))
    assert isinstance(ack, HeartbeatAck)
    return ack


def by_id(activity_id: str, run_id: str = "") -> TaskRef:
    return TaskRef(run_id=RunId(run_id), op=Op(0), attempt=0, token=b"", activity_id=activity_id)


# -- pausing -------------------------------------------------------------------------------------------------------


def test_a_paused_activity_is_not_tried_again_until_it_is_let() -> None:
    """Its failed attempt is followed by none, through a restart from the log alone too."""
    stage, task = charging()
    assert isinstance(stage.ask(control(ActivityControl.PAUSE, reason="bank is down")), Done)

    stage.report(task, ActivityOutcome.FAILED, failure=failed())
    stage.restart(disk="empty")
    stage.pass_time(3_600_000)

    held = pending(stage)
    assert (held.state, held.paused, held.pause_reason) == ("paused", True, "bank is down")
    assert len(stage.tasks()) == 1
    stage.ask(control(ActivityControl.UNPAUSE))
    assert [task.attempt for task in stage.tasks()] == [1, 2]
    assert pending(stage).state == "scheduled"


def test_an_attempt_that_runs_hears_of_the_pause_with_its_heartbeat() -> None:
    """It may go on; its success counts."""
    stage, task = charging()
    begin(stage, task)
    stage.ask(control(ActivityControl.PAUSE))

    assert beat(stage, task).paused
    assert pending(stage).state == "pause_requested"
    stage.report(task, result=payload("paid"))

    assert stage.kinds()[-1] == "WorkflowCompleted"


def test_an_attempt_that_stops_for_a_pause_does_not_count() -> None:
    """Its number is used again, by a task that cannot be taken for it."""
    stage, task = charging(attempts=1)
    begin(stage, task)
    stage.ask(control(ActivityControl.PAUSE))

    stage.report(task, ActivityOutcome.FAILED, failure=failed(PAUSE_FAILURE))
    stage.ask(control(ActivityControl.UNPAUSE))

    [first, second] = stage.tasks()
    assert (first.attempt, second.attempt) == (1, 1)
    assert first.token != second.token
    stage.report(first, result=payload("too late"))
    assert pending(stage).state == "scheduled"
    stage.report(second, result=payload("paid"))
    assert stage.kinds()[-1] == "WorkflowCompleted"


def test_a_task_that_waits_while_its_activity_is_paused_is_sent_again() -> None:
    """A worker that asks about it drops it unrun; letting the activity go on sends it anew."""
    stage, task = charging()
    stage.ask(control(ActivityControl.PAUSE))

    confirmed = stage.ask(ConfirmTasks(workflow_id=W, tasks=((W, ref(task)),)))
    stage.ask(control(ActivityControl.UNPAUSE))

    assert isinstance(confirmed, Confirmed)
    assert confirmed.pending == (False,)
    assert [(t.attempt, t.token) for t in stage.tasks()] == [(1, task.token)] * 2


def test_pausing_twice_is_as_good_as_once_and_a_copy_changes_nothing() -> None:
    stage, _ = charging()
    stage.ask(control(ActivityControl.PAUSE), message_id="p")
    stage.ask(control(ActivityControl.UNPAUSE))
    stage.ask(control(ActivityControl.PAUSE), message_id="p")

    assert not pending(stage).paused


def test_the_limit_of_the_whole_activity_goes_on_while_it_is_paused() -> None:
    """Schedule-to-close spans everything."""
    stage, _ = charging(to_close_s=5)
    stage.ask(control(ActivityControl.PAUSE))

    stage.pass_time(5_000)

    assert any(isinstance(event, ActivityFailed) for event in stage.events())


def test_activities_are_meant_by_their_type_too() -> None:
    stage, _ = charging()
    stage.ask(control(ActivityControl.PAUSE, activity_type="charge"))

    assert pending(stage).paused


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"activity_id": "nobody"}, Reason.NOT_FOUND),
        ({"activity_type": "nothing"}, Reason.NOT_FOUND),
        ({}, Reason.INVALID_ARGUMENT),
    ],
)
def test_what_is_not_pending_is_not_paused(fields: dict[str, Any], reason: Reason) -> None:
    stage, _ = charging()

    answer = stage.ask(ControlActivity(workflow_id=W, control=ActivityControl.PAUSE, **fields))

    assert isinstance(answer, Rejection)
    assert answer.reason is reason


# -- resetting -----------------------------------------------------------------------------------------------------


def test_a_reset_activity_that_waits_is_sent_at_once_as_its_first_attempt() -> None:
    stage, task = charging()
    stage.report(task, ActivityOutcome.FAILED, failure=failed())

    stage.ask(control(ActivityControl.RESET))

    assert [task.attempt for task in stage.tasks()] == [1, 1]
    assert stage.tasks()[0].token != stage.tasks()[1].token


def test_a_task_that_waits_while_its_activity_is_paused_is_sent_again_by_a_reset() -> None:
    """A worker that has asked about it has dropped it unrun."""
    stage, task = charging()
    stage.ask(control(ActivityControl.PAUSE))
    confirmed = stage.ask(ConfirmTasks(workflow_id=W, tasks=((W, ref(task)),)))

    stage.ask(control(ActivityControl.RESET))

    assert confirmed == Confirmed(pending=(False,))
    assert [task.attempt for task in stage.tasks()] == [1, 1]
    assert not pending(stage).paused


def test_a_reset_attempt_that_runs_is_followed_by_a_first_one() -> None:
    """It hears of it with its heartbeat; the details that it had reported are kept unless they are to go."""
    stage, task = charging()
    begin(stage, task)
    beat(stage, task, "half")
    stage.ask(control(ActivityControl.RESET))
    assert beat(stage, task, "half").reset

    stage.report(task, ActivityOutcome.FAILED, failure=failed(RESET_FAILURE))
    stage.pass_time(1)

    again = stage.tasks()[-1]
    assert (len(stage.tasks()), again.attempt) == (2, 1)
    assert again.heartbeat_details == (payload("half"),)


def test_a_reset_may_forget_the_heartbeat_and_keep_the_pause() -> None:
    stage, task = charging()
    begin(stage, task)
    beat(stage, task, "half")
    stage.ask(control(ActivityControl.PAUSE))
    stage.ask(control(ActivityControl.RESET, reset_heartbeat=True, keep_paused=True))

    stage.report(task, ActivityOutcome.FAILED, failure=failed())
    stage.pass_time(60_000)

    assert (pending(stage).state, pending(stage).attempt) == ("paused", 1)
    assert len(stage.tasks()) == 1
    stage.ask(control(ActivityControl.UNPAUSE))
    assert stage.tasks()[-1].heartbeat_details == ()


# -- by ID ---------------------------------------------------------------------------------------------------------


def test_an_activity_is_completed_by_its_id() -> None:
    """Without the task's token, and for the workflow's latest run if none is named; a copy is answered alike."""
    stage, _ = charging()
    report = ReportActivity(
        workflow_id=W, task=by_id("1"), outcome=ActivityOutcome.COMPLETED, result=payload("paid")
    )

    first = stage.ask(report, message_id="c")
    second = stage.ask(report, message_id="c")
    third = stage.ask(report)

    assert isinstance(first, Done)
    assert second == first
    assert isinstance(third, Rejection)
    assert stage.kinds()[-1] == "WorkflowCompleted"


def test_a_failure_says_how_far_its_attempt_came() -> None:
    stage, task = charging()
    report = ReportActivity(
        workflow_id=W,
        task=ref(task),
        outcome=ActivityOutcome.FAILED,
        failure=failed(),
        heartbeat_details=(payload("half"),),
    )

    stage.ask(report)
    stage.pass_time(10_000)

    assert stage.tasks()[-1].heartbeat_details == (payload("half"),)
