"""Activities as the processor keeps them: dispatched, announced, timed, retried, cancelled, and ended once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from streamflow import workflow
from streamflow.engine.context import Limits
from streamflow.model.answers import Description, HeartbeatAck, PendingActivity, Reason, Rejection
from streamflow.model.commands import (
    ActivityOutcome,
    CancelWorkflow,
    DescribeWorkflow,
    HeartbeatActivity,
    ReplyTo,
    SignalWorkflow,
    StartActivity,
    TaskRef,
    TerminateWorkflow,
)
from streamflow.model.events import ActivityCompleted, ActivityFailed
from streamflow.model.failure import Failure, FailureKind, RetryState, TimeoutKind
from streamflow.model.ids import WorkflowId
from streamflow.model.tasks import ActivityTask
from streamflow.topology import ensure_queue, replies_topic
from streamflow.wire.keys import EntityKind
from tests.unit.processor.programs import Charge, FanOut
from tests.unit.processor.stage import NS, Stage, payload, ref, start

W = WorkflowId("w")
CONTROL = ReplyTo(replies_topic(NS), 0, "control")


@workflow.defn
class Impatient:
    """Cancels its activity when told to, and waits for what becomes of it."""

    def __init__(self) -> None:
        self.enough = False

    @workflow.signal
    def stop(self) -> None:
        self.enough = True

    @workflow.run
    async def run(self) -> str:
        handle = workflow.start_activity(
            "charge",
            start_to_close_timeout=timedelta(minutes=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.wait_condition(lambda: self.enough)
        handle.cancel()
        try:
            await handle
        except BaseException as error:
            return type(error).__name__
        return "charged"


def failed(kind: str = "Broken", **fields: object) -> Failure:
    return Failure(kind=FailureKind.APPLICATION, message="no", type=kind, **fields)  # type: ignore[arg-type]


def announce(task: ActivityTask, started_ms: int) -> StartActivity:
    return StartActivity(
        workflow_id=task.workflow_id,
        task=ref(task),
        started_ms=started_ms,
        identity="worker-1",
        control=CONTROL,
    )


def beat(task: ActivityTask, details: object = None) -> HeartbeatActivity:
    return HeartbeatActivity(
        workflow_id=task.workflow_id, task=ref(task), details=(payload(details),)
    )


def pending(stage: Stage) -> PendingActivity:
    description = stage.ask(DescribeWorkflow(workflow_id=W))
    assert isinstance(description, Description)
    [activity] = description.pending_activities
    return activity


def attempts(stage: Stage) -> list[bool]:
    """Whether each attempt record is one, or a tombstone."""
    return [record.value is not None for record in stage.of_kind(EntityKind.ATTEMPT)]


def charging(**options: object) -> Stage:
    stage = Stage([Charge])
    stage.begin("Charge", args=(payload(options),))
    return stage


def test_the_plain_way_of_an_activity_writes_no_attempt_record() -> None:
    """Scheduled and completed: two events and one task."""
    stage = charging()
    [task] = stage.tasks()

    stage.report(task, result=payload("paid"))

    assert attempts(stage) == []
    assert stage.kinds()[-3:] == ["ActivityCompleted", "Activated", "WorkflowCompleted"]


def test_a_report_counts_once() -> None:
    """Its copies, and reports of other attempts or with another token, change nothing."""
    stage = charging()
    [task] = stage.tasks()
    forged = TaskRef(run_id=task.run_id, op=task.op, attempt=1, token=b"guessed")

    answer = stage.ask(StartActivity(workflow_id=W, task=forged, started_ms=0))
    stage.report(task)
    stage.report(task)

    assert isinstance(answer, Rejection)
    assert answer.reason is Reason.STALE_TASK
    assert stage.kinds().count("ActivityCompleted") == 1


def test_a_failed_attempt_is_followed_by_the_next_one_after_its_backoff() -> None:
    """A description says which attempt is waited for, until when, and why; nothing is added to the history."""
    stage = charging()
    [first] = stage.tasks()
    events = len(stage.kinds())

    stage.report(first, ActivityOutcome.FAILED, failure=failed())

    waiting = pending(stage)
    assert (waiting.attempt, waiting.state) == (2, "backing_off")
    assert waiting.next_retry_ms == stage.clock.now_ms() + 10_000
    assert waiting.last_failure is not None
    assert waiting.last_failure.message == "no"
    stage.pass_time(9_999)
    assert len(stage.tasks()) == 1
    stage.pass_time(1)
    assert [task.attempt for task in stage.tasks()] == [1, 2]
    assert len(stage.kinds()) == events


def test_an_attempt_that_was_given_up_cannot_report_any_more() -> None:
    """Its token is the activity's, so the number alone tells it from the one that has taken its place."""
    stage = charging()
    [first] = stage.tasks()
    stage.report(first, ActivityOutcome.FAILED, failure=failed())
    stage.pass_time(10_000)
    _, second = stage.tasks()

    stage.report(first, result=payload("late"))
    assert "ActivityCompleted" not in stage.kinds()
    stage.report(second, result=payload("in time"))

    [end] = [event for event in stage.events() if isinstance(event, ActivityCompleted)]
    assert (end.attempt, end.result) == (2, payload("in time"))


