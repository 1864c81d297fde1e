"""Whether a failed attempt is followed by another, and when. The arithmetic of `RetryPolicy`, nothing else."""

from __future__ import annotations

import msgspec

from streamflow.model.bounds import DURATION_MS_MAX
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.options import RetryPolicy

MAXIMUM_INTERVAL_FACTOR = 100
"""A policy without a maximum interval waits at most this many initial intervals."""

INTERVAL_MS_MAX = 365 * 86_400_000
"""No wait is longer than a year: coefficients grow beyond every integer."""


class RetryAt(msgspec.Struct, frozen=True, gc=False):
    """Try again at this time."""

    due_ms: int


def after_failure(
    policy: RetryPolicy, failure: Failure, *, attempt: int, now_ms: int, expires_ms: int | None
) -> RetryAt | RetryState:
    """The next attempt's time, or why there will be none.

    Args:
        attempt: the attempt that failed, counted from 1.
        expires_ms: when the whole activity or run times out; no attempt begins after it.
    """
    if failure.non_retryable or failure.type in policy.non_retryable_error_types:
        return RetryState.NON_RETRYABLE_FAILURE
    if failure.kind in (FailureKind.TERMINATED, FailureKind.CANCELED):
        return RetryState.NON_RETRYABLE_FAILURE
    if policy.maximum_attempts and attempt >= policy.maximum_attempts:
        return RetryState.MAXIMUM_ATTEMPTS_REACHED
    chosen_ms = chosen_delay_ms(failure)
    due_ms = now_ms + (backoff_ms(policy, attempt) if chosen_ms is None else chosen_ms)
    if expires_ms is not None and due_ms >= expires_ms:
        return RetryState.TIMEOUT
    return RetryAt(due_ms)


def backoff_ms(policy: RetryPolicy, attempt: int) -> int:
    """How long to wait after this attempt (counted from 1) failed, whatever the policy that is recorded says."""
    initial_ms = policy.initial_interval_ms
    if initial_ms < 0:
        initial_ms = RetryPolicy().initial_interval_ms
    maximum_ms = policy.maximum_interval_ms or 0
    if maximum_ms <= 0:
        maximum_ms = initial_ms * MAXIMUM_INTERVAL_FACTOR
    ceiling_ms = min(maximum_ms, INTERVAL_MS_MAX)
    try:
        interval_ms = initial_ms * policy.backoff_coefficient ** (attempt - 1)
    except OverflowError:
        return ceiling_ms
    # Asked this way round, what is no number is the ceiling, too.
    return max(int(interval_ms), 0) if interval_ms < ceiling_ms else ceiling_ms


def chosen_delay_ms(failure: Failure) -> int | None:
    """What the failure itself says of when to try again, within what can be reckoned with."""
    delay_ms = failure.next_retry_delay_ms
    return None if delay_ms is None else min(max(delay_ms, 0), DURATION_MS_MAX)
