"""A history in the order of what was done: an activity, a timer, a child or a message is one step, however many events it took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from streamflow.model import events as facts
from streamflow.model import relations
from streamflow.model.answers import Description, PendingActivity
from streamflow.model.events import Recorded
from streamflow.model.failure import Failure
from streamflow.model.payload import Payload, Payloads


@dataclass
class Step:
    """Something that a run did, waited for, or was told. Times are milliseconds since the epoch."""

    kind: str
    """``activity``, ``local activity``, ``timer``, ``child``, ``signal``, ``update``, ``message``, ``cancel``, ``change``, ``end``."""
    name: str
    state: str
    """``pending`` until it has ended."""
    begun_ms: int
    seqs: list[int]
    ended_ms: int = 0
    """0 while it is pending."""
    due_ms: int = 0
    """Of a timer: when it fires."""
    attempts: int = 0
    summary: str = ""
    place: str = ""
    note: str = ""
    identity: str = ""
    args: Payloads = ()
    result: Payload | None = None
    failure: Failure | None = None
    workflow_id: str = ""
    run_id: str = ""
    """Of the workflow that it speaks to."""
    pending: PendingActivity | None = None

    @property
    def is_moment(self) -> bool:
        """Whether it has no length."""
        return self.kind in ("signal", "cancel", "change", "end", "start")


@dataclass
class Steps:
    """The steps of a part of a history, in the order in which they began."""

    found: list[Step] = field(default_factory=list[Step])
    _by_op: dict[int, Step] = field(default_factory=dict[int, Step])
    _updates: dict[str, Step] = field(default_factory=dict[str, Step])

    def add(self, step: Step, op: int | None = None) -> Step:
        self.found.append(step)
        if op is not None:
            self._by_op[op] = step
        return step

    def of(self, op: int, recorded: Recorded, kind: str) -> Step:
        """The step that this event goes on with; one without a name if its beginning is not in this part."""
        step = self._by_op.get(op)
        if step is None:
            step = self.add(
                Step(kind, f"#{op}", "pending", recorded.time_ms, []),
                op,
            )
        step.seqs.append(recorded.seq)
        return step

    def end(self, op: int, recorded: Recorded, kind: str, state: str) -> Step:
        step = self.of(op, recorded, kind)
        step.state, step.ended_ms = state, recorded.time_ms
        return step

    def update(self, update_id: str) -> Step | None:
        return self._updates.get(update_id)

    def begin_update(self, update_id: str, step: Step) -> None:
        self._updates[update_id] = self.add(step)


def steps_of(events: Iterable[Recorded], now: Description | None = None) -> list[Step]:
    """The steps that these events tell of; what is known of pending activities now is added."""
    steps = Steps()
    for recorded in events:
        _take(steps, recorded)
    if now is not None:
        _add_pending(steps.found, now)
    return steps.found


def _take(steps: Steps, recorded: Recorded) -> None:
    event, at, seq = recorded.event, recorded.time_ms, recorded.seq
    match event:
        case facts.ActivityScheduled():
            kind = "local activity" if event.local else "activity"
            step = Step(kind, event.activity_type, "pending", at, [seq], args=event.args)
            step.summary, step.place = event.summary, event.place
            steps.add(step, event.op)
        case facts.ActivityCompleted():
            step = steps.end(event.op, recorded, "activity", "completed")
            step.attempts, step.result, step.identity = event.attempt, event.result, event.identity
        case facts.ActivityFailed():
            step = steps.end(event.op, recorded, "activity", "failed")
            step.attempts, step.failure, step.identity = (
                event.attempt,
                event.failure,
                event.identity,
            )
        case facts.ActivityCanceled():
            step = steps.end(event.op, recorded, "activity", "canceled")
            step.attempts, step.failure = event.attempt, event.failure
        case facts.ActivityCancelRequested():
            steps.of(event.op, recorded, "activity").note = "cancellation requested"
        case facts.TimerStarted():
            step = Step("timer", event.summary or "timer", "pending", at, [seq])
            step.due_ms, step.place = event.fire_at_ms, event.place
            steps.add(step, event.op)
        case facts.TimerFired():
            steps.end(event.op, recorded, "timer", "fired")
        case facts.TimerCanceled():
            steps.end(event.op, recorded, "timer", "canceled")
        case facts.SignalReceived():
            step = Step("signal", event.name, "received", at, [seq], at, args=event.args)
            step.identity = event.identity
            steps.add(step)
        case facts.UpdateAccepted():
            step = Step("update", event.name, "pending", at, [seq], args=event.args)
            step.identity = event.identity
            steps.begin_update(event.update_id, step)
        case facts.UpdateCompleted():
            found = steps.update(event.update_id)
            if found is not None:
                found.seqs.append(seq)
                found.state = "completed" if event.failure is None else "failed"
                found.ended_ms, found.result, found.failure = at, event.result, event.failure
        case facts.CancelRequested():
            step = Step("cancel", "Cancellation requested", "received", at, [seq], at)
            step.note, step.identity = event.reason, event.identity
            steps.add(step)
        case facts.PatchMarked():
            steps.add(Step("change", f"Patch {event.patch_id}", "taken", at, [seq], at))
        case facts.MemoUpserted():
            steps.add(Step("change", "Memo", "changed", at, [seq], at))
        case facts.SearchAttributesUpserted():
            steps.add(Step("change", "Search attributes", "changed", at, [seq], at))
        case facts.WorkflowStarted():
            step = Step("start", event.workflow_type, "started", at, [seq], at, args=event.args)
            step.identity = event.identity
            steps.add(step)
        case facts.Activated():
            pass  # a step of the code; what it did are events of their own
        case (
            facts.WorkflowCompleted()
            | facts.WorkflowFailed()
            | facts.WorkflowCanceled()
            | facts.WorkflowContinuedAsNew()
            | facts.WorkflowTerminated()
            | facts.WorkflowTimedOut()
        ):
            steps.add(_end(event, at, seq))
        case _:
            _take_relation(steps, recorded)


def _take_relation(steps: Steps, recorded: Recorded) -> None:
    """What concerns other workflows."""
    event, at, seq = recorded.event, recorded.time_ms, recorded.seq
    match event:
        case relations.ChildInitiated():
            step = Step("child", event.workflow_type, "pending", at, [seq], args=event.args)
            step.workflow_id, step.place = event.child_workflow_id, event.place
            step.summary = event.options.static_summary
            steps.add(step, event.op)
        case relations.ChildStarted():
            step = steps.of(event.op, recorded, "child")
            step.state, step.run_id = "started", event.child_run_id
        case relations.ChildStartFailed():
            step = steps.end(event.op, recorded, "child", "failed")
            step.note = event.message or event.refusal.value.replace("_", " ")
        case relations.ChildCancelRequested():
            steps.of(event.op, recorded, "child").note = "cancellation requested"
        case relations.ChildCancelDelivered():
            steps.of(event.op, recorded, "child").note = "cancellation delivered"
        case relations.ChildClosed():
            step = steps.end(event.op, recorded, "child", event.status.value)
            step.result, step.failure, step.run_id = event.result, event.failure, event.child_run_id
        case relations.ExternalSignalSent():
            step = Step(
                "message",
                f"Signal {event.signal_name}",
                "pending",
                at,
                [seq],
                args=event.args,
            )
            step.workflow_id, step.place = event.target.workflow_id, event.place
            steps.add(step, event.op)
        case relations.ExternalCancelSent():
            step = Step("message", "Request to cancel", "pending", at, [seq])
            step.workflow_id, step.place = event.target.workflow_id, event.place
            steps.add(step, event.op)
        case relations.ExternalAnswered():
            state = "completed" if event.failure is None else "failed"
            steps.end(event.op, recorded, "message", state).failure = event.failure
        case _:
            raise AssertionError(f"Expected an event that steps are made of, found {event!r}")


def _end(event: facts.Closed, at: int, seq: int) -> Step:
    match event:
        case facts.WorkflowCompleted():
            return Step("end", "Completed", "completed", at, [seq], at, result=event.result)
        case facts.WorkflowFailed():
            return Step("end", "Failed", "failed", at, [seq], at, failure=event.failure)
        case facts.WorkflowCanceled():
            return Step("end", "Canceled", "canceled", at, [seq], at, args=event.details)
        case facts.WorkflowContinuedAsNew():
            step = Step("end", "Continued as new", "continued_as_new", at, [seq], at)
            step.args, step.run_id = event.args, event.new_run_id
            return step
        case facts.WorkflowTerminated():
            step = Step("end", "Terminated", "terminated", at, [seq], at, args=event.details)
            step.note, step.identity = event.reason, event.identity
            return step
        case facts.WorkflowTimedOut():
            return Step("end", "Timed out", "timed_out", at, [seq], at)


def _add_pending(found: list[Step], now: Description) -> None:
    """Pending activities stand in the order in which they were scheduled, here and there."""
    waiting = [step for step in found if "activity" in step.kind and step.state == "pending"]
    pending = list(now.pending_activities)
    # Both lists end with the latest; the beginnings of the oldest may not be in this part.
    for step, activity in zip(reversed(waiting), reversed(pending), strict=False):
        if step.name != activity.activity_type:
            return
        step.pending, step.attempts = activity, activity.attempt
        step.state = "retrying" if activity.attempt > 1 else activity.state
        step.failure = activity.last_failure
