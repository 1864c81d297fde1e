"""An operator changes options of a pending activity: what becomes of its attempt, and of what was sent."""

from __future__ import annotations

import pytest

from streamflow.model.activity_options import ActivityOption, ActivityOptions, OptionsChange
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.commands import ActivityControl, ActivityOutcome
from streamflow.model.events import ActivityFailed
from streamflow.model.failure import TimeoutKind
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.tasks import ActivityTask
from streamflow.topology import ensure_queue
from tests.unit.processor.stage import NS, Stage, payload
from tests.unit.processor.test_activity_control import begin, charging, control, failed, pending

O = ActivityOption  # noqa: E741  # the tests are about nothing else
NOTHING = ActivityTimeouts()


def charging_where_others_are() -> tuple[Stage, ActivityTask]:
    """With a second queue, ``other``, whose workers could make the activity."""
    stage, task = charging()
    ensure_queue(stage.log, NS, "other", kind="activity", create=True)
    return stage, task


def change(
    stage: Stage,
    *which: ActivityOption,
    queue: str = "",
    timeouts: ActivityTimeouts = NOTHING,
    retry_policy: RetryPolicy | None = None,
) -> object:
    to = ActivityOptions(queue=queue, timeouts=timeouts, retry_policy=retry_policy or RetryPolicy())
    asked = control(ActivityControl.UPDATE_OPTIONS, options=OptionsChange(which=which, to=to))
    return stage.ask(asked)


def restore(stage: Stage) -> ActivityOptions:
    return options(stage.ask(control(ActivityControl.UPDATE_OPTIONS, restore_options=True)))


def options(answer: object) -> ActivityOptions:
    assert isinstance(answer, Done), answer
    assert answer.activity_options is not None
    return answer.activity_options


def test_only_what_is_named_changes_and_the_answer_has_all() -> None:
    """It is so after a restart from the log alone, and is what a description says."""
    stage, _ = charging(to_close_s=120)

    told = options(
        change(stage, O.START_TO_CLOSE, timeouts=ActivityTimeouts(start_to_close_ms=90_000))
    )
    stage.restart(disk="empty")

    assert told.timeouts == ActivityTimeouts(schedule_to_close_ms=120_000, start_to_close_ms=90_000)
    assert pending(stage).options == told
    assert told.retry_policy.initial_interval_ms == 10_000


def test_a_limit_that_is_made_shorter_counts_for_what_runs() -> None:
    """From where it counted before."""
    stage, task = charging(attempts=1)
    begin(stage, task)
    stage.pass_time(20_000)

    change(stage, O.START_TO_CLOSE, timeouts=ActivityTimeouts(start_to_close_ms=30_000))
    stage.pass_time(9_000)
    assert not any(isinstance(event, ActivityFailed) for event in stage.events())
    stage.pass_time(1_000)

    [ended] = [event for event in stage.events() if isinstance(event, ActivityFailed)]
    assert ended.failure.timeout_kind is TimeoutKind.START_TO_CLOSE


def test_a_limit_that_is_taken_away_counts_no_more() -> None:
    stage, task = charging(to_close_s=5)
    begin(stage, task)

    change(stage, O.SCHEDULE_TO_CLOSE)
    stage.pass_time(10_000)

    assert pending(stage).state == "started"


def test_a_task_that_nobody_has_begun_goes_to_the_new_queue() -> None:
    """What was sent to the former one is stale: a report on it changes nothing."""
    stage, first = charging_where_others_are()

    change(stage, O.QUEUE, queue="other")
    stage.pass_time(1_000)

    [second] = stage.tasks("other")
    assert (second.queue, second.attempt) == ("other", 1)
    assert first.token != second.token
    stage.report(first, result=payload("too late"))
    assert pending(stage).queue == "other"
    stage.report(second, result=payload("paid"))
    assert stage.kinds()[-1] == "WorkflowCompleted"


