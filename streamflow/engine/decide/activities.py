"""What workers say of activities: begun, still alive, ended. A stale attempt or a wrong token changes nothing."""

from __future__ import annotations

import hmac

import msgspec

from streamflow.engine.context import Context
from streamflow.engine.decide import Decision, Fact, refuse_size, reject
from streamflow.engine.decide.failed_attempts import with_failed
from streamflow.engine.decide.interruption import INTERRUPTIONS, begun_anew, is_interrupted
from streamflow.engine.retry import RetryAt, after_failure
from streamflow.engine.sizes import failure_bytes, payload_bytes, shortened
from streamflow.engine.state import PendingActivity, Run
from streamflow.model.answers import HeartbeatAck, Reason, Rejection
from streamflow.model.commands import (
    ActivityOutcome,
    HeartbeatActivity,
    LocalActivityEnded,
    ReportActivity,
    StartActivity,
    TaskRef,
)
from streamflow.model.events import ActivityCanceled, ActivityCompleted, ActivityFailed
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.payload import Payload, Payloads
from streamflow.model.tasks import Attempt


def pending_task(run: Run, task: TaskRef) -> PendingActivity | None:
    """The activity whose present attempt this task is, if it still is one."""
    if task.activity_id:
        return pending_by_id(run, task.activity_id)
    activity = run.activities.get(task.op)
    if activity is None or activity.attempt.attempt != task.attempt:
        return None
    if not hmac.compare_digest(activity.token, task.token):
        return None
    return activity


def pending_by_id(run: Run, activity_id: str) -> PendingActivity | None:
    """The pending activity of this ID; the youngest, should the code have given it to several."""
    for activity in reversed(run.activities.values()):
        if activity.scheduled.activity_id == activity_id:
            return activity
    return None


def decide_report(run: Run, command: ReportActivity, context: Context) -> Decision | Rejection:
    activity = pending_task(run, command.task)
    if activity is None:
        return stale(run, command.task)
    if (
        command.outcome is ActivityOutcome.CANCELED
        and command.task.activity_id
        and not activity.cancel_requested
    ):
        return reject(
            Reason.NOT_DUE,
            f"Activity {command.task.activity_id!r} cannot be cancelled, invalid transition from Started: expected it to have "
            "been asked to stop, found that nobody did; request its cancellation first",
        )
    if command.heartbeat_details:
        size = _task_bytes(activity, command.heartbeat_details)
        too_large = refuse_size("heartbeat", size, context.limits)
        if too_large is not None:
            return too_large
    return Decision(
        (
            _ended(
                run,
                activity,
                command.outcome,
                command.result,
                command.failure,
                command.identity,
                context,
                command.heartbeat_details,
            ),
        )
    )


def decide_local_end(
    run: Run, command: LocalActivityEnded, context: Context
) -> Decision | Rejection:
    task = TaskRef(
        run_id=command.run_id, op=command.op, attempt=command.attempt, token=command.token
    )
    activity = pending_task(run, task)
    if activity is None:
        return stale(run, task)
    return Decision(
        (_ended(run, activity, command.outcome, command.result, command.failure, "", context),)
    )


def decide_started(run: Run, command: StartActivity, context: Context) -> Decision | Rejection:
    """Timeouts count from the announced start, but never from a time that has not come yet."""
    activity = pending_task(run, command.task)
    if activity is None:
        return stale(run, command.task)
    control = command.control
    attempt = msgspec.structs.replace(
        activity.attempt,
        started_ms=min(command.started_ms, context.now_ms),
        identity=command.identity,
        control_topic=control.topic if control else "",
        control_partition=control.partition if control else 0,
        control_request=control.request_id if control else "",
    )
    ack = HeartbeatAck(known=True, cancel_requested=activity.cancel_requested)
    return Decision((attempt,), ack)


def decide_heartbeat(
    run: Run, command: HeartbeatActivity, context: Context
) -> Decision | Rejection:
    """A heartbeat also says that the attempt began, where nobody had said so yet."""
    activity = pending_task(run, command.task)
    if activity is None:
        return stale(run, command.task)
    kept = payload_bytes(command.details) + failure_bytes(activity.attempt.last_failure)
    size = max(kept, _task_bytes(activity, command.details))
    too_large = refuse_size("heartbeat", size, context.limits)
    if too_large is not None:
        return too_large
    attempt = msgspec.structs.replace(
        activity.attempt,
        started_ms=activity.attempt.started_ms or context.now_ms,
        heartbeat_ms=context.now_ms,
        heartbeat_details=command.details,
        identity=command.identity,
    )
    ack = HeartbeatAck(
        known=True,
        cancel_requested=activity.cancel_requested,
        paused=attempt.paused,
        reset=attempt.reset,
    )
    return Decision((attempt,), ack)


