"""Why something failed, as a value that can be stored, sent and turned back into an exception."""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from streamflow.model.payload import Payloads

CAUSES_MAX = 20
"""A longer chain of causes is cut: the last kept cause says so."""


HISTORY_TOO_LONG = "HistoryTooLong"
"""Type of the failure that ends a run whose history has grown beyond its bound. No code asked for that end."""

NONDETERMINISM = "NondeterminismError"
"""Type of the failure that ends a run whose code does not fit its history, where its worker asked for that."""
NONDETERMINISM_SAID = "[TMPRL1100] Nondeterminism error: "
"""How its message begins."""


class FailureKind(Enum):
    """Which class of the error tree a failure becomes again."""

    APPLICATION = "application"
    CANCELED = "canceled"
    TERMINATED = "terminated"
    TIMEOUT = "timeout"
    SERVER = "server"
    ACTIVITY = "activity"
    CHILD_WORKFLOW = "child_workflow"


class TimeoutKind(Enum):
    """Which limit of an activity or a run was passed."""

    START_TO_CLOSE = "start_to_close"
    SCHEDULE_TO_START = "schedule_to_start"
    SCHEDULE_TO_CLOSE = "schedule_to_close"
    HEARTBEAT = "heartbeat"


TIMEOUT_WORDS: Final = {
    TimeoutKind.START_TO_CLOSE: "StartToClose",
    TimeoutKind.SCHEDULE_TO_START: "ScheduleToStart",
    TimeoutKind.SCHEDULE_TO_CLOSE: "ScheduleToClose",
    TimeoutKind.HEARTBEAT: "Heartbeat",
}
"""The limits as messages name them."""


class RetryState(Enum):
    """Why there will be no further attempt."""

    IN_PROGRESS = "in_progress"
    NON_RETRYABLE_FAILURE = "non_retryable_failure"
    TIMEOUT = "timeout"
    MAXIMUM_ATTEMPTS_REACHED = "maximum_attempts_reached"
    RETRY_POLICY_NOT_SET = "retry_policy_not_set"
    INTERNAL_SERVER_ERROR = "internal_server_error"
    CANCEL_REQUESTED = "cancel_requested"


class Failure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One failure and, through ``cause``, those behind it (at most ``CAUSES_MAX``).

    Fields beyond the first six belong to some kinds only and are empty for the others.
    """

    kind: FailureKind
    message: str = ""
    stack_trace: str = ""
    cause: Failure | None = None
    details: Payloads = ()
    encoded_attributes: Payloads = ()
    # application
    type: str = ""
    non_retryable: bool = False
    next_retry_delay_ms: int | None = None
    category: str = ""
    # timeout
    timeout_kind: TimeoutKind | None = None
    # activity, child workflow
    name: str = ""
    """The activity's or child workflow's type."""
    activity_id: str = ""
    workflow_id: str = ""
    run_id: str = ""
    namespace: str = ""
    identity: str = ""
    scheduled_seq: int = 0
    started_seq: int = 0
    retry_state: RetryState | None = None


CANCELLED: Final = Failure(kind=FailureKind.CANCELED, message="Cancelled")
"""Why the code no longer waits for what it cancelled itself."""
