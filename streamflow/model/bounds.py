"""Why no record is to be given a value: priorities, retry policies and durations that nobody could follow.

What was recorded before there were these bounds is still read (`priorities.bounded`, `engine.retry`).
"""

from __future__ import annotations

import math
from typing import Final, Protocol

from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.priorities import FAIRNESS_KEY_BYTES_MAX, PRIORITY_MAX, Prioritised

DURATION_MS_MAX: Final = 100 * 365 * 86_400_000
"""A hundred years, so that no time that is reckoned from now passes 64 bits."""


class BegunRun(Prioritised, Protocol):
    """What says how a run is to be begun: a start, or a schedule's action."""

    @property
    def execution_timeout_ms(self) -> int | None: ...
    @property
    def run_timeout_ms(self) -> int | None: ...
    @property
    def task_timeout_ms(self) -> int | None: ...
    @property
    def retry_policy(self) -> RetryPolicy | None: ...


class BegunActivity(Prioritised, Protocol):
    """What says how an activity is to be made, with all that may be changed of it later."""

    @property
    def timeouts(self) -> ActivityTimeouts: ...
    @property
    def start_delay_ms(self) -> int: ...
    @property
    def retry_policy(self) -> RetryPolicy: ...


def refused_run(record: BegunRun) -> str:
    """Why no run could be begun like this; empty if one could, as with the others."""
    return (
        refused_duration("execution_timeout", record.execution_timeout_ms or 0)
        or refused_duration("run_timeout", record.run_timeout_ms or 0)
        or refused_duration("task_timeout", record.task_timeout_ms or 0)
        or (refused_policy(record.retry_policy) if record.retry_policy is not None else "")
        or refused_priority(record)
    )


def refused_activity(record: BegunActivity) -> str:
    return (
        refused_timeouts(record.timeouts)
        or refused_duration("start_delay", record.start_delay_ms)
        or refused_policy(record.retry_policy)
        or refused_priority(record)
    )


def refused_duration(what: str, duration_ms: int) -> str:
    if duration_ms < 0:
        return f"Expected {what} >= 0, found {duration_ms} ms"
    if duration_ms > DURATION_MS_MAX:
        return (
            f"Expected {what} of at most 100 years ({DURATION_MS_MAX} ms), found {duration_ms} ms"
        )
    return ""


def refused_timeouts(timeouts: ActivityTimeouts) -> str:
    """``None`` is no limit."""
    found = ((name, getattr(timeouts, name) or 0) for name in timeouts.__struct_fields__)
    return next(filter(None, (refused_duration(name, limit_ms) for name, limit_ms in found)), "")


def refused_policy(policy: RetryPolicy) -> str:
    """Of one attempt alone nobody asks for the coefficient."""
    coefficient = policy.backoff_coefficient
    if policy.maximum_attempts < 0:
        return f"Expected maximum_attempts >= 0 of a retry policy, found {policy.maximum_attempts}"
    if policy.maximum_attempts != 1 and not 1 <= coefficient < math.inf:
        return f"Expected a backoff_coefficient >= 1 that is finite, found {coefficient}"
    initial = refused_duration("initial_interval of a retry policy", policy.initial_interval_ms)
    return initial or refused_duration(
        "maximum_interval of a retry policy", policy.maximum_interval_ms or 0
    )


def refused_priority(record: Prioritised) -> str:
    """0 and an empty key are unset."""
    if not 0 <= record.priority <= PRIORITY_MAX:
        return f"Expected a priority_key from 1 (first) to {PRIORITY_MAX}, found {record.priority}"
    size = len(record.fairness_key.encode())
    if size > FAIRNESS_KEY_BYTES_MAX:
        return f"Expected a fairness_key of at most {FAIRNESS_KEY_BYTES_MAX} bytes, found {size}: shorten it"
    if not math.isfinite(record.fairness_weight):
        return f"Expected a finite fairness_weight, found {record.fairness_weight}"
    return ""
