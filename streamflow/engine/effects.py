"""What must leave because of a fact: tasks to workers, cancellations, and the local activities to run here.

Effects are computed just before the fact is applied, while what it ends is still to be seen. Replay has none.
"""

from __future__ import annotations

import msgspec

from streamflow.engine.state import PendingActivity, Run
from streamflow.model.commands import ReplyTo
from streamflow.model.events import (
    ActivityCanceled,
    ActivityCancelRequested,
    ActivityCompleted,
    ActivityFailed,
)
from streamflow.model.ids import Op
from streamflow.model.options import CancellationType
from streamflow.model.tasks import ActivityTask, CancelTask


class PushCancel(msgspec.Struct, frozen=True, gc=False):
    """Tells the worker that runs this attempt to stop."""

    to: ReplyTo
    task: CancelTask


class CancelLocal(msgspec.Struct, frozen=True, gc=False):
    """Stops a local activity that this processor may be running."""

    op: Op


class ForgetAttempt(msgspec.Struct, frozen=True, gc=False):
    """The attempt's record goes: its activity has ended."""

    op: Op


Effect = PushCancel | CancelLocal | ForgetAttempt


def effects_of_end(
    run: Run, event: ActivityCompleted | ActivityFailed | ActivityCanceled
) -> list[Effect]:
    """An activity's end takes its attempt record away."""
    activity = run.activities[event.op]
    return [ForgetAttempt(event.op)] if activity.recorded else []


def effects_of_cancel(run: Run, event: ActivityCancelRequested) -> list[Effect]:
    return _cancellation(run, event.op, run.activities[event.op])


def effects_of_close(run: Run) -> list[Effect]:
    """A closing run calls back everything that is still under way for it."""
    effects: list[Effect] = []
    for op, activity in run.activities.items():
        # Otherwise it was called back when that was asked, or is to be left alone. A local activity lives no longer than
        # its run: nobody is left whom its end could be told.
        if not (activity.cancel_requested or _is_abandoned(activity)) or activity.scheduled.local:
            effects += _cancellation(run, op, activity, not_wanted=True)
        if activity.recorded:
            effects.append(ForgetAttempt(op))
    return effects


def _is_abandoned(activity: PendingActivity) -> bool:
    return activity.scheduled.cancellation_type is CancellationType.ABANDON


def task_of(run: Run, op: Op, *, inbox_topic: str, inbox_partition: int) -> ActivityTask:
    """The task of the pending activity's present attempt."""
    activity = run.activities[op]
    scheduled, attempt, options = activity.scheduled, activity.attempt, activity.options
    return ActivityTask(
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        workflow_type=run.start.workflow_type,
        op=op,
        activity_id=scheduled.activity_id,
        activity_type=scheduled.activity_type,
        attempt=attempt.attempt,
        token=activity.token,
        queue=options.queue,
        inbox_topic=inbox_topic,
        inbox_partition=inbox_partition,
        args=scheduled.args,
        headers=scheduled.headers,
        timeouts=options.timeouts,
        retry_policy=options.retry_policy,
        scheduled_ms=activity.scheduled_ms,
        attempt_scheduled_ms=attempt.dispatched_ms,
        heartbeat_details=attempt.heartbeat_details,
        priority=options.priority,
        workflow_queue=run.start.queue,
        fairness_key=options.fairness_key,
        fairness_weight=options.fairness_weight,
    )


def _cancellation(
    run: Run, op: Op, activity: PendingActivity, *, not_wanted: bool = False
) -> list[Effect]:
    attempt = activity.attempt
    if activity.scheduled.local:
        return [CancelLocal(op)]
    if not attempt.control_topic:
        return []
    to = ReplyTo(attempt.control_topic, attempt.control_partition, attempt.control_request)
    task = CancelTask(
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        op=op,
        attempt=attempt.attempt,
        not_wanted=not_wanted,
    )
    return [PushCancel(to, task)]
