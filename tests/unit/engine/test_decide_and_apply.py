"""Whatever is asked of a run, folding its log from nothing lands on the live state; and decide never promises what apply
cannot keep."""

from __future__ import annotations

import dataclasses

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from streamflow.engine.activation import activation_of, ready
from streamflow.engine.apply import apply, apply_attempt, apply_trouble
from streamflow.engine.context import DEFAULT_LIMITS, Context
from streamflow.engine.deadlines import next_due_ms, take_due
from streamflow.engine.decide import Decision, Fact, Send
from streamflow.engine.decide.activities import decide_heartbeat, decide_report, decide_started
from streamflow.engine.decide.due import decide_due
from streamflow.engine.decide.intents import decide_intents
from streamflow.engine.decide.messages import decide_cancel, decide_signal, decide_terminate
from streamflow.engine.decide.start import Begin, decide_start
from streamflow.engine.invariants import check
from streamflow.engine.state import Run
from streamflow.model.answers import Rejection, Trouble
from streamflow.model.commands import (
    ActivityOutcome,
    CancelWorkflow,
    HeartbeatActivity,
    ReportActivity,
    SignalWorkflow,
    StartActivity,
    StartWorkflow,
    TaskRef,
    TerminateWorkflow,
)
from streamflow.model.events import Recorded
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import MessageId, Op, Seq, WorkflowId
from streamflow.model.intents import (
    CancelActivity,
    CancelTimer,
    CompleteRun,
    FailRun,
    Intent,
    ScheduleActivity,
    StartTimer,
)
from streamflow.model.options import ActivityTimeouts, CancellationType, RetryPolicy
from streamflow.model.tasks import Attempt

WORKFLOW = WorkflowId("order-1")
LIMITS = DEFAULT_LIMITS

maybe_ms = st.none() | st.integers(1, 60_000)
timeouts = st.builds(
    ActivityTimeouts,
    schedule_to_close_ms=maybe_ms,
    schedule_to_start_ms=maybe_ms,
    start_to_close_ms=st.integers(1, 60_000),
    heartbeat_ms=maybe_ms,
)
policies = st.builds(
    RetryPolicy,
    initial_interval_ms=st.integers(1, 5_000),
    backoff_coefficient=st.floats(1, 3),
    maximum_attempts=st.integers(0, 4),
    non_retryable_error_types=st.just(("Final",)),
)
failures = st.builds(
    Failure,
    kind=st.just(FailureKind.APPLICATION),
    message=st.just("no"),
    type=st.sampled_from(["Final", "Other"]),
    next_retry_delay_ms=maybe_ms,
)


