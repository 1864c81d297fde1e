"""When a run next needs attention although nothing arrives: one heap per run, one due time per run in the store's index.

    run open:    start delay | run or execution timeout | user timers | activity timeouts, retries, re-sends | trouble retry
    run closed:  end of retention (the shell's business)

Entries are pushed when something becomes due later and never searched for removal: an entry whose reason is gone is
dropped when it comes to the top. Equal times fire in the order of the events that set them.
"""

from __future__ import annotations

from enum import IntEnum
from heapq import heappop, heappush

from streamflow.engine.context import Limits
from streamflow.engine.state import PendingActivity, Run
from streamflow.model.ids import Op


class Due(IntEnum):
    """What is due. The order breaks ties of one event: give up before trying again."""

    EXECUTION_TIMEOUT = 1
    RUN_TIMEOUT = 2
    START_DELAY = 3
    TIMER = 4
    SCHEDULE_TO_CLOSE = 5
    SCHEDULE_TO_START = 6
    START_TO_CLOSE = 7
    HEARTBEAT = 8
    RETRY = 9
    RESEND = 10
    LOCAL = 11
    TROUBLE = 12


LOCAL_CHECK_MS = 1_000
"""A local activity that its processor forgot (a crash, a takeover) is begun again after so long, if it was young."""

LOCAL_CHECK_MS_MAX = 10_000
"""The same for one that had been under way for long."""


TIME_MS_MAX = 2**63 - 1
"""What a time may be recorded as: limits that are older than their bounds may go beyond."""


def push(run: Run, due_ms: int, seq: int, kind: Due, op: int = 0) -> None:
    heappush(run.deadlines, (due_ms, seq, kind, op))


def push_activity(run: Run, op: int, activity: PendingActivity, limits: Limits) -> None:
    """Pushes what the activity's present attempt state makes due."""
    for kind in _ACTIVITY_KINDS:
        due_ms = activity_due(activity, kind, limits)
        if due_ms:
            heappush(run.deadlines, (due_ms, activity.seq, kind, op))


def next_due_ms(run: Run, limits: Limits) -> int:
    """The earliest time at which something of this open run is due; 0 when nothing ever is."""
    top = _valid_top(run, limits)
    return top[0] if top else 0


def take_due(run: Run, now_ms: int, limits: Limits) -> tuple[Due, int] | None:
    """Takes the first thing that is due by now off the heap: what, and of which operation."""
    top = _valid_top(run, limits)
    if top is None or top[0] > now_ms:
        return None
    heappop(run.deadlines)
    return Due(top[2]), top[3]


def activity_due(activity: PendingActivity, kind: int, limits: Limits) -> int:
    """When this limit of the activity is passed, in its present state; 0 when it does not apply."""
    return min(_due_ms(activity, kind, limits), TIME_MS_MAX)


def _due_ms(activity: PendingActivity, kind: int, limits: Limits) -> int:
    options, attempt = activity.options, activity.attempt
    timeouts = options.timeouts
    first_ms = activity.scheduled_ms + options.start_delay_ms
    match kind:
        case Due.SCHEDULE_TO_CLOSE:
            limit = timeouts.schedule_to_close_ms
            return first_ms + limit if limit is not None else 0
        case Due.RETRY:
            waits = not attempt.dispatched_ms and not attempt.paused
            return attempt.next_retry_ms if waits else 0
        case Due.LOCAL:
            if not activity.scheduled.local or not attempt.dispatched_ms:
                return 0
            # Each look is a record, so they become rarer.
            under_way_ms = attempt.dispatched_ms - activity.scheduled_ms
            return attempt.dispatched_ms + min(
                max(LOCAL_CHECK_MS, under_way_ms), LOCAL_CHECK_MS_MAX
            )
        case Due.SCHEDULE_TO_START:
            limit = timeouts.schedule_to_start_ms
            if limit is None or attempt.started_ms or activity.scheduled.local or attempt.paused:
                return 0
            # A first attempt waits from the beginning: though it cannot be sent, for its queue does not exist, and
            # however often it was sent again. A later one that was not sent is backing off.
            since_ms = first_ms if attempt.attempt == 1 else attempt.dispatched_ms
            return since_ms + limit if since_ms else 0
        case _:
            pass
    if not attempt.dispatched_ms or activity.scheduled.local:
        return 0
    match kind:
        case Due.RESEND:
            waits = not attempt.started_ms and not attempt.paused
            return attempt.dispatched_ms + limits.resend_ms if waits else 0
        case Due.START_TO_CLOSE:
            limit = timeouts.start_to_close_ms
            return attempt.started_ms + limit if attempt.started_ms and limit is not None else 0
        case Due.HEARTBEAT:
            limit = timeouts.heartbeat_ms
            seen_ms = max(attempt.started_ms, attempt.heartbeat_ms)
            return seen_ms + limit if attempt.started_ms and limit is not None else 0
        case _:
            return 0


_ACTIVITY_KINDS = (
    Due.SCHEDULE_TO_CLOSE,
    Due.SCHEDULE_TO_START,
    Due.START_TO_CLOSE,
    Due.HEARTBEAT,
    Due.RETRY,
    Due.RESEND,
    Due.LOCAL,
)


def _valid_top(run: Run, limits: Limits) -> tuple[int, int, int, int] | None:
    heap = run.deadlines
    while heap:
        top = heap[0]
        if _current_due(run, top[2], top[3], limits) == top[0]:
            return top
        heappop(heap)
    return None


def _current_due(run: Run, kind: int, op: int, limits: Limits) -> int | None:
    if not run.open:
        return None
    match kind:
        case Due.TIMER:
            timer = run.timers.get(Op(op))
            return timer.fire_at_ms if timer else None
        case Due.EXECUTION_TIMEOUT:
            return run.start.execution_deadline_ms
        case Due.RUN_TIMEOUT:
            return run.start.run_deadline_ms
        case Due.START_DELAY:
            return run.start.not_before_ms if run.step == 0 else None
        case Due.TROUBLE:
            return run.trouble.next_try_ms if run.trouble else None
        case _:
            activity = run.activities.get(Op(op))
            return activity_due(activity, kind, limits) if activity else None