def test_the_end_takes_the_attempt_record_away() -> None:
    stage = charging()
    stage.report(stage.tasks()[0], ActivityOutcome.FAILED, failure=failed())
    stage.pass_time(10_000)

    stage.report(stage.tasks()[1])

    assert attempts(stage)[-1] is False
    assert stage.rows().attempts(stage.tasks()[0].run_id) == []


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (failed(non_retryable=True), RetryState.NON_RETRYABLE_FAILURE),
        (failed(), RetryState.MAXIMUM_ATTEMPTS_REACHED),
    ],
)
def test_there_is_no_next_attempt_where_the_policy_says_so(
    failure: Failure, state: RetryState
) -> None:
    stage = charging(attempts=1)

    stage.report(stage.tasks()[0], ActivityOutcome.FAILED, failure=failure)

    [ended] = [event for event in stage.events() if isinstance(event, ActivityFailed)]
    assert ended.retry_state is state


def test_a_failure_may_set_its_own_delay() -> None:
    stage = charging()

    stage.report(
        stage.tasks()[0], ActivityOutcome.FAILED, failure=failed(next_retry_delay_ms=77_000)
    )

    assert pending(stage).next_retry_ms == stage.clock.now_ms() + 77_000


def test_the_whole_time_of_an_activity_spans_its_attempts() -> None:
    """No attempt begins after schedule-to-close, and one that would is not waited for."""
    stage = charging(to_close_s=25)
    stage.report(stage.tasks()[0], ActivityOutcome.FAILED, failure=failed())
    stage.pass_time(10_000)

    stage.report(stage.tasks()[1], ActivityOutcome.FAILED, failure=failed())

    [ended] = [event for event in stage.events() if isinstance(event, ActivityFailed)]
    assert ended.retry_state is RetryState.TIMEOUT
    assert ended.attempt == 2


def test_an_activity_that_nobody_takes_ends_with_its_whole_time() -> None:
    stage = charging(to_close_s=25)

    stage.pass_time(25_000)

    [ended] = [event for event in stage.events() if isinstance(event, ActivityFailed)]
    assert ended.failure.timeout_kind is TimeoutKind.SCHEDULE_TO_CLOSE


def test_an_attempts_time_counts_from_its_announced_start() -> None:
    """A task that waits in a queue does not use it up."""
    stage = charging(start_to_close_s=30)
    stage.pass_time(20_000)

    stage.ask(announce(stage.tasks()[0], stage.clock.now_ms()))
    stage.pass_time(29_999)
    assert pending(stage).attempt == 1
    stage.pass_time(1)

    again = pending(stage)
    assert again.attempt == 2
    assert again.last_failure is not None
    assert again.last_failure.timeout_kind is TimeoutKind.START_TO_CLOSE


