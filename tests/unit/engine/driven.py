"""A run that is driven by hand, decision by decision."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from typing import Any

from streamflow.engine.activation import activation_of
from streamflow.engine.apply import apply, apply_attempt, apply_trouble
from streamflow.engine.context import Context, Limits
from streamflow.engine.decide import Decision, Send, Step
from streamflow.engine.decide.activities import decide_report
from streamflow.engine.decide.due import decide_due
from streamflow.engine.decide.intents import decide_intents
from streamflow.engine.decide.messages import decide_signal
from streamflow.engine.decide.start import Begin, decide_start
from streamflow.engine.decide.updates import accepted_event, refuse_update
from streamflow.engine.state import Run
from streamflow.model.answers import Rejection, Trouble
from streamflow.model.commands import (
    ActivityOutcome,
    ReportActivity,
    SignalWorkflow,
    StartWorkflow,
    TaskRef,
    UpdateWorkflow,
)
from streamflow.model.events import Event, Recorded
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import MessageId, Op, Seq, WorkflowId
from streamflow.model.intents import Intent, ScheduleActivity
from streamflow.model.options import ActivityTimeouts
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