class AnyRun(RuleBasedStateMachine):
    """Asks everything there is to ask, at any time, of one run."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 1_000_000
        self.entropy = 0
        self.run: Run
        self.log: list[Recorded | Attempt | Trouble | None] = []
        self.next_op = 1
        self.tasks: list[TaskRef] = []

    # -- the shell ------------------------------------------------------------------------------------------------

    def context(self) -> Context:
        self.entropy += 1
        return Context(
            now_ms=self.now_ms,
            entropy=self.entropy.to_bytes(16, "big"),
            queue="q",
            activity_queues={"q": 4},
        )

    def record(self, fact: Fact | Send) -> None:
        match fact:
            case Send(op=op):
                activity = self.run.activities[op]
                token = activity.scheduled.token
                attempt = activity.attempt.attempt
                self.tasks.append(
                    TaskRef(run_id=self.run.run_id, op=op, attempt=attempt, token=token)
                )
            case Attempt():
                apply_attempt(self.run, fact, LIMITS)
                self.log.append(fact)
            case Trouble():
                apply_trouble(self.run, fact)
                self.log.append(fact)
            case _:
                recorded = Recorded(Seq(self.run.last_seq + 1), self.run.step, self.now_ms, fact)
                apply(self.run, recorded, LIMITS)
                self.log.append(recorded)
        check(self.run, LIMITS)

    def record_decision(self, decided: Decision | Rejection) -> None:
        if isinstance(decided, Decision):
            for fact in decided.facts:
                self.record(fact)

    # -- what may happen ------------------------------------------------------------------------------------------

    @initialize(delay=st.integers(0, 5_000), run_timeout=maybe_ms, policy=st.none() | policies)
    def start(self, delay: int, run_timeout: int | None, policy: RetryPolicy | None) -> None:
        command = StartWorkflow(
            workflow_id=WORKFLOW,
            workflow_type="Order",
            start_delay_ms=delay,
            run_timeout_ms=run_timeout,
            retry_policy=policy,
        )
        begin = decide_start(None, command, MessageId("m"), self.context())
        assert isinstance(begin, Begin)
        self.run = Run(WORKFLOW, begin.run_id)
        for fact in begin.facts:
            self.record(fact)

    @rule(name=st.sampled_from(["a", "b"]))
    def signal(self, name: str) -> None:
        command = SignalWorkflow(workflow_id=WORKFLOW, signal_name=name)
        self.record_decision(decide_signal(self.run, command, MessageId("s"), self.context()))

    @rule()
    def cancel(self) -> None:
        self.record_decision(decide_cancel(self.run, CancelWorkflow(workflow_id=WORKFLOW)))

    @rule(really=st.integers(0, 20))
    def terminate(self, really: int) -> None:
        if really == 0:
            self.record_decision(
                decide_terminate(self.run, TerminateWorkflow(workflow_id=WORKFLOW))
            )

    @precondition(lambda self: ready(self.run, self.now_ms))
    @rule(data=st.data())
    def activate(self, data: st.DataObject) -> None:
        context = self.context()
        activation = activation_of(self.run, context, flags=0, history_bytes=0)
        intents = [self.intent(data) for _ in range(data.draw(st.integers(0, 4)))]
        if data.draw(st.integers(0, 15)) == 0:
            ends: list[Intent] = [CompleteRun(), FailRun(failure=failure())]
            intents.append(data.draw(st.sampled_from(ends)))
        for step in decide_intents(self.run, activation, intents, context):
            self.record(step)

    def intent(self, data: st.DataObject) -> Intent:
        op = Op(self.next_op)
        kind = data.draw(
            st.sampled_from(["activity", "local", "nowhere", "timer", "cancel", "untimer"])
        )
        if kind == "cancel":
            ops = [*self.run.activities, Op(99_999)]
            return CancelActivity(op=data.draw(st.sampled_from(ops)))
        if kind == "untimer":
            return CancelTimer(op=data.draw(st.sampled_from([*self.run.timers, Op(99_999)])))
        self.next_op += 1
        if kind == "timer":
            return StartTimer(op=op, duration_ms=data.draw(st.integers(0, 60_000)))
        return ScheduleActivity(
            op=op,
            activity_id=str(op),
            activity_type="charge",
            queue="missing" if kind == "nowhere" else "",
            timeouts=data.draw(timeouts),
            retry_policy=data.draw(policies),
            cancellation_type=data.draw(st.sampled_from(CancellationType)),
            local=kind == "local",
        )

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), outcome=st.sampled_from(ActivityOutcome), why=failures)
    def report(self, data: st.DataObject, outcome: ActivityOutcome, why: Failure) -> None:
        """A worker reports any task that it ever had, the stale ones too."""
        task = data.draw(st.sampled_from(self.tasks))
        command = ReportActivity(workflow_id=WORKFLOW, task=task, outcome=outcome, failure=why)
        self.record_decision(decide_report(self.run, command, self.context()))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), heartbeat=st.booleans(), skew=st.integers(-5_000, 5_000))
    def news(self, data: st.DataObject, heartbeat: bool, skew: int) -> None:
        task = data.draw(st.sampled_from(self.tasks))
        if heartbeat:
            beat = HeartbeatActivity(workflow_id=WORKFLOW, task=task)
            self.record_decision(decide_heartbeat(self.run, beat, self.context()))
        else:
            began = StartActivity(workflow_id=WORKFLOW, task=task, started_ms=self.now_ms + skew)
            self.record_decision(decide_started(self.run, began, self.context()))

    @rule(elapsed=st.integers(0, 30_000))
    def time_passes(self, elapsed: int) -> None:
        self.now_ms += elapsed
        for step in decide_due(self.run, self.context()):
            self.record(step)
        due_ms = next_due_ms(self.run, LIMITS)
        assert not due_ms or due_ms > self.now_ms, "what was due has been done"

    @rule(next_try=st.integers(1, 10_000))
    def code_fails(self, next_try: int) -> None:
        if self.run.open:
            self.record(Trouble(kind="stuck", message="bug", next_try_ms=self.now_ms + next_try))

    # -- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def folding_the_log_gives_the_live_state(self) -> None:
        folded = Run(self.run.workflow_id, self.run.run_id)
        for fact in self.log:
            match fact:
                case Attempt():
                    if fact.op in folded.activities:
                        apply_attempt(folded, fact, LIMITS)
                case Trouble() | None:
                    apply_trouble(folded, fact)
                case Recorded():
                    apply(folded, fact, LIMITS)
        assert without_heap(folded) == without_heap(self.run)
        self.both_wake_at_the_same_time(folded)

    def both_wake_at_the_same_time(self, folded: Run) -> None:
        """But for what was due and asked for no fact (a delay over, a retry's time come): the live run has seen that."""
        while (due_ms := next_due_ms(folded, LIMITS)) and due_ms <= self.now_ms:
            take_due(folded, self.now_ms, LIMITS)
        live_ms = next_due_ms(self.run, LIMITS)
        assert due_ms == live_ms or 0 < live_ms <= self.now_ms


def failure() -> Failure:
    return Failure(kind=FailureKind.APPLICATION, message="failed")


def without_heap(run: Run) -> dict[str, object]:
    fields = dataclasses.asdict(run)
    del fields["deadlines"]
    return fields


TestAnyRun = AnyRun.TestCase
TestAnyRun.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