def test_an_attempts_timeout_that_leaves_no_time_for_another_ends_the_whole_time() -> None:
    """What ran out is then the limit of all attempts; the attempt's own timeout is the cause."""
    stage = charging(start_to_close_s=30, to_close_s=31)
    stage.ask(announce(stage.tasks()[0], stage.clock.now_ms()))

    stage.pass_time(30_000)

    [ended] = [event for event in stage.events() if isinstance(event, ActivityFailed)]
    assert ended.retry_state is RetryState.TIMEOUT
    assert ended.failure.timeout_kind is TimeoutKind.SCHEDULE_TO_CLOSE
    assert ended.failure.message.startswith("Not enough time to schedule next retry")
    assert ended.failure.cause is not None
    assert ended.failure.cause.timeout_kind is TimeoutKind.START_TO_CLOSE


def test_an_attempts_timeout_is_its_own_where_no_more_attempts_are_allowed() -> None:
    stage = charging(start_to_close_s=30, to_close_s=31, attempts=1)
    stage.ask(announce(stage.tasks()[0], stage.clock.now_ms()))

    stage.pass_time(30_000)

    [ended] = [event for event in stage.events() if isinstance(event, ActivityFailed)]
    assert ended.retry_state is RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert ended.failure.timeout_kind is TimeoutKind.START_TO_CLOSE


def test_a_start_cannot_be_announced_from_the_future() -> None:
    """A worker whose clock is ahead does not lengthen its time."""
    stage = charging(start_to_close_s=30)

    stage.ask(announce(stage.tasks()[0], stage.clock.now_ms() + 3_600_000))

    assert pending(stage).last_started_ms == stage.clock.now_ms()


def test_heartbeats_keep_an_attempt_alive_and_their_details_reach_the_next_one() -> None:
    stage = charging(heartbeat_s=10, start_to_close_s=3_600)
    [task] = stage.tasks()
    for progress in (1, 2, 3):
        stage.pass_time(8_000)
        answer = stage.ask(beat(task, progress))
        assert answer == HeartbeatAck(known=True, cancel_requested=False)

    stage.pass_time(10_000)

    assert pending(stage).attempt == 2
    stage.pass_time(10_000)
    assert stage.tasks()[1].heartbeat_details == (payload(3),)
    stage.report(stage.tasks()[1], ActivityOutcome.FAILED, failure=failed())
    stage.pass_time(60_000)
    assert stage.tasks()[2].heartbeat_details == (payload(3),)


def test_what_is_known_of_an_attempt_survives_an_empty_disk() -> None:
    stage = charging(heartbeat_s=10)
    stage.ask(announce(stage.tasks()[0], stage.clock.now_ms()))
    stage.ask(beat(stage.tasks()[0], "half"))
    before = pending(stage)

    stage.restart(crash=True, disk="empty")

    assert pending(stage) == before


def test_a_task_that_nobody_announces_is_sent_again() -> None:
    """As the same attempt with the same token, long before its record leaves the topic."""
    stage = Stage([Charge], limits=Limits(resend_ms=3_600_000))
    stage.begin("Charge")

    stage.pass_time(3_600_000)

    first, again = stage.tasks()
    assert ref(first) == ref(again)


def test_a_task_for_a_queue_that_is_not_there_waits_with_a_hint() -> None:
    """And is sent once the queue has been made."""
    stage = charging(queue="printers")

    waiting = pending(stage)
    assert waiting.state == "backing_off"
    assert "printers" in waiting.hint
    assert stage.tasks() == []

    ensure_queue(stage.log, NS, "printers", kind="activity", partitions=2, create=True)
    stage.pass_time(60_000)

    assert len(stage.broker.records("default.printers.activities")) == 1
    assert pending(stage).hint == ""


def test_cancelling_tells_the_worker_that_runs_the_attempt() -> None:
    """The worker has the last word, and hears of it on its next heartbeat too."""
    stage = Stage([Impatient])
    stage.begin("Impatient")
    [task] = stage.tasks()
    stage.ask(announce(task, stage.clock.now_ms()))

    stage.ask(SignalWorkflow(workflow_id=W, signal_name="stop"))

    [pushed] = stage.cancels()
    assert (pushed.run_id, pushed.op, pushed.attempt) == (task.run_id, task.op, 1)
    assert stage.ask(beat(task)) == HeartbeatAck(known=True, cancel_requested=True)
    stage.report(task, ActivityOutcome.CANCELED, failure=Failure(kind=FailureKind.CANCELED))
    assert stage.kinds()[-3:] == ["ActivityCanceled", "Activated", "WorkflowCompleted"]


