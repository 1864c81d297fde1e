"""A run as a caller sees it: its description, its result, its row in the public feed. Reads, never decides."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.engine.context import DEFAULT_LIMITS
from streamflow.engine.deadlines import Due, activity_due
from streamflow.engine.decide.options import options_now
from streamflow.engine.outgoing import root_of
from streamflow.engine.relations import PendingChild
from streamflow.engine.sizes import beginning
from streamflow.engine.state import PendingActivity, Run
from streamflow.model.answers import (
    Description,
    ExecutionSummary,
    PendingTimer,
    RunResult,
)
from streamflow.model.answers import PendingActivity as PendingActivityView
from streamflow.model.answers import PendingChild as PendingChildView
from streamflow.model.events import (
    WorkflowCanceled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowTerminated,
)
from streamflow.model.failure import Failure, FailureKind, TimeoutKind
from streamflow.model.options import Status
from streamflow.model.payload import Payload, Payloads

CHANGE_VERSION = "TemporalChangeVersion"
"""A search attribute: the patches of a run."""

FAILED_OF_MAX = 100
"""Of more pending activities a description has only the last failure, or it might be too large for a record."""


def describe(run: Run, *, namespace: str, queue: str, history_bytes: int) -> Description:
    start = run.start
    root_workflow_id, root_run_id = root_of(run)
    return Description(
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        first_run_id=start.first_run_id,
        namespace=namespace,
        queue=queue,
        workflow_type=start.workflow_type,
        status=run.status,
        started_ms=run.started_ms,
        execution_ms=start.not_before_ms or run.started_ms,
        closed_ms=run.closed_ms,
        history_length=run.last_seq,
        history_bytes=history_bytes,
        parent_workflow_id=start.parent.workflow_id if start.parent else "",
        parent_run_id=start.parent.run_id if start.parent else "",
        memo=run.memo,
        search_attributes=_shown_attributes(run),
        static_summary=start.static_summary,
        static_details=start.static_details,
        pending_activities=tuple(
            _pending(activity, with_failed=len(run.activities) <= FAILED_OF_MAX)
            for activity in run.activities.values()
        ),
        pending_timers=tuple(
            PendingTimer(op=op, fire_at_ms=timer.fire_at_ms, summary=timer.summary)
            for op, timer in run.timers.items()
        ),
        trouble=run.trouble,
        cancel_requested=run.cancel_requested,
        root_workflow_id=root_workflow_id,
        root_run_id=root_run_id,
        pending_children=tuple(_child(child) for child in run.children.values()),
        pending_messages=len(run.messages),
        cron_schedule=start.cron_schedule,
        attempt=start.attempt,
    )


def result_of(run: Run) -> RunResult:
    """How the run ended, or that it has not."""
    result: Payload | None = None
    failure: Failure | None = None
    details: Payloads = ()
    reason = ""
    match run.closed:
        case WorkflowCompleted():
            result = run.closed.result
        case WorkflowFailed():
            failure = run.closed.failure
        case WorkflowCanceled():
            details = run.closed.details
        case WorkflowTerminated():
            details, reason = run.closed.details, run.closed.reason
        case None:
            pass
        case _:
            failure = _timeout_failure() if run.status is Status.TIMED_OUT else None
    return RunResult(
        run_id=run.run_id,
        status=run.status,
        result=result,
        failure=failure,
        details=details,
        reason=reason,
        new_run_id=run.successor_id,
    )


def summarize(
    run: Run, *, namespace: str, queue: str, now_ms: int, history_bytes: int
) -> ExecutionSummary:
    start = run.start
    root_workflow_id, root_run_id = root_of(run)
    attempts = [activity.attempt for activity in run.activities.values()]
    return ExecutionSummary(
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        first_run_id=start.first_run_id,
        namespace=namespace,
        queue=queue,
        workflow_type=start.workflow_type,
        status=run.status,
        started_ms=run.started_ms,
        closed_ms=run.closed_ms,
        updated_ms=now_ms,
        history_length=run.last_seq,
        current_step=current_step(run),
        pending_activities=len(attempts),
        max_attempt=max((attempt.attempt for attempt in attempts), default=0),
        next_retry_ms=min((a.next_retry_ms for a in attempts if a.next_retry_ms), default=0),
        last_failure=beginning(_last_failure(run)),
        trouble=run.trouble.message if run.trouble else "",
        parent_workflow_id=start.parent.workflow_id if start.parent else "",
        memo=run.memo,
        search_attributes=_shown_attributes(run),
        execution_ms=start.not_before_ms or run.started_ms,
        history_bytes=history_bytes,
        parent_run_id=start.parent.run_id if start.parent else "",
        root_workflow_id=root_workflow_id,
        root_run_id=root_run_id,
        static_summary=start.static_summary,
        static_details=start.static_details,
    )


def current_step(run: Run) -> str:
    """What the run waits for, in a word: the activity or child begun last, else a timer, else nothing known."""
    if run.activities:
        return next(reversed(run.activities.values())).scheduled.activity_type
    if run.children:
        return next(reversed(run.children.values())).initiated.workflow_type
    if run.timers:
        return beginning(next(reversed(run.timers.values())).summary) or "timer"
    return ""


def _last_failure(run: Run) -> str:
    """What the run failed with, at its root; while it is open, what the activity that failed last is retried for."""
    if isinstance(run.closed, WorkflowFailed):
        failure = run.closed.failure
        while failure.cause is not None:
            failure = failure.cause
        return failure.message
    attempts = [activity.attempt for activity in run.activities.values()]
    failing = [attempt.last_failure for attempt in attempts if attempt.last_failure]
    return failing[-1].message if failing else ""


def _pending(activity: PendingActivity, *, with_failed: bool) -> PendingActivityView:
    scheduled, attempt, options = activity.scheduled, activity.attempt, options_now(activity)
    return PendingActivityView(
        activity_id=scheduled.activity_id,
        activity_type=scheduled.activity_type,
        queue=options.queue,
        state=_activity_state(activity),
        attempt=attempt.attempt,
        maximum_attempts=options.retry_policy.maximum_attempts,
        scheduled_ms=activity.scheduled_ms,
        last_started_ms=attempt.started_ms,
        last_heartbeat_ms=attempt.heartbeat_ms,
        next_retry_ms=attempt.next_retry_ms,
        expires_ms=activity_due(activity, Due.SCHEDULE_TO_CLOSE, DEFAULT_LIMITS),
        last_failure=attempt.last_failure,
        heartbeat_details=attempt.heartbeat_details,
        last_identity=attempt.identity,
        local=scheduled.local,
        hint=attempt.hint,
        paused=attempt.paused,
        pause_reason=attempt.pause_reason,
        options=options,
        failed_attempts=attempt.failed if with_failed else (),
    )


def _child(child: PendingChild) -> PendingChildView:
    initiated = child.initiated
    state = "started" if child.run_id else "initiated"
    return PendingChildView(
        op=initiated.op,
        workflow_id=initiated.child_workflow_id,
        workflow_type=initiated.workflow_type,
        queue=initiated.queue,
        state="cancel_requested" if child.cancel_requested else state,
        parent_close_policy=initiated.options.parent_close_policy.value,
        run_id=child.run_id or "",
        initiated_ms=child.initiated_ms,
        started_ms=child.started_ms,
    )


def _activity_state(activity: PendingActivity) -> str:
    attempt = activity.attempt
    if activity.cancel_requested:
        return "cancel_requested"
    if attempt.paused:
        return "pause_requested" if attempt.started_ms else "paused"
    if attempt.started_ms:
        return "started"
    if attempt.dispatched_ms:
        return "scheduled"
    return "backing_off" if attempt.next_retry_ms else "undispatched"


def _timeout_failure() -> Failure:
    return Failure(
        kind=FailureKind.TIMEOUT,
        message="Workflow timed out",
        timeout_kind=TimeoutKind.START_TO_CLOSE,
    )


def _shown_attributes(run: Run) -> Mapping[str, Payload]:
    """The run's own, and under the name that the model has for it which patches it has taken."""
    if not run.patches:
        return run.search_attributes
    patches = Payload(
        {"encoding": b"json/plain", "type": b"KeywordList"}, msgspec.json.encode(run.patches)
    )
    return {CHANGE_VERSION: patches, **run.search_attributes}
