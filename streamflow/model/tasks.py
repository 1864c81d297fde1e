"""What workers are given, and the small records that stand beside events in the history: one per entity, latest wins."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.model.activity_options import ActivityOptions
from streamflow.model.failed_attempts import FailedAttempts
from streamflow.model.failure import Failure
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.payload import Payload, Payloads


class ActivityTask(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attempt to be made, with all that the worker needs to make it and to report back."""

    workflow_id: WorkflowId
    run_id: RunId
    workflow_type: str
    op: Op
    activity_id: str
    activity_type: str
    attempt: int
    token: bytes
    queue: str
    inbox_topic: str
    inbox_partition: int
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    timeouts: ActivityTimeouts
    retry_policy: RetryPolicy
    scheduled_ms: int
    attempt_scheduled_ms: int
    heartbeat_details: Payloads = ()
    priority: int = 0
    workflow_queue: str = ""
    """The queue whose inbox hears of the attempt's end."""
    fairness_key: str = ""
    fairness_weight: float = 1.0


class CancelTask(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Pushed to the worker's control address: stop this attempt."""

    workflow_id: WorkflowId
    run_id: RunId
    op: Op
    attempt: int
    not_wanted: bool = False
    """Nobody asked for it, but the attempt is of no use any more: its run has closed."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Latest state of a pending activity's attempt.

    Absent means the plain case: attempt 1, dispatched with its ``ActivityScheduled``, not announced as started.
    """

    op: Op
    attempt: int
    dispatched_ms: int
    """0 while undispatched."""
    started_ms: int = 0
    heartbeat_ms: int = 0
    heartbeat_details: Payloads = ()
    next_retry_ms: int = 0
    last_failure: Failure | None = None
    identity: str = ""
    control_topic: str = ""
    control_partition: int = 0
    control_request: str = ""
    hint: str = ""
    epoch: int = 0
    """How often attempts were begun anew by an operator's hand: what was sent before is stale, though its number is the same."""
    paused: bool = False
    """No attempt is begun until an operator lets it."""
    pause_reason: str = ""
    reset: bool = False
    """The attempt that runs is followed by a first one, whatever becomes of it but its success."""
    reset_heartbeat: bool = False
    options: ActivityOptions | None = None
    """As an operator changed them; ``None`` is as the activity was scheduled."""
    failed: tuple[FailedAttempts, ...] = ()
    """What attempts before this one failed with: the latest, oldest first."""


class PositionRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far a partition's input was folded into its history, and by whom. Rides in every transaction."""

    inbox_offset: int
    """Everything below was taken."""
    bound_offsets: Mapping[str, int] = {}
    ordinal: int
    owner: str
    """The owning processor's name; empty after an orderly hand-over."""
    transactional_ids: tuple[str, ...] = ()
    takeovers: int = 0
    """How many owners in a row were gone without a word, each soon after it had taken over."""
    stepping: str = ""
    """Whose step is about to be made, where that is noted at all."""
    suspects: Mapping[str, int] = {}
    """In whose steps, so noted, owners ended, and how often."""
    code: str = ""
    """Which workflow code the suspects speak of."""
    read_to: int = 0
    """Between ``inbox_offset`` and here everything was taken but what is held."""
    held: tuple[int, ...] = ()
    """Records that others have overtaken, and that wait for their turn: offsets counted from ``inbox_offset``, in order."""
    stepping_too: tuple[str, ...] = ()
    """Whose steps are about to be made together with that of ``stepping``."""


class Deleting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Marks a run whose tombstones are being written: its gaps are no alarm."""

    last_seq: int
    last_hash: bytes
