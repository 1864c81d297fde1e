"""What a caller is told: an answer, or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from streamflow.model.activity_options import ActivityOptions
from streamflow.model.failed_attempts import FailedAttempts
from streamflow.model.failure import Failure
from streamflow.model.ids import MessageId, RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.model.payload import Payload, Payloads


class Reason(Enum):
    """Why a command was refused. The client maps each onto a status code of the model's RPC errors."""

    NOT_FOUND = "not_found"
    ALREADY_STARTED = "already_started"
    ALREADY_CLOSED = "already_closed"
    INVALID_ARGUMENT = "invalid_argument"
    STALE_TASK = "stale_task"
    LIMIT_EXCEEDED = "limit_exceeded"
    QUOTA_EXCEEDED = "quota_exceeded"
    """Not now: a later start may be taken."""
    QUERY_FAILED = "query_failed"
    QUERY_REJECTED = "query_rejected"
    NOT_DUE = "not_due"
    QUARANTINED = "quarantined"
    UNAVAILABLE = "unavailable"


class Rejection(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A caller's fault, as a value: expected, found, what to do."""

    reason: Reason
    message: str
    run_id: RunId | None = None
    failure: Failure | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The command was recorded (or was a copy of one that had been)."""

    run_id: RunId
    first_run_id: RunId | None = None
    started: bool = False
    """Whether this command began the run."""
    activity_options: ActivityOptions | None = None
    """As they are now, of the activity whose options the command changed."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a run ended; ``RUNNING`` when a long poll ran out before it did."""

    run_id: RunId
    status: Status
    result: Payload | None = None
    failure: Failure | None = None
    details: Payloads = ()
    reason: str = ""
    new_run_id: RunId | None = None
    """The run that follows this one, to be awaited by a caller that follows runs."""


class QueryAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    result: Payload | None = None


class UpdateOutcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far an update has come. Refused by its validator it is completed too, with the failure."""

    run_id: RunId
    update_id: str
    completed: bool
    first_run_id: RunId | None = None
    started: bool = False
    """Whether the run was begun for it."""
    result: Payload | None = None
    failure: Failure | None = None


class PendingActivity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An activity that has no end yet, as an operator sees it. Times are milliseconds since the epoch, 0 is never."""

    activity_id: str
    activity_type: str
    queue: str
    state: str
    """``undispatched``, ``scheduled``, ``started``, ``backing_off``, ``cancel_requested``, ``paused``, or ``pause_requested``
    while an attempt goes on."""
    attempt: int
    maximum_attempts: int
    scheduled_ms: int
    last_started_ms: int = 0
    last_heartbeat_ms: int = 0
    next_retry_ms: int = 0
    expires_ms: int = 0
    last_failure: Failure | None = None
    heartbeat_details: Payloads = ()
    last_identity: str = ""
    local: bool = False
    hint: str = ""
    paused: bool = False
    pause_reason: str = ""
    options: ActivityOptions | None = None
    """As they are now. ``None`` from processors that do not tell."""
    failed_attempts: tuple[FailedAttempts, ...] = ()
    """What attempts failed with: the latest, oldest first. Empty where very many activities are pending."""


class PendingTimer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: int
    fire_at_ms: int
    summary: str = ""


class PendingChild(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A child workflow that has not ended."""

    op: int
    workflow_id: str
    workflow_type: str
    queue: str
    state: str
    """``initiated``, ``started`` or ``cancel_requested``."""
    parent_close_policy: str
    run_id: str = ""
    """Its first run; empty until it has started."""
    initiated_ms: int = 0
    started_ms: int = 0


class Trouble(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why a run does not move: its code failed (not the run), and when it is tried again."""

    kind: str
    """``stuck``, ``unregistered``, ``version`` (pinned to another), ``nondeterminism``, ``looping`` or ``quarantined``."""
    message: str
    advice: str = ""
    failure: Failure | None = None
    count: int = 1
    since_ms: int = 0
    next_try_ms: int = 0


class Description(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything that can be said of a run without running its code."""

    workflow_id: WorkflowId
    run_id: RunId
    first_run_id: RunId
    namespace: str
    queue: str
    workflow_type: str
    status: Status
    started_ms: int
    execution_ms: int = 0
    closed_ms: int = 0
    history_length: int = 0
    history_bytes: int = 0
    parent_workflow_id: str = ""
    parent_run_id: str = ""
    memo: Mapping[str, Payload] = {}
    search_attributes: Mapping[str, Payload] = {}
    static_summary: str = ""
    static_details: str = ""
    pending_activities: tuple[PendingActivity, ...] = ()
    pending_timers: tuple[PendingTimer, ...] = ()
    trouble: Trouble | None = None
    cancel_requested: bool = False
    root_workflow_id: str = ""
    root_run_id: str = ""
    """At the top of the chain of parents: the run itself, if it has none."""
    pending_children: tuple[PendingChild, ...] = ()
    pending_messages: int = 0
    """Signals and requests to cancel sent to other workflows whose outcome is not known yet."""
    cron_schedule: str = ""
    attempt: int = 1


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Events as stored: each is the fixed header and the value of its history record."""

    run_id: RunId
    records: tuple[tuple[bytes, bytes], ...]
    """``(header, value)`` of each event in order; `streamflow.wire` decodes them."""
    next_after_seq: int
    more: bool
    closed: bool
    trouble: Trouble | None = None
    """On the last page of an open run that is stuck or paused."""


class Located(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    queue: str
    run_id: RunId
    status: Status


class Confirmed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which of the tasks asked about are still pending, in the order asked. What is missing at the end is to be asked
    about again: the answer would have become too large."""

    pending: tuple[bool, ...]
    heartbeat_details: tuple[Payloads, ...] = ()
    """The latest of each, which its task does not have: it was sent before. Empty if no task has any."""


class HeartbeatAck(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tells the worker whether the attempt is still wanted."""

    known: bool
    cancel_requested: bool
    paused: bool = False
    reset: bool = False


class TakenOver(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Told to all who listen for answers: an owner that had not said goodbye is gone, and these partitions have another.

    What it knew of who waits is gone too, so whoever waits asks again. No answer: nobody had asked.
    """

    inbox_topic: str
    partitions: tuple[int, ...]


Answer = (
    Done
    | RunResult
    | QueryAnswer
    | UpdateOutcome
    | Description
    | HistoryPage
    | Located
    | Confirmed
    | HeartbeatAck
    | Rejection
)


class DedupEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of a message, kept so that its copies are answered alike."""

    workflow_id: WorkflowId
    message_id: MessageId
    answer: Done | Rejection | UpdateOutcome
    expires_ms: int


class ExecutionSummary(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run's row in the public `executions` feed."""

    workflow_id: WorkflowId
    run_id: RunId
    first_run_id: RunId
    namespace: str
    queue: str
    workflow_type: str
    status: Status
    started_ms: int
    closed_ms: int = 0
    updated_ms: int = 0
    history_length: int = 0
    current_step: str = ""
    pending_activities: int = 0
    max_attempt: int = 0
    next_retry_ms: int = 0
    last_failure: str = ""
    trouble: str = ""
    parent_workflow_id: str = ""
    memo: Mapping[str, Payload] = {}
    search_attributes: Mapping[str, Payload] = {}
    execution_ms: int = 0
    """When the code might first run; 0 in records from before this field."""
    history_bytes: int = 0
    parent_run_id: str = ""
    root_workflow_id: str = ""
    """The workflow at the top of the tree; itself where nobody started it as a child."""
    root_run_id: str = ""
    static_summary: str = ""
    static_details: str = ""
