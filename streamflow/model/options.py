"""Options that users give and the log keeps: retries, timeouts, policies. Integer milliseconds throughout."""

from __future__ import annotations

from enum import Enum

import msgspec


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How often and how soon to try again. ``maximum_attempts=0`` means for as long as it takes."""

    initial_interval_ms: int = 1_000
    backoff_coefficient: float = 2.0
    maximum_interval_ms: int | None = None
    """``None`` is 100 times the initial interval."""
    maximum_attempts: int = 0
    non_retryable_error_types: tuple[str, ...] = ()


class ActivityTimeouts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The four limits of an activity in milliseconds; ``None`` is no limit."""

    schedule_to_close_ms: int | None = None
    schedule_to_start_ms: int | None = None
    start_to_close_ms: int | None = None
    heartbeat_ms: int | None = None


class CancellationType(Enum):
    """What cancelling an awaited activity waits for."""

    TRY_CANCEL = "try_cancel"
    WAIT_CANCELLATION_COMPLETED = "wait_cancellation_completed"
    ABANDON = "abandon"


class IdReusePolicy(Enum):
    """Whether a workflow ID whose last run is closed may be started again."""

    ALLOW_DUPLICATE = "allow_duplicate"
    ALLOW_DUPLICATE_FAILED_ONLY = "allow_duplicate_failed_only"
    REJECT_DUPLICATE = "reject_duplicate"
    TERMINATE_IF_RUNNING = "terminate_if_running"


class IdConflictPolicy(Enum):
    """What a start does when a run of that ID is open."""

    FAIL = "fail"
    USE_EXISTING = "use_existing"
    TERMINATE_EXISTING = "terminate_existing"


class Status(Enum):
    """Where a run stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    TERMINATED = "terminated"
    CONTINUED_AS_NEW = "continued_as_new"
    TIMED_OUT = "timed_out"


class Copied(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run that another one's history begins as a copy of."""

    run_id: str
    length: int
    """So many events are the same in both."""


class Parent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The run that started this one as its child."""

    namespace: str
    queue: str
    workflow_id: str
    run_id: str
    op: int
    root_workflow_id: str = ""
    """At the top of the chain of parents; empty where the parent itself is."""
    root_run_id: str = ""
