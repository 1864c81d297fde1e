"""What single decisions state and refuse, and that between them every kind of event is decided, and applied."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from typing import Any

import pytest

from streamflow.engine import deadlines
from streamflow.engine.activation import activation_of, ready
from streamflow.engine.apply import apply, apply_attempt, apply_trouble
from streamflow.engine.chain import successor
from streamflow.engine.context import Context, Limits
from streamflow.engine.deadlines import Due
from streamflow.engine.decide import Decision, Send, Step
from streamflow.engine.decide.activities import decide_local_end, decide_report, decide_started
from streamflow.engine.decide.due import decide_due
from streamflow.engine.decide.intents import decide_intents, refuse_intents
from streamflow.engine.decide.length import outgrown
from streamflow.engine.decide.messages import decide_cancel, decide_signal, decide_terminate
from streamflow.engine.decide.relations import decide_child_report, decide_external_report
from streamflow.engine.decide.start import Begin, LastRun, decide_start
from streamflow.engine.decide.updates import accepted_event, refuse_update
from streamflow.engine.describe import describe, result_of
from streamflow.engine.sizes import failure_bytes, payload_bytes
from streamflow.engine.state import STATUS_OF, Run
from streamflow.model import events
from streamflow.model.answers import Done, Reason, Rejection, Trouble
from streamflow.model.commands import (
    ActivityOutcome,
    CancelWorkflow,
    LocalActivityEnded,
    ReportActivity,
    SignalWorkflow,
    StartActivity,
    StartWorkflow,
    TaskRef,
    TerminateWorkflow,
    UpdateWorkflow,
)
from streamflow.model.events import (
    Event,
    Recorded,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTimedOut,
)
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.ids import MessageId, Op, RunId, Seq, WorkflowId
from streamflow.model.intents import (
    CancelActivity,
    CancelRun,
    CancelTimer,
    CompleteRun,
    CompleteUpdate,
    ContinueAsNew,
    FailRun,
    Intent,
    MarkPatch,
    ScheduleActivity,
    StartTimer,
    UpsertMemo,
    UpsertSearchAttributes,
)
from streamflow.model.options import ActivityTimeouts, CancellationType, RetryPolicy, Status
from streamflow.model.payload import Payload
from streamflow.model.relations import (
    CancelChild,
    CancelExternal,
    ChildNews,
    ReportChild,
    ReportExternal,
    SignalExternal,
    StartChild,
    Target,
)
from streamflow.model.tasks import Attempt

W = WorkflowId("w")
MINUTE = ActivityTimeouts(start_to_close_ms=60_000)
FAILED = Failure(kind=FailureKind.APPLICATION, message="no")


class Driven:
    """One run, driven by hand; notes which kinds of events were decided."""

    seen: typing.ClassVar[set[type]] = set()

    def __init__(self, limits: Limits | None = None, **fields: Any) -> None:
        self.limits = limits or Limits()
        self.now_ms = 1_000_000
        self.entropy = 0
        self.sent: list[int] = []
        command = StartWorkflow(workflow_id=W, workflow_type="Order", **fields)
        begin = decide_start(None, command, MessageId("m"), self.context())
        assert isinstance(begin, Begin)
        self.run = Run(W, begin.run_id)
        self.take(begin.facts)

    def context(self) -> Context:
        self.entropy += 1
        return Context(
            now_ms=self.now_ms,
            entropy=self.entropy.to_bytes(16, "big"),
            queue="q",
            limits=self.limits,
            activity_queues={"q": 4},
            workflow_queues={"q": 4},
        )

    def take(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Send(op=op):
                    self.sent.append(op)
                case Attempt():
                    apply_attempt(self.run, step, self.limits)
                case Trouble():
                    apply_trouble(self.run, step)
                case _:
                    self.record(step)

    def record(self, event: Event) -> None:
        seq = Seq(self.run.last_seq + 1)
        apply(self.run, Recorded(seq, self.run.step, self.now_ms, event), self.limits)
        Driven.seen.add(type(event))

    def decided(self, decision: Decision | Rejection) -> None:
        assert isinstance(decision, Decision), decision
        self.take(decision.facts)

    def activate(self, *intents: Intent) -> None:
        context = self.context()
        activation = activation_of(self.run, context, flags=0, history_bytes=0)
        self.take(decide_intents(self.run, activation, list(intents), context))

    def pass_time(self, ms: int) -> None:
        self.now_ms += ms
        self.take(decide_due(self.run, self.context()))

    def task(self, op: int = 1) -> TaskRef:
        activity = self.run.activities[Op(op)]
        return TaskRef(
            run_id=self.run.run_id,
            op=Op(op),
            attempt=activity.attempt.attempt,
            token=activity.scheduled.token,
        )

    def report(self, outcome: ActivityOutcome, op: int = 1) -> None:
        command = ReportActivity(workflow_id=W, task=self.task(op), outcome=outcome, failure=FAILED)
        self.decided(decide_report(self.run, command, self.context()))

    def update(self, update_id: str) -> None:
        """The code lets it pass: what the processor records before the activation."""
        command = UpdateWorkflow(workflow_id=W, update_id=update_id, update_name="change")
        assert refuse_update(self.run, command, 0, self.context()) is None
        self.take((accepted_event(command, MessageId(update_id)),))

    def signal(self) -> Decision | Rejection:
        command = SignalWorkflow(workflow_id=W, signal_name="s")
        return decide_signal(self.run, command, MessageId("s"), self.context())


def charge(op: int = 1, **fields: Any) -> ScheduleActivity:
    return ScheduleActivity(
        op=Op(op), activity_id=str(op), activity_type="charge", timeouts=MINUTE, **fields
    )


# -- the ways of a run: together they decide every kind of event -----------------------------------------------------------


def _completed() -> Driven:
    driven = Driven()
    driven.activate(charge(), StartTimer(op=Op(2), duration_ms=5_000))
    driven.report(ActivityOutcome.COMPLETED)
    driven.update("u")
    driven.activate(CompleteUpdate(update_id="u"))
    driven.activate(MarkPatch(patch_id="p"), UpsertMemo(), UpsertSearchAttributes())
    driven.pass_time(5_000)
    driven.decided(driven.signal())
    driven.activate(CompleteRun())
    return driven


def _failed() -> Driven:
    driven = Driven()
    driven.activate(charge(retry_policy=RetryPolicy(maximum_attempts=1)))
    driven.report(ActivityOutcome.FAILED)
    driven.activate(FailRun(failure=FAILED))
    return driven


def _canceled() -> Driven:
    driven = Driven()
    driven.activate(charge(), StartTimer(op=Op(2), duration_ms=5_000))
    driven.decided(decide_cancel(driven.run, CancelWorkflow(workflow_id=W)))
    driven.activate(CancelActivity(op=Op(1)), CancelTimer(op=Op(2)))
    driven.report(ActivityOutcome.CANCELED)
    driven.activate(CancelRun())
    return driven


def _continued() -> Driven:
    driven = Driven()
    driven.activate(ContinueAsNew())
    return driven


def _terminated() -> Driven:
    driven = Driven()
    driven.decided(decide_terminate(driven.run, TerminateWorkflow(workflow_id=W)))
    return driven


def _timed_out() -> Driven:
    driven = Driven(execution_timeout_ms=1_000)
    driven.pass_time(1_000)
    return driven


def _related() -> Driven:
    """Starts children and sends messages, and hears everything that there is to hear of them."""
    driven = Driven()
    driven.activate(
        StartChild(op=Op(1), workflow_id=WorkflowId("c"), workflow_type="Child"),
        StartChild(op=Op(2), workflow_id=WorkflowId("d"), workflow_type="Child", queue="no"),
        SignalExternal(op=Op(3), target=Target(workflow_id=WorkflowId("x")), signal_name="s"),
        CancelExternal(op=Op(4), target=Target(workflow_id=WorkflowId("x"), queue="no")),
    )
    child = RunId("child")
    for news in (ChildNews.STARTED, ChildNews.CANCEL_DELIVERED, ChildNews.CLOSED):
        report = ReportChild(
            workflow_id=W,
            run_id=driven.run.run_id,
            op=Op(1),
            news=news,
            child_run_id=child,
            status=Status.COMPLETED,
        )
        driven.decided(decide_child_report(driven.run, report))
        if news is ChildNews.STARTED:
            driven.activate(CancelChild(op=Op(1)))
    answered = ReportExternal(workflow_id=W, run_id=driven.run.run_id, op=Op(3))
    driven.decided(decide_external_report(driven.run, answered))
    return driven


WAYS = {
    Status.COMPLETED: _completed,
    Status.FAILED: _failed,
    Status.CANCELED: _canceled,
    Status.CONTINUED_AS_NEW: _continued,
    Status.TERMINATED: _terminated,
    Status.TIMED_OUT: _timed_out,
}


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
    for way in (*WAYS.values(), _related):
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
        successor(_completed().run, Driven().context())


def test_an_end_by_continuing_names_the_next_run() -> None:
    closed = _continued().run.closed

    assert isinstance(closed, WorkflowContinuedAsNew)
    assert result_of(_continued().run).new_run_id is not None


# -- bounds -------------------------------------------------------------------------------------------------------------


def test_a_run_may_wait_for_so_many_activities_and_timers() -> None:
    driven = Driven(Limits(pending_activities_max=2, pending_timers_max=1))
    context = driven.context()
    timers: list[Intent] = [StartTimer(op=Op(n), duration_ms=1) for n in (1, 2)]
    activities: list[Intent] = [charge(1), charge(2), charge(3)]

    assert refuse_intents(driven.run, [charge(1), charge(2), timers[0]], context) is None
    for intents, what in ((timers, "pending timers"), (activities, "pending activities")):
        refused = refuse_intents(driven.run, intents, context)
        assert refused is not None
        assert (refused.reason, what in refused.message) == (Reason.LIMIT_EXCEEDED, True)


def test_what_a_step_carries_must_fit_into_a_record() -> None:
    """Arguments, results, memos, headers and failures alike."""
    driven = Driven(Limits(payload_bytes_max=1_000))
    large = Payload({}, bytes(2_000))
    nested = Failure(
        kind=FailureKind.APPLICATION,
        cause=Failure(kind=FailureKind.APPLICATION, stack_trace="s" * 2_000),
    )

    for intent in (
        charge(args=(large,)),
        charge(headers={"h": large}),
        CompleteRun(result=large),
        FailRun(failure=nested),
        CancelRun(details=(large,)),
        ContinueAsNew(memo={"m": large}),
    ):
        assert refuse_intents(driven.run, [intent], driven.context()) is not None, intent


def test_payloads_are_counted_with_what_describes_them() -> None:
    """Many small ones are as large as one that is not."""
    small = Payload({"encoding": b"json/plain"}, b"1")

    assert payload_bytes((small,) * 100, None, {"name": small}) > 101 * 19
    assert failure_bytes(None) == 0


def test_inputs_that_no_code_takes_are_bounded() -> None:
    driven = Driven(Limits(waiting_inputs_max=3))
    for _ in range(2):
        driven.decided(driven.signal())

    refused = driven.signal()

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.LIMIT_EXCEEDED


def test_a_history_may_be_so_long() -> None:
    driven = Driven(Limits(events_max=2))
    assert outgrown(driven.run, driven.limits) is None
    driven.decided(driven.signal())

    end = outgrown(driven.run, driven.limits)

    assert end is not None
    assert end.retry_state is RetryState.NON_RETRYABLE_FAILURE
    assert end.new_run_id is None


def test_what_is_due_is_decided_in_bounded_pieces() -> None:
    """Each decision whole; what is left stays due."""
    driven = Driven(Limits(dispatch_per_step_max=2))
    driven.activate(*[charge(op) for op in range(1, 8)])
    assert driven.sent == [1, 2]

    driven.pass_time(0)
    assert driven.sent == [1, 2, 3, 4]
    assert deadlines.next_due_ms(driven.run, driven.limits) <= driven.now_ms
    driven.pass_time(0)
    driven.pass_time(0)

    assert driven.sent == [1, 2, 3, 4, 5, 6, 7]


def test_a_queue_that_never_comes_ends_an_activity_that_may_not_wait_so_long() -> None:
    """Neither being sent again nor not being sent at all starts the wait anew."""
    waits = ActivityTimeouts(start_to_close_ms=60_000, schedule_to_start_ms=5_000)
    driven = Driven(Limits(resend_ms=1_000, unknown_queue_retry_ms=1_000))
    driven.activate(
        ScheduleActivity(op=Op(1), activity_id="1", activity_type="a", timeouts=waits),
        ScheduleActivity(
            op=Op(2), activity_id="2", activity_type="a", timeouts=waits, queue="nowhere"
        ),
    )

    for _ in range(5):
        driven.pass_time(1_000)

    ended = [r.event for r in driven.run.waiting if isinstance(r.event, events.ActivityFailed)]
    assert [event.op for event in ended] == [1, 2]


def test_a_long_local_activity_is_looked_after_ever_less_often() -> None:
    """Each look writes a record; an hour of one must not write thousands."""
    driven = Driven()
    driven.activate(charge(local=True))

    for _ in range(3_600):
        driven.pass_time(1_000)

    assert 100 < len(driven.sent) < 500


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


def test_a_signalled_start_keeps_its_first_event_first() -> None:
    driven = Driven(signal_name="go", start_delay_ms=60_000)

    assert [type(r.event) for r in driven.run.waiting] == [WorkflowStarted, events.SignalReceived]
    assert ready(driven.run, driven.now_ms)