def test_what_runs_goes_on_where_it_is_and_is_tried_again_elsewhere() -> None:
    stage, first = charging_where_others_are()
    begin(stage, first)

    change(stage, O.QUEUE, queue="other")
    assert stage.tasks("other") == []
    stage.report(first, ActivityOutcome.FAILED, failure=failed())
    stage.pass_time(10_000)

    assert [task.attempt for task in stage.tasks("other")] == [2]


def test_a_new_retry_policy_says_anew_how_long_it_waits() -> None:
    """Counted from the failure, not from now; and it holds for the attempts that follow."""
    stage, task = charging()
    stage.report(task, ActivityOutcome.FAILED, failure=failed())
    waits_ms = pending(stage).next_retry_ms
    policy = RetryPolicy(initial_interval_ms=4_000, maximum_attempts=2)

    change(stage, O.RETRY_POLICY, retry_policy=policy)

    assert pending(stage).next_retry_ms == waits_ms - 6_000
    assert pending(stage).maximum_attempts == 2
    stage.pass_time(4_000)
    stage.report(stage.tasks()[-1], ActivityOutcome.FAILED, failure=failed())
    assert any(isinstance(event, ActivityFailed) for event in stage.events())


def test_a_part_of_the_retry_policy_may_change_by_itself() -> None:
    stage, _ = charging()

    told = options(
        change(stage, O.RETRY_MAXIMUM_ATTEMPTS, retry_policy=RetryPolicy(maximum_attempts=7))
    )

    assert (told.retry_policy.maximum_attempts, told.retry_policy.initial_interval_ms) == (
        7,
        10_000,
    )


def test_what_is_paused_stays_so_and_goes_on_under_the_new_options() -> None:
    stage, first = charging_where_others_are()
    stage.ask(control(ActivityControl.PAUSE))

    change(stage, O.QUEUE, queue="other")
    stage.pass_time(60_000)

    assert pending(stage).state == "paused"
    assert stage.tasks("other") == []
    stage.ask(control(ActivityControl.UNPAUSE))
    [second] = stage.tasks("other")
    assert second.token != first.token


def test_all_changes_are_taken_back() -> None:
    """By themselves, or with a reset."""
    stage, _ = charging_where_others_are()
    before = pending(stage).options
    limit = ActivityTimeouts(heartbeat_ms=5_000)
    change(stage, O.QUEUE, O.HEARTBEAT, queue="other", timeouts=limit)

    assert restore(stage) == before
    change(stage, O.QUEUE, queue="other")
    assert len(stage.tasks()) == 2
    stage.ask(control(ActivityControl.RESET, restore_options=True))

    assert pending(stage).options == before
    assert len({task.token for task in stage.tasks()}) == 3


def test_no_time_is_no_limit() -> None:
    stage, _ = charging(heartbeat_s=5)

    told = options(change(stage, O.HEARTBEAT, timeouts=ActivityTimeouts(heartbeat_ms=0)))

    assert told.timeouts.heartbeat_ms is None


@pytest.mark.parametrize(
    ("which", "said"),
    [
        (O.QUEUE, "to have a task queue"),
        (O.START_TO_CLOSE, "start_to_close_timeout or schedule_to_close_timeout to be left"),
    ],
)
def test_options_that_no_activity_can_have_are_refused(which: ActivityOption, said: str) -> None:
    """And nothing is changed."""
    stage, _ = charging()
    before = pending(stage)

    answer = change(stage, which)

    assert isinstance(answer, Rejection)
    assert answer.reason is Reason.INVALID_ARGUMENT
    assert said in answer.message
    assert pending(stage) == before


def test_a_copy_of_a_change_is_answered_alike_and_changes_nothing() -> None:
    stage, _ = charging()
    limit = ActivityTimeouts(heartbeat_ms=5_000)
    to = ActivityOptions(queue="", timeouts=limit, retry_policy=RetryPolicy())
    asked = control(
        ActivityControl.UPDATE_OPTIONS, options=OptionsChange(which=(O.HEARTBEAT,), to=to)
    )

    first = stage.ask(asked, message_id="o")
    restore(stage)
    second = stage.ask(asked, message_id="o")

    assert first == second
    assert pending(stage).options != options(first)
