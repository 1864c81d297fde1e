"""What single decisions state and refuse."""

from __future__ import annotations

from typing import Any

import pytest

from streamflow.engine.activation import ready
from streamflow.engine.apply import apply_trouble
from streamflow.engine.chain import successor
from streamflow.engine.context import Context
from streamflow.engine.decide.activities import decide_local_end
from streamflow.engine.decide.messages import decide_cancel
from streamflow.engine.decide.start import Begin, LastRun, decide_start
from streamflow.engine.describe import result_of
from streamflow.model import events
from streamflow.model.answers import Done, Reason, Rejection, Trouble
from streamflow.model.commands import (
    ActivityOutcome,
    CancelWorkflow,
    LocalActivityEnded,
    StartWorkflow,
)
from streamflow.model.events import (
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTimedOut,
)
from streamflow.model.ids import MessageId, Op, RunId, WorkflowId
from streamflow.model.intents import (
    CancelActivity,
    CancelTimer,
    ContinueAsNew,
    FailRun,
    StartTimer,
)
from streamflow.model.options import CancellationType, RetryPolicy, Status
from streamflow.model.payload import Payload
from tests.unit.engine.driven import FAILED, Driven, W, charge
from tests.unit.engine.ways import completed, continued

# -- starting -----------------------------------------------------------------------------------------------------------


def start(**fields: Any) -> StartWorkflow:
    return StartWorkflow(**{"workflow_id": W, "workflow_type": "Order", **fields})