def _task_bytes(activity: PendingActivity, details: Payloads) -> int:
    """What the next attempt's task brings: its arguments, and how far this one came."""
    return payload_bytes(activity.scheduled.args, activity.scheduled.headers, details)


def failed_or_retried(
    run: Run,
    activity: PendingActivity,
    failure: Failure,
    *,
    context: Context,
    identity: str = "",
    heartbeat_details: Payloads | None = None,
) -> Fact:
    """The activity's end, or its next attempt waiting for its time."""
    options, attempt = activity.options, activity.attempt
    details = attempt.heartbeat_details if heartbeat_details is None else heartbeat_details
    by = identity or attempt.identity
    failed = with_failed(attempt, failure, identity=by, now_ms=context.now_ms)
    if not activity.cancel_requested and is_interrupted(attempt, failure):
        return begun_anew(
            attempt,
            now_ms=context.now_ms,
            failure=shortened(failure, context.limits.payload_bytes_max - payload_bytes(details)),
            heartbeat_details=details,
            identity=identity,
            failed=attempt.failed if failure.type in INTERRUPTIONS else failed,
        )
    if activity.cancel_requested:
        state: RetryAt | RetryState = RetryState.CANCEL_REQUESTED
    else:
        state = after_failure(
            options.retry_policy,
            failure,
            attempt=attempt.attempt,
            now_ms=context.now_ms,
            expires_ms=_expires_ms(activity, run),
        )
    match state:
        case RetryAt(due_ms=due_ms):
            return Attempt(
                op=attempt.op,
                attempt=attempt.attempt + 1,
                dispatched_ms=0,
                heartbeat_details=details,
                next_retry_ms=due_ms,
                # Both stand in one record.
                last_failure=shortened(
                    failure,
                    context.limits.payload_bytes_max - payload_bytes(details),
                ),
                identity=by,
                epoch=attempt.epoch,
                paused=attempt.paused,
                pause_reason=attempt.pause_reason,
                options=attempt.options,
                failed=failed,
            )
        case RetryState():
            return ActivityFailed(
                op=attempt.op,
                attempt=attempt.attempt,
                failure=failure,
                retry_state=state,
                identity=by,
                scheduled_seq=activity.seq,
            )


def stale(run: Run, task: TaskRef) -> Rejection:
    return reject(
        Reason.STALE_TASK,
        f"Expected attempt {task.attempt} of operation {task.op} to be pending in run {run.run_id}, found it "
        "ended, retried, or with another token: drop the task",
        run_id=run.run_id,
    )


def _ended(
    run: Run,
    activity: PendingActivity,
    outcome: ActivityOutcome,
    result: Payload | None,
    failure: Failure | None,
    identity: str,
    context: Context,
    heartbeat_details: Payloads | None = None,
) -> Fact:
    attempt = activity.attempt
    match outcome:
        case ActivityOutcome.COMPLETED:
            return ActivityCompleted(
                op=attempt.op,
                attempt=attempt.attempt,
                result=result,
                identity=identity,
            )
        case ActivityOutcome.CANCELED if activity.cancel_requested:
            canceled = failure or Failure(kind=FailureKind.CANCELED, message="Activity cancelled")
            return ActivityCanceled(
                op=attempt.op,
                attempt=attempt.attempt,
                failure=canceled,
                identity=identity,
                scheduled_seq=activity.seq,
            )
        case ActivityOutcome.CANCELED | ActivityOutcome.FAILED:
            failed = failure or Failure(
                kind=FailureKind.APPLICATION,
                message="Activity failed and its worker did not say why",
            )
            if outcome is ActivityOutcome.CANCELED:
                # Nobody asked the attempt to stop (its worker shut down, say): it failed, and is tried again.
                failed = msgspec.structs.replace(
                    failed, kind=FailureKind.APPLICATION, type="CancelledError"
                )
            if failed.kind is FailureKind.TIMEOUT and not failed.details:
                # Its worker saw the limit passed; how far the attempt came is known here.
                told = attempt.heartbeat_details if heartbeat_details is None else heartbeat_details
                left = context.limits.payload_bytes_max - payload_bytes(told)
                failed = msgspec.structs.replace(shortened(failed, left), details=told)
            return failed_or_retried(
                run,
                activity,
                failed,
                context=context,
                identity=identity,
                heartbeat_details=heartbeat_details,
            )


def _expires_ms(activity: PendingActivity, run: Run) -> int | None:
    options = activity.options
    to_close_ms = options.timeouts.schedule_to_close_ms
    limits = [
        None
        if to_close_ms is None
        else activity.scheduled_ms + options.start_delay_ms + to_close_ms,
        run.start.run_deadline_ms,
        run.start.execution_deadline_ms,
    ]
    return min((limit for limit in limits if limit is not None), default=None)
