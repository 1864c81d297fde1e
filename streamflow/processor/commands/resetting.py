"""Going back to before a step: a new run whose history begins as a copy.

    old run   1 2 3 [A 4 5] 6 [A 7 8] 9 ...        reset to event 8
    new run   1 2 3 [A 4 5] 6                       and then the code runs anew on what waits, 6 here

A run whose history is broken is gone on from likewise: from before its break, as far as it is sound. It cannot be ended by an
event, so it stays as it is until it is deleted.

The copy is history like any other: it is applied, recorded and restored, but nothing leaves because of it. What was pending
at its end is sent again under the new run; children and messages that were under way are the new run's (`adopting`). All of
it, with the end of the old run, is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streamflow.engine.chain import deadline_ms
from streamflow.engine.context import Context
from streamflow.engine.decide.due import dispatch
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.control import ResetWorkflow
from streamflow.model.events import (
    Activated,
    Event,
    Input,
    Recorded,
    SignalReceived,
    WorkflowStarted,
    WorkflowTerminated,
)
from streamflow.model.ids import MessageId
from streamflow.model.options import Copied
from streamflow.processor.commands.adopting import Adopted, adopted
from streamflow.processor.state.draft import history
from streamflow.processor.state.work import Work
from streamflow.processor.steps.answering import Answers
from streamflow.processor.steps.recorder import Recorder
from streamflow.processor.steps.runs import Runs, Salvaged

EVENTS_MAX = 10_000
"""In a copy: it is one transaction."""
COPIED_MAX = 100
"""Runs that a copy of copies knows of; what older ones began with other workflows is not told to it."""


def reset(runs: Runs, answers: Answers, work: Work, command: ResetWorkflow) -> None:
    """A copy of the command is answered like the first, and does nothing."""
    outcome = answers.outcome_of_copy(work, command.workflow_id)
    if outcome is not None:
        answers.answer(work, outcome, recorded=False)
        return
    broken = runs.salvaged(command.workflow_id, command.run_id)
    old = broken.recorder if broken else runs.addressed(command.workflow_id, command.run_id)
    if old is None:
        answers.refuse(work, runs.missing(command.workflow_id, command.run_id))
        return
    latest = _latest(runs, command)
    if broken:
        events = broken.saved.events
    else:
        events = [*(recorded for recorded, _ in history(runs.partition.rows, old.run.run_id))]
        events += old.recorded
    length = _length_of_copy(events, command.event_id)
    refusal = _refusal(old, latest, command, length)
    if refusal is not None:
        answers.refuse(work, refusal)
        return
    assert length is not None
    context = old.context()
    done = _begin(runs, old, latest, events, length, command, context, broken)
    if isinstance(done, Rejection):
        answers.refuse(work, done)
        return
    answers.remember(work, command.workflow_id, done)
    answers.answer(work, done, recorded=True)


def _begin(
    runs: Runs,
    old: Recorder,
    latest: Recorder | None,
    events: Sequence[Recorded],
    length: int,
    command: ResetWorkflow,
    context: Context,
    broken: Salvaged | None,
) -> Done | Rejection:
    with_others = adopted(old.run, events, length, context)
    refusal = _unheard(old, with_others, command, broken=bool(broken))
    if refusal is not None:
        return refusal
    if latest is not None and latest.run.open:
        because = f": {command.reason}" if command.reason else ""
        ended = WorkflowTerminated(reason=f"reset{because}", identity=command.identity)
        if latest.run.run_id == old.run.run_id:
            with_others.leave(latest.run)
        latest.take((ended,), latest.context())
    fresh = runs.begin(command.workflow_id, context.new_run_id())
    copied = (_as_new(recorded, old.run.run_id, length, context) for recorded in events[:length])
    fresh.copy(copied, context)
    for activity in list(fresh.run.activities.values()):
        fresh.take(dispatch(activity, context), context)
    given = SignalReceived if command.reapply_signals else ()
    later = events[length:]
    fresh.take(
        [
            one.event
            for one in later
            if isinstance(one.event, given) or one.seq in with_others.heard
        ],
        context,
    )
    if broken and command.reapply_signals:
        fresh.take(broken.saved.signals, context)  # those behind the break
    return Done(run_id=fresh.run.run_id, first_run_id=fresh.run.start.first_run_id, started=True)


def _latest(runs: Runs, command: ResetWorkflow) -> Recorder | None:
    """The workflow's latest run, which the new one ends; none if that is itself broken, for it takes no event."""
    if runs.salvaged(command.workflow_id, None) is not None:
        return None
    return runs.addressed(command.workflow_id, None)


def _as_new(recorded: Recorded, run_id: str, length: int, context: Context) -> Event:
    """The event as the new run has it: its limits count from now, and its parent knows nothing of it."""
    event = recorded.event
    if not isinstance(event, WorkflowStarted):
        return event
    return msgspec.structs.replace(
        event,
        message_id=MessageId(""),
        run_deadline_ms=deadline_ms(context.now_ms, event.run_timeout_ms),
        execution_deadline_ms=deadline_ms(context.now_ms, event.execution_timeout_ms),
        not_before_ms=0,
        parent=None,
        original_run_id=event.original_run_id or run_id,
        copied=_copied(event, run_id, length),
    )


def _copied(started: WorkflowStarted, run_id: str, length: int) -> tuple[Copied, ...]:
    """The runs that the new one shares its first events with."""
    before = (
        Copied(run_id=copied.run_id, length=min(copied.length, length)) for copied in started.copied
    )
    return (*before, Copied(run_id=run_id, length=length))[-COPIED_MAX:]


def _length_of_copy(events: Sequence[Recorded], event_id: int) -> int | None:
    """How many events come before the step that this event belongs to, or that takes it in; ``None`` without one."""
    if not 1 <= event_id <= len(events):
        return None
    at = event_id - 1
    if isinstance(events[at].event, Input):
        following = range(at, len(events))
        return next((n for n in following if isinstance(events[n].event, Activated)), None)
    return next((n for n in range(at, -1, -1) if isinstance(events[n].event, Activated)), None)


def _refusal(
    old: Recorder, latest: Recorder | None, command: ResetWorkflow, length: int | None
) -> Rejection | None:
    run_id = old.run.run_id
    if length is None:
        return Rejection(
            reason=Reason.INVALID_ARGUMENT,
            message=f"Expected an event of a step of run {run_id}, whose last event is {old.run.last_seq}, found "
            f"{command.event_id}",
            run_id=run_id,
        )
    if length > EVENTS_MAX:
        return Rejection(
            reason=Reason.LIMIT_EXCEEDED,
            message=f"Expected at most {EVENTS_MAX} events before the step to go back to, found {length}",
            run_id=run_id,
        )
    return None


def _unheard(
    old: Recorder, with_others: Adopted, command: ResetWorkflow, *, broken: bool
) -> Rejection | None:
    """Refuses where the new run would wait in vain: what was said to a run that had ended, or is broken, is lost."""
    if not with_others.unheard or (old.run.open and not broken):
        return None
    return Rejection(
        reason=Reason.NOT_DUE,
        message=f"Expected to know what became of {with_others.named()} before event {command.event_id}, found that run "
        f"{old.run.run_id} had ended before it could hear: reset to an event before or after it",
        run_id=old.run.run_id,
    )