@pytest.mark.parametrize(
    "command",
    [
        start(workflow_type=""),
        start(workflow_id=WorkflowId("é" * 600)),
        start(workflow_type="t" * 1_001),
        start(cron_schedule="* * * *"),
        start(cron_schedule="CRON_TZ=Nowhere/Land * * * * *"),
        start(cron_schedule="0 0 30 2 *"),
        start(cron_schedule="@daily", start_delay_ms=1),
        start(start_delay_ms=-1),
        start(run_timeout_ms=-1),
        start(execution_timeout_ms=-1),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(command: StartWorkflow) -> None:
    refused = decide_start(None, command, MessageId("m"), Driven().context())

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.INVALID_ARGUMENT


def test_run_ids_are_new_each_time_and_come_from_the_contexts_entropy() -> None:
    driven = Driven()
    context = driven.context()
    command = start()
    last = LastRun(RunId("old"), Status.COMPLETED)

    one = decide_start(last, command, MessageId("m"), context)
    same = decide_start(last, command, MessageId("m"), context)
    other = decide_start(last, command, MessageId("m"), driven.context())

    assert isinstance(one, Begin)
    assert isinstance(other, Begin)
    assert one == same
    assert one.run_id != other.run_id
    assert one.answer == Done(run_id=one.run_id, first_run_id=one.run_id, started=True)


def test_what_a_continued_run_does_not_say_it_inherits() -> None:
    driven = Driven(
        run_timeout_ms=5_000, execution_timeout_ms=100_000, retry_policy=RetryPolicy(), memo={}
    )
    driven.activate(ContinueAsNew(args=(Payload({}, b"2"),)))
    former = driven.run.start

    next_one = successor(
        driven.run, Context(now_ms=driven.now_ms + 10, entropy=bytes(16), queue="q")
    )

    assert next_one.args == (Payload({}, b"2"),)
    assert next_one.continued_from == driven.run.run_id
    assert next_one.first_run_id == former.first_run_id
    assert next_one.execution_deadline_ms == former.execution_deadline_ms
    assert next_one.run_deadline_ms == driven.now_ms + 10 + 5_000
    assert next_one.retry_policy == former.retry_policy
    assert next_one.attempt == 1


@pytest.mark.parametrize("timed_out", [False, True])
def test_a_retried_run_counts_its_attempts_and_waits(timed_out: bool) -> None:
    policy = RetryPolicy(initial_interval_ms=700)
    driven = Driven(run_timeout_ms=5_000, retry_policy=policy)
    if timed_out:
        driven.pass_time(5_000)
        assert isinstance(driven.run.closed, WorkflowTimedOut)
    else:
        driven.activate(FailRun(failure=FAILED))
        assert isinstance(driven.run.closed, WorkflowFailed)
    assert driven.run.successor_id is not None

    following = successor(driven.run, driven.context())

    assert following.attempt == 2
    assert following.not_before_ms == driven.now_ms + 700
    assert following.run_deadline_ms == driven.now_ms + 700 + 5_000


def test_only_a_run_that_is_followed_has_a_successor() -> None:
    with pytest.raises(AssertionError):
        successor(completed().run, Driven().context())


def test_an_end_by_continuing_names_the_next_run() -> None:
    closed = continued().run.closed

    assert isinstance(closed, WorkflowContinuedAsNew)
    assert result_of(continued().run).new_run_id is not None


# -- details ------------------------------------------------------------------------------------------------------------


def test_timers_fire_in_the_order_of_their_times_and_then_of_their_events() -> None:
    driven = Driven()
    driven.activate(
        StartTimer(op=Op(1), duration_ms=20),
        StartTimer(op=Op(2), duration_ms=10),
        StartTimer(op=Op(3), duration_ms=20),
        StartTimer(op=Op(4), duration_ms=0),
    )

    driven.pass_time(100)

    fired = [r.event.op for r in driven.run.waiting if isinstance(r.event, events.TimerFired)]
    assert fired == [4, 2, 1, 3]


def test_an_abandoned_activity_is_canceled_at_once_and_its_worker_told() -> None:
    driven = Driven()
    driven.activate(charge(cancellation_type=CancellationType.ABANDON))

    driven.activate(CancelActivity(op=Op(1)))

    assert Op(1) not in driven.run.activities


def test_cancelling_what_has_ended_is_nothing() -> None:
    """The code may not know yet."""
    driven = Driven()
    before = driven.run.last_seq

    driven.activate(CancelActivity(op=Op(1)), CancelTimer(op=Op(2)))

    assert driven.run.last_seq == before + 1


def test_asking_for_cancellation_twice_is_recorded_once() -> None:
    driven = Driven()
    for _ in range(2):
        driven.decided(decide_cancel(driven.run, CancelWorkflow(workflow_id=W)))

    assert driven.run.last_seq == 2


def test_a_local_end_must_carry_its_attempts_token() -> None:
    driven = Driven()
    driven.activate(charge(local=True))
    ended = LocalActivityEnded(
        workflow_id=W,
        run_id=driven.run.run_id,
        op=Op(1),
        attempt=1,
        token=b"of an aborted batch",
        outcome=ActivityOutcome.COMPLETED,
    )

    assert isinstance(decide_local_end(driven.run, ended, driven.context()), Rejection)


def test_code_may_run_when_something_waits_that_it_may_see() -> None:
    """Not during the start's delay, nor before a stuck run's next try."""
    delayed = Driven(start_delay_ms=1_000)
    assert not ready(delayed.run, delayed.now_ms + 999)
    assert ready(delayed.run, delayed.now_ms + 1_000)
    delayed.decided(delayed.signal())
    assert ready(delayed.run, delayed.now_ms)

    stuck = Driven()
    apply_trouble(stuck.run, Trouble(kind="stuck", message="", next_try_ms=stuck.now_ms + 5))
    assert not ready(stuck.run, stuck.now_ms + 4)
    assert ready(stuck.run, stuck.now_ms + 5)
    apply_trouble(stuck.run, Trouble(kind="quarantined", message=""))
    assert not ready(stuck.run, 10**15)


def test_a_signal_that_comes_with_the_start_waits_out_the_delay() -> None:
    """Behind the first event; only a later one ends the delay."""
    driven = Driven(signal_name="go", start_delay_ms=60_000)

    assert [type(r.event) for r in driven.run.waiting] == [WorkflowStarted, events.SignalReceived]
    assert not ready(driven.run, driven.now_ms + 59_999)
    assert ready(driven.run, driven.now_ms + 60_000)
    driven.decided(driven.signal())
    assert ready(driven.run, driven.now_ms)
