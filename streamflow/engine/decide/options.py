"""An operator changes options of a pending activity: its queue, limits, retry policy, priority, start delay.

held back (start delay), paused    the new options count when it is sent
backing off                        likewise; a new retry policy also says anew for how long it waits
sent, not begun                    sent to another queue if that has changed; what was sent before is stale then
running                            limits count from now on here, and for its worker with the next attempt
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from streamflow.engine.context import Context
from streamflow.engine.decide import Step
from streamflow.engine.decide.due import dispatch
from streamflow.engine.retry import backoff_ms
from streamflow.engine.state import PendingActivity
from streamflow.model.activity_options import ActivityOption, ActivityOptions, OptionsChange
from streamflow.model.bounds import refused_activity
from streamflow.model.events import ActivityScheduled
from streamflow.model.tasks import Attempt

_TIMEOUTS = {
    ActivityOption.SCHEDULE_TO_CLOSE: "schedule_to_close_ms",
    ActivityOption.SCHEDULE_TO_START: "schedule_to_start_ms",
    ActivityOption.START_TO_CLOSE: "start_to_close_ms",
    ActivityOption.HEARTBEAT: "heartbeat_ms",
}
_RETRY = {
    ActivityOption.RETRY_INITIAL_INTERVAL: "initial_interval_ms",
    ActivityOption.RETRY_BACKOFF_COEFFICIENT: "backoff_coefficient",
    ActivityOption.RETRY_MAXIMUM_INTERVAL: "maximum_interval_ms",
    ActivityOption.RETRY_MAXIMUM_ATTEMPTS: "maximum_attempts",
    ActivityOption.RETRY_NON_RETRYABLE: "non_retryable_error_types",
}
_WHOLE = {
    ActivityOption.QUEUE: ("queue",),
    ActivityOption.START_DELAY: ("start_delay_ms",),
    ActivityOption.RETRY_POLICY: ("retry_policy",),
    ActivityOption.PRIORITY: ("priority", "fairness_key", "fairness_weight"),
    ActivityOption.PRIORITY_KEY: ("priority",),
    ActivityOption.FAIRNESS_KEY: ("fairness_key",),
    ActivityOption.FAIRNESS_WEIGHT: ("fairness_weight",),
}


def options_now(activity: PendingActivity) -> ActivityOptions:
    """All of them, whether they were changed or not."""
    return activity.attempt.options or _scheduled(activity.scheduled)


def options_after(
    activity: PendingActivity, change: OptionsChange | None, *, restore: bool
) -> ActivityOptions | str:
    """What they become; else why they cannot."""
    options = _scheduled(activity.scheduled) if restore else options_now(activity)
    return options if change is None else _checked(_changed(options, change))


def with_options(
    activity: PendingActivity, options: ActivityOptions, context: Context
) -> Iterator[Step]:
    """The attempt goes on under these options, as the table on top says."""
    before, attempt = options_now(activity), activity.attempt
    kept = None if options == _scheduled(activity.scheduled) else options
    changed = msgspec.structs.replace(attempt, options=kept)
    moved = options.queue != before.queue
    if attempt.started_ms:
        yield changed
    elif attempt.dispatched_ms and moved:
        changed = msgspec.structs.replace(changed, epoch=attempt.epoch + 1)
        if attempt.paused:
            yield msgspec.structs.replace(changed, dispatched_ms=0, next_retry_ms=context.now_ms)
        else:
            yield from dispatch(activity, context, changed)
    elif attempt.hint and moved and not attempt.paused:
        yield from dispatch(activity, context, changed)  # it only waited for its queue to be made
    elif attempt.dispatched_ms or attempt.hint:
        yield changed
    else:
        waits_ms = _next_ms(activity, before, options)
        yield msgspec.structs.replace(changed, next_retry_ms=max(waits_ms, 1))


def _next_ms(activity: PendingActivity, before: ActivityOptions, after: ActivityOptions) -> int:
    """When the attempt that is not sent yet is due under the new options."""
    attempt = activity.attempt
    if is_held_back(activity, attempt):
        return activity.scheduled_ms + after.start_delay_ms
    failure = attempt.last_failure
    chosen = failure is not None and failure.next_retry_delay_ms is not None
    if attempt.attempt == 1 or chosen or before.retry_policy == after.retry_policy:
        return attempt.next_retry_ms
    failed = attempt.attempt - 1
    return (
        attempt.next_retry_ms
        - backoff_ms(before.retry_policy, failed)
        + backoff_ms(after.retry_policy, failed)
    )


def is_held_back(activity: PendingActivity, attempt: Attempt) -> bool:
    """Whether the start delay is what the first attempt waits for."""
    delay_ms = (attempt.options or activity.scheduled).start_delay_ms
    return (
        delay_ms > 0
        and attempt.attempt == 1
        and not attempt.dispatched_ms
        and attempt.next_retry_ms == activity.scheduled_ms + delay_ms
    )


def _changed(options: ActivityOptions, change: OptionsChange) -> ActivityOptions:
    for option in change.which:
        if option in _TIMEOUTS:
            name = _TIMEOUTS[option]
            # No time at all is how "no limit" is said on the model's wire.
            limit = {name: getattr(change.to.timeouts, name) or None}
            timeouts = msgspec.structs.replace(options.timeouts, **limit)
            options = msgspec.structs.replace(options, timeouts=timeouts)
        elif option in _RETRY:
            part = {_RETRY[option]: getattr(change.to.retry_policy, _RETRY[option])}
            policy = msgspec.structs.replace(options.retry_policy, **part)
            options = msgspec.structs.replace(options, retry_policy=policy)
        else:
            parts = {name: getattr(change.to, name) for name in _WHOLE[option]}
            options = msgspec.structs.replace(options, **parts)
    return options


def _checked(options: ActivityOptions) -> ActivityOptions | str:
    timeouts = options.timeouts
    if not options.queue:
        return "Expected an activity to have a task queue, found none in the new options"
    if timeouts.start_to_close_ms is None and timeouts.schedule_to_close_ms is None:
        return "Expected start_to_close_timeout or schedule_to_close_timeout to be left, found neither in the new options"
    return refused_activity(options) or options


def _scheduled(scheduled: ActivityScheduled) -> ActivityOptions:
    return ActivityOptions(
        queue=scheduled.queue,
        timeouts=scheduled.timeouts,
        retry_policy=scheduled.retry_policy,
        priority=scheduled.priority,
        fairness_key=scheduled.fairness_key,
        fairness_weight=scheduled.fairness_weight,
        start_delay_ms=scheduled.start_delay_ms,
    )