def test_cancelling_between_attempts_ends_the_activity_at_once() -> None:
    """No worker has it, so nobody need be asked, and no further attempt is made."""
    stage = Stage([Impatient])
    stage.begin("Impatient")
    stage.report(stage.tasks()[0], ActivityOutcome.FAILED, failure=failed())

    stage.ask(SignalWorkflow(workflow_id=W, signal_name="stop"))

    assert "ActivityCanceled" in stage.kinds()
    assert stage.kinds()[-1] == "WorkflowCompleted"
    stage.pass_time(60_000)
    assert len(stage.tasks()) == 1


def test_a_failure_after_the_cancellation_is_not_retried() -> None:
    stage = Stage([Impatient])
    stage.begin("Impatient")

    stage.ask(SignalWorkflow(workflow_id=W, signal_name="stop"))
    stage.report(stage.tasks()[0], ActivityOutcome.FAILED, failure=failed())

    [ended] = [event for event in stage.events() if isinstance(event, ActivityFailed)]
    assert ended.retry_state is RetryState.CANCEL_REQUESTED


def test_an_attempt_that_gives_up_unasked_is_tried_again() -> None:
    """A worker that shuts down cancels what it runs; nobody had asked for that."""
    stage = charging()

    stage.report(
        stage.tasks()[0], ActivityOutcome.CANCELED, failure=Failure(kind=FailureKind.CANCELED)
    )

    assert pending(stage).attempt == 2


@pytest.mark.parametrize("close", [CancelWorkflow, TerminateWorkflow])
def test_a_closing_run_calls_its_tasks_back(
    close: Callable[..., CancelWorkflow | TerminateWorkflow],
) -> None:
    """Whoever runs one is told, and the attempt records go."""
    stage = charging()
    [task] = stage.tasks()
    stage.ask(announce(task, stage.clock.now_ms()))

    stage.ask(close(workflow_id=W))

    assert [pushed.op for pushed in stage.cancels()] == [task.op]
    if close is TerminateWorkflow:
        assert attempts(stage)[-1] is False
        assert stage.rows().attempts(task.run_id) == []


def test_a_large_fan_out_is_sent_in_chunks_and_each_task_once() -> None:
    """Whatever is left over by a chunk is sent by a later transaction."""
    stage = Stage([FanOut], limits=Limits(dispatch_per_step_max=7))

    stage.begin("FanOut", args=(payload(50),))
    stage.pass_time(1_000)

    assert sorted(task.op for task in stage.tasks()) == list(range(1, 51))


def test_a_fan_out_that_was_not_all_sent_goes_on_after_a_crash() -> None:
    stage = Stage([FanOut], limits=Limits(dispatch_per_step_max=7))
    stage.settle()
    stage.send(start("FanOut", args=(payload(20),)))
    while not stage.tasks():
        stage.processor.turn()
    assert len(stage.tasks()) == 7

    stage.restart(crash=True, disk="empty")
    stage.pass_time(1_000)

    assert sorted(task.op for task in stage.tasks()) == list(range(1, 21))


def test_a_timer_and_a_dispatch_that_are_due_together_both_happen() -> None:
    """However few decisions fit into one step: none of them is cut in two."""

    @workflow.defn(name="Both")
    class Both:
        @workflow.run
        async def run(self) -> None:
            handles = [
                workflow.start_activity("charge", start_to_close_timeout=timedelta(minutes=1))
                for _ in range(4)
            ]
            await workflow.sleep(timedelta(seconds=5))
            for handle in handles:
                await handle

    stage = Stage([Both], limits=Limits(dispatch_per_step_max=2))
    stage.settle()
    stage.send(start("Both"))
    stage.pass_time(6_000)

    assert sorted(task.op for task in stage.tasks()) == [1, 2, 3, 4]
    assert "TimerFired" in stage.kinds()
