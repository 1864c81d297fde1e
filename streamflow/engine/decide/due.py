"""Time passed: timers fire, limits are passed, retries and re-sends come due. In the order (due, seq)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from streamflow.engine import deadlines
from streamflow.engine.context import Context
from streamflow.engine.deadlines import Due
from streamflow.engine.decide import Fact, Send, Step
from streamflow.engine.decide.activities import failed_or_retried
from streamflow.engine.decide.ending import run_timed_out
from streamflow.engine.state import PendingActivity, Run
from streamflow.model.events import ActivityFailed, TimerFired, WorkflowTimedOut
from streamflow.model.failure import TIMEOUT_WORDS, Failure, FailureKind, RetryState, TimeoutKind
from streamflow.model.ids import Op
from streamflow.model.tasks import Attempt

_TIMEOUTS = {
    Due.SCHEDULE_TO_CLOSE: TimeoutKind.SCHEDULE_TO_CLOSE,
    Due.SCHEDULE_TO_START: TimeoutKind.SCHEDULE_TO_START,
    Due.START_TO_CLOSE: TimeoutKind.START_TO_CLOSE,
    Due.HEARTBEAT: TimeoutKind.HEARTBEAT,
}


def decide_due(run: Run, context: Context) -> Iterator[Step]:
    """What has come due, one fact at a time: the caller applies each before it asks for the next.

    Bounded by ``dispatch_per_step_max`` decisions; what is left stays due. An empty yield list does not mean that nothing
    changed: a start delay or a trouble that ended leaves only the run's readiness behind.
    """
    for _ in range(context.limits.dispatch_per_step_max):
        if not run.open:
            return
        due = deadlines.take_due(run, context.now_ms, context.limits)
        if due is None:
            return
        yield from _decide_one(run, *due, context)


_SOON_MS = 500


def dispatch(
    activity: PendingActivity, context: Context, attempt: Attempt | None = None
) -> tuple[Step, ...]:
    """Sends the pending attempt, or the one that is to take its place; if its queue does not exist, says so in a hint and
    tries again later."""
    pending = attempt or activity.attempt
    queue = (pending.options or activity.scheduled).queue
    if not activity.scheduled.local and queue not in context.activity_queues:
        hint = (
            f"Expected task queue {queue!r} to exist, found no such queue, or none that takes tasks of this processor: "
            f"run 'streamflow topology apply --queue {queue}'; a grant that is missing is in the processor's log"
        )
        # Asked for soon at first: a queue that is made a moment later is no reason to wait long.
        waited_ms = context.now_ms - activity.scheduled_ms
        retry_ms = context.now_ms + min(
            context.limits.unknown_queue_retry_ms, max(_SOON_MS, waited_ms)
        )
        waiting = msgspec.structs.replace(
            pending, dispatched_ms=0, next_retry_ms=retry_ms, hint=hint
        )
        return (waiting,)
    sent = msgspec.structs.replace(
        pending,
        dispatched_ms=context.now_ms,
        started_ms=0,
        heartbeat_ms=0,
        next_retry_ms=0,
        hint="",
    )
    return sent, Send(sent.op)


def _decide_one(run: Run, kind: Due, op: int, context: Context) -> Iterator[Step]:
    match kind:
        case Due.EXECUTION_TIMEOUT:
            yield WorkflowTimedOut()
        case Due.RUN_TIMEOUT:
            yield run_timed_out(run, context)
        case Due.TIMER:
            yield TimerFired(op=Op(op))
        case Due.START_DELAY | Due.TROUBLE:
            return
        case Due.RETRY | Due.RESEND | Due.LOCAL:
            yield from dispatch(run.activities[Op(op)], context)
        case Due.SCHEDULE_TO_CLOSE | Due.SCHEDULE_TO_START | Due.START_TO_CLOSE | Due.HEARTBEAT:
            yield _activity_timed_out(run, run.activities[Op(op)], kind, context)


def _activity_timed_out(run: Run, activity: PendingActivity, kind: Due, context: Context) -> Fact:
    attempt = activity.attempt
    failure = Failure(
        kind=FailureKind.TIMEOUT,
        message=f"activity {TIMEOUT_WORDS[_TIMEOUTS[kind]]} timeout",
        timeout_kind=_TIMEOUTS[kind],
        details=attempt.heartbeat_details,
        cause=attempt.last_failure,
    )
    if kind in (Due.SCHEDULE_TO_CLOSE, Due.SCHEDULE_TO_START):
        # Waiting longer or trying again cannot help: these limits span attempts.
        return ActivityFailed(
            op=attempt.op,
            attempt=attempt.attempt,
            failure=failure,
            retry_state=RetryState.TIMEOUT,
            identity=attempt.identity,
            scheduled_seq=activity.seq,
        )
    ended = failed_or_retried(run, activity, failure, context=context)
    match ended:
        case ActivityFailed(retry_state=RetryState.TIMEOUT) if not activity.scheduled.local:
            return msgspec.structs.replace(ended, failure=_no_time_left(failure))
        case _:
            return ended


def _no_time_left(failure: Failure) -> Failure:
    """The attempt's timeout left no time for another attempt: what ran out is the limit of all attempts.

    It takes the heartbeat details over from its cause: twice they might be too large for a record.
    """
    kind = TimeoutKind.SCHEDULE_TO_CLOSE
    return Failure(
        kind=FailureKind.TIMEOUT,
        message=f"Not enough time to schedule next retry before activity {TIMEOUT_WORDS[kind]} timeout",
        timeout_kind=kind,
        details=failure.details,
        cause=msgspec.structs.replace(failure, details=()),
    )
