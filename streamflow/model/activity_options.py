"""What of a pending activity an operator may change, and how a change is said."""

from __future__ import annotations

from enum import Enum

import msgspec

from streamflow.model.options import ActivityTimeouts, RetryPolicy


class ActivityOptions(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All of them, by the names that they have in ``ActivityScheduled``."""

    queue: str
    timeouts: ActivityTimeouts
    retry_policy: RetryPolicy
    priority: int = 0
    fairness_key: str = ""
    fairness_weight: float = 1.0
    start_delay_ms: int = 0
    """How long after it was scheduled the first attempt is held back."""


class ActivityOption(Enum):
    """One that is to be changed. Of the retry policy and the priority a part may be changed by itself."""

    QUEUE = "task_queue"
    SCHEDULE_TO_CLOSE = "schedule_to_close_timeout"
    SCHEDULE_TO_START = "schedule_to_start_timeout"
    START_TO_CLOSE = "start_to_close_timeout"
    HEARTBEAT = "heartbeat_timeout"
    START_DELAY = "start_delay"
    RETRY_POLICY = "retry_policy"
    RETRY_INITIAL_INTERVAL = "retry_policy_initial_interval"
    RETRY_BACKOFF_COEFFICIENT = "retry_policy_backoff_coefficient"
    RETRY_MAXIMUM_INTERVAL = "retry_policy_maximum_interval"
    RETRY_MAXIMUM_ATTEMPTS = "retry_policy_maximum_attempts"
    RETRY_NON_RETRYABLE = "retry_policy_non_retryable_error_types"
    PRIORITY = "priority"
    PRIORITY_KEY = "priority_key"
    FAIRNESS_KEY = "fairness_key"
    FAIRNESS_WEIGHT = "fairness_weight"


class OptionsChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """These options become what ``to`` says; all others stay."""

    which: tuple[ActivityOption, ...]
    to: ActivityOptions
