"""Options of a pending activity: the change that a request means, and what they are after it."""

from __future__ import annotations

from typing import Final

from streamflow.api.activity.v1 import ActivityOptions as OptionsMessage
from streamflow.api.history.telling.values import fill_duration
from streamflow.api.workflowservice.v1 import UpdateActivityOptionsRequest
from streamflow.client.raw.sending import optional_ms, retry_policy_of, write_retry_policy
from streamflow.model.activity_options import ActivityOption, ActivityOptions, OptionsChange
from streamflow.model.options import ActivityTimeouts
from streamflow.service import RPCError, RPCStatusCode

PATHS: Final = {
    "task_queue": ActivityOption.QUEUE,
    "task_queue.name": ActivityOption.QUEUE,
    "schedule_to_close_timeout": ActivityOption.SCHEDULE_TO_CLOSE,
    "schedule_to_start_timeout": ActivityOption.SCHEDULE_TO_START,
    "start_to_close_timeout": ActivityOption.START_TO_CLOSE,
    "heartbeat_timeout": ActivityOption.HEARTBEAT,
    "retry_policy": ActivityOption.RETRY_POLICY,
    "retry_policy.initial_interval": ActivityOption.RETRY_INITIAL_INTERVAL,
    "retry_policy.backoff_coefficient": ActivityOption.RETRY_BACKOFF_COEFFICIENT,
    "retry_policy.maximum_interval": ActivityOption.RETRY_MAXIMUM_INTERVAL,
    "retry_policy.maximum_attempts": ActivityOption.RETRY_MAXIMUM_ATTEMPTS,
    "retry_policy.non_retryable_error_types": ActivityOption.RETRY_NON_RETRYABLE,
    "priority": ActivityOption.PRIORITY,
    "priority.priority_key": ActivityOption.PRIORITY_KEY,
    "priority.fairness_key": ActivityOption.FAIRNESS_KEY,
    "priority.fairness_weight": ActivityOption.FAIRNESS_WEIGHT,
}
"""By the path in an update mask."""


def change_of(request: UpdateActivityOptionsRequest) -> OptionsChange | None:
    """``None`` where the original ones are to be restored. Raises RPCError, INVALID_ARGUMENT, for anything else than one of
    the two, and for a path that is none."""
    paths = list(request.update_mask.paths)
    if bool(paths) is request.restore_original:
        raise _invalid(
            "Expected paths in update_mask or restore_original, found "
            + ("both" if paths else "neither")
        )
    if not paths:
        return None
    unknown = [path for path in paths if path not in PATHS]
    if unknown:
        raise _invalid(
            f"Expected paths among {', '.join(PATHS)} in update_mask, found {', '.join(unknown)}"
        )
    given = request.activity_options
    to = ActivityOptions(
        queue=given.task_queue.name,
        timeouts=ActivityTimeouts(
            schedule_to_close_ms=optional_ms(given.schedule_to_close_timeout),
            schedule_to_start_ms=optional_ms(given.schedule_to_start_timeout),
            start_to_close_ms=optional_ms(given.start_to_close_timeout),
            heartbeat_ms=optional_ms(given.heartbeat_timeout),
        ),
        retry_policy=retry_policy_of(given.retry_policy),
        priority=given.priority.priority_key,
        fairness_key=given.priority.fairness_key,
        fairness_weight=given.priority.fairness_weight or 1.0,
    )
    return OptionsChange(which=tuple(dict.fromkeys(PATHS[path] for path in paths)), to=to)


def message_of(options: ActivityOptions) -> OptionsMessage:
    made = OptionsMessage()
    made.task_queue.name = options.queue
    timeouts = options.timeouts
    fill_duration(made.schedule_to_close_timeout, timeouts.schedule_to_close_ms)
    fill_duration(made.schedule_to_start_timeout, timeouts.schedule_to_start_ms)
    fill_duration(made.start_to_close_timeout, timeouts.start_to_close_ms)
    fill_duration(made.heartbeat_timeout, timeouts.heartbeat_ms)
    write_retry_policy(options.retry_policy, made.retry_policy)
    made.priority.priority_key = options.priority
    made.priority.fairness_key = options.fairness_key
    made.priority.fairness_weight = options.fairness_weight
    return made


def _invalid(message: str) -> RPCError:
    return RPCError(message, RPCStatusCode.INVALID_ARGUMENT)
