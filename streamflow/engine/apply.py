"""What each fact changes. Total: it never refuses, for decide has promised that every fact fits.

Replay calls only this. A fact is an event (at its place), an attempt's latest state, or a trouble's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from streamflow.engine import deadlines
from streamflow.engine.context import Limits
from streamflow.engine.deadlines import Due
from streamflow.engine.relations import apply_relation
from streamflow.engine.state import STATUS_OF, PendingActivity, PendingTimer, Run, Update
from streamflow.model.answers import Trouble
from streamflow.model.events import (
    Activated,
    ActivityCanceled,
    ActivityCancelRequested,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    CancelRequested,
    Closed,
    MemoUpserted,
    PatchMarked,
    Recorded,
    SearchAttributesUpserted,
    SignalReceived,
    TimerCanceled,
    TimerFired,
    TimerStarted,
    UpdateAccepted,
    UpdateCompleted,
    WorkflowCanceled,
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTerminated,
    WorkflowTimedOut,
)
from streamflow.model.payload import Payload
from streamflow.model.relations import (
    ChildCancelDelivered,
    ChildCancelRequested,
    ChildClosed,
    ChildInitiated,
    ChildStarted,
    ChildStartFailed,
    ExternalAnswered,
    ExternalCancelSent,
    ExternalSignalSent,
)
from streamflow.model.tasks import Attempt


def apply(run: Run, recorded: Recorded, limits: Limits) -> None:
    """Changes the draft it is given; only a commit makes the draft real."""
    assert recorded.seq == run.last_seq + 1, (run.run_id, run.last_seq, recorded.seq)
    run.last_seq = recorded.seq
    run.last_time_ms = recorded.time_ms
    event = recorded.event
    match event:
        case Activated():
            _activated(run, event)
        case ActivityScheduled():
            _activity_scheduled(run, recorded, event, limits)
        case ActivityCompleted() | ActivityFailed() | ActivityCanceled():
            assert event.op in run.activities, (run.run_id, event.op)  # decide promised this
            del run.activities[event.op]
            run.waiting.append(recorded)
        case WorkflowStarted():
            _started(run, recorded, event)
        case SignalReceived():
            run.waiting.append(recorded)
        case UpdateAccepted():
            run.updates[event.update_id] = Update(recorded.seq)
            run.updates_at_work += 1
            run.waiting.append(recorded)
        case UpdateCompleted():
            run.updates[event.update_id].completed_seq = recorded.seq
            run.updates_at_work -= 1
        case CancelRequested():
            run.cancel_requested = True
            run.waiting.append(recorded)
        case TimerStarted():
            run.timers[event.op] = PendingTimer(recorded.seq, event.fire_at_ms, event.summary)
            deadlines.push(run, event.fire_at_ms, recorded.seq, Due.TIMER, event.op)
        case TimerFired():
            del run.timers[event.op]
            run.waiting.append(recorded)
        case TimerCanceled():
            del run.timers[event.op]
        case ActivityCancelRequested():
            run.activities[event.op].cancel_requested = True
        case PatchMarked():
            run.patches = (*run.patches, event.patch_id)
        case MemoUpserted():
            run.memo = upserted(run.memo, event.memo, event.removed)
        case SearchAttributesUpserted():
            run.search_attributes = upserted(
                run.search_attributes, event.search_attributes, event.removed
            )
        case (
            ChildInitiated()
            | ChildStarted()
            | ChildStartFailed()
            | ChildCancelRequested()
            | ChildCancelDelivered()
            | ChildClosed()
            | ExternalSignalSent()
            | ExternalCancelSent()
            | ExternalAnswered()
        ):
            apply_relation(run, recorded, event)
        case (
            WorkflowCompleted()
            | WorkflowFailed()
            | WorkflowCanceled()
            | WorkflowContinuedAsNew()
            | WorkflowTerminated()
            | WorkflowTimedOut()
        ):
            _closed(run, recorded.time_ms, event)
        case _:
            assert_never(event)


def apply_attempt(run: Run, attempt: Attempt, limits: Limits) -> None:
    """The attempt's state is this from now on."""
    activity = run.activities[attempt.op]
    activity.attempt = attempt
    activity.recorded = True
    deadlines.push_activity(run, attempt.op, activity, limits)


def apply_trouble(run: Run, trouble: Trouble | None) -> None:
    """The run is in this trouble from now on, or in none."""
    run.trouble = trouble
    if trouble and trouble.next_try_ms:
        deadlines.push(run, trouble.next_try_ms, run.last_seq, Due.TROUBLE)


def _started(run: Run, recorded: Recorded, event: WorkflowStarted) -> None:
    run.started = event
    run.memo = event.memo
    run.search_attributes = event.search_attributes
    run.version = event.pinned_to
    if "." in event.version_override:
        run.version = event.version_override
    run.pinned = bool(run.version)
    run.started_ms = recorded.time_ms
    run.waiting.append(recorded)
    if event.not_before_ms > recorded.time_ms:
        deadlines.push(run, event.not_before_ms, recorded.seq, Due.START_DELAY)
    if event.run_deadline_ms:
        deadlines.push(run, event.run_deadline_ms, recorded.seq, Due.RUN_TIMEOUT)
    if event.execution_deadline_ms:
        deadlines.push(run, event.execution_deadline_ms, recorded.seq, Due.EXECUTION_TIMEOUT)


def _activated(run: Run, event: Activated) -> None:
    """An activation consumes the oldest inputs, all that were waiting when it began."""
    count = len(event.inputs)
    assert [waiting.seq for waiting in run.waiting[:count]] == list(event.inputs), (
        run.run_id,
        event,
    )
    del run.waiting[:count]
    run.step += 1
    run.flags = event.flags
    run.goes_on = event.goes_on
    run.version = f"{event.deployment}.{event.build_id}" if event.deployment else ""
    run.pinned = event.pinned


def _activity_scheduled(
    run: Run, recorded: Recorded, event: ActivityScheduled, limits: Limits
) -> None:
    """Dispatched with its event unless an attempt record, which then follows in the same step, says otherwise."""
    attempt = Attempt(op=event.op, attempt=1, dispatched_ms=recorded.time_ms)
    activity = PendingActivity(recorded.seq, recorded.time_ms, event, attempt)
    run.activities[event.op] = activity
    deadlines.push_activity(run, event.op, activity, limits)


def upserted(
    before: Mapping[str, Payload], changes: Mapping[str, Payload], removed: tuple[str, ...]
) -> Mapping[str, Payload]:
    """A copy of ``before`` with these changes; what is removed need not have been there."""
    gone = frozenset(removed)
    return {**{name: value for name, value in before.items() if name not in gone}, **changes}


def _closed(run: Run, time_ms: int, event: Closed) -> None:
    run.closed = event
    run.closed_ms = time_ms
    run.status = STATUS_OF[type(event)]
    run.activities.clear()
    run.timers.clear()
    run.children.clear()
    run.messages.clear()
    run.waiting.clear()
    run.goes_on = False
    run.deadlines.clear()
    run.trouble = None
