"""What happened to a run: the only truth. Each is appended once and never changed.

Inputs (``Input``) wait until an activation consumes them; consequences (``Outcome``) are what an activation's intents
became. ``Activated`` stands between: it names the inputs consumed, in order, with the time and seed that the code saw.
A released event never changes its meaning: new meaning is a new event, or a new field with a default.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.model.failure import Failure, RetryState
from streamflow.model.ids import MessageId, Op, RunId, Seq, WorkflowId
from streamflow.model.options import (
    ActivityTimeouts,
    CancellationType,
    Copied,
    Parent,
    RetryPolicy,
)
from streamflow.model.payload import Payload, Payloads
from streamflow.model.relations import (
    ChildCancelDelivered,
    ChildCancelRequested,
    ChildClosed,
    ChildInitiated,
    ChildStarted,
    ChildStartFailed,
    ExternalAnswered,
    ExternalCancelSent,
    ExternalSignalSent,
)

# -- inputs -------------------------------------------------------------------------------------------------------


class WorkflowStarted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Always the first event. The first activation waits until ``not_before_ms`` (start delay)."""

    workflow_type: str
    queue: str
    args: Payloads = ()
    message_id: MessageId = MessageId("")
    first_run_id: RunId
    continued_from: RunId | None = None
    parent: Parent | None = None
    attempt: int = 1
    not_before_ms: int = 0
    run_deadline_ms: int | None = None
    execution_deadline_ms: int | None = None
    retry_policy: RetryPolicy | None = None
    execution_timeout_ms: int | None = None
    run_timeout_ms: int | None = None
    task_timeout_ms: int | None = None
    cron_schedule: str = ""
    memo: Mapping[str, Payload] = {}
    search_attributes: Mapping[str, Payload] = {}
    headers: Mapping[str, Payload] = {}
    static_summary: str = ""
    static_details: str = ""
    identity: str = ""
    retention_ms: int | None = None
    """How long the run is kept after its close; ``None`` takes the queue's setting at close."""
    last_result: Payloads = ()
    """What the last run of this chain that completed had for its result: of a cron schedule, or of a schedule."""
    last_failure: Failure | None = None
    """Why the run before this one in its chain failed, if it did."""
    priority: int = 0
    """1 is first, 5 is last, 0 is unset."""
    pinned_to: str = ""
    """The worker version, as ``deployment.build``, that runs the first step; empty takes any."""
    version_override: str = ""
    """Pins the run to this version, or with ``auto_upgrade`` to none, whatever its type says."""
    original_run_id: str = ""
    """The run whose history this one's began as a copy of, and so back to the first; empty for a run that is no copy."""
    fairness_key: str = ""
    fairness_weight: float = 1.0
    copied: tuple[Copied, ...] = ()
    """The runs that this one's history is a copy of, oldest first: what they began with others within the copy is its own."""


class SignalReceived(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    name: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    message_id: MessageId = MessageId("")
    identity: str = ""


class UpdateAccepted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An update that its validator let pass. Recorded with the activation that begins its handler, just before it."""

    update_id: str
    name: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    message_id: MessageId = MessageId("")
    identity: str = ""


class CancelRequested(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    reason: str = ""
    identity: str = ""


class TimerFired(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op


class ActivityCompleted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The last attempt's result, of an ordinary or a local activity."""

    op: Op
    attempt: int
    result: Payload | None = None
    identity: str = ""


class ActivityFailed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """No attempt will follow. A timeout is a failure whose kind says so."""

    op: Op
    attempt: int
    failure: Failure
    retry_state: RetryState
    identity: str = ""
    scheduled_seq: int = 0
    """Number of the event that scheduled the activity."""


class ActivityCanceled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    attempt: int
    failure: Failure
    identity: str = ""
    scheduled_seq: int = 0


Input = (
    WorkflowStarted
    | SignalReceived
    | UpdateAccepted
    | CancelRequested
    | TimerFired
    | ActivityCompleted
    | ActivityFailed
    | ActivityCanceled
    | ChildStarted
    | ChildStartFailed
    | ChildCancelDelivered
    | ChildClosed
    | ExternalAnswered
)

# -- activation ---------------------------------------------------------------------------------------------------


class Activated(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The code ran once, successfully, on these inputs. Replay activates here and nowhere else."""

    inputs: tuple[Seq, ...]
    now_ms: int
    seed: int
    build_id: str = ""
    flags: int = 0
    """Behaviour of our own runtime that this run was begun under (`streamflow.coroutine.flags`)."""
    deployment: str = ""
    """The deployment whose version ``build_id`` is; empty for workers without versions."""
    pinned: bool = False
    """Whether the run stays on this version."""
    target_changed: bool = False
    """Whether the processor itself was of another version, and had this one's code beside its own."""
    goes_on: bool = False
    """Whether the step ended because it had asked for so much: the code goes on in the next one, whatever comes."""


# -- outcomes of intents ------------------------------------------------------------------------------------------


class ActivityScheduled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    activity_id: str
    activity_type: str
    queue: str
    args: Payloads = ()
    timeouts: ActivityTimeouts
    retry_policy: RetryPolicy
    cancellation_type: CancellationType = CancellationType.TRY_CANCEL
    headers: Mapping[str, Payload] = {}
    summary: str = ""
    priority: int = 0
    local: bool = False
    local_retry_threshold_ms: int | None = None
    token: bytes = b""
    """Random; the tasks of every attempt carry it, and a report without it is refused."""
    fairness_key: str = ""
    fairness_weight: float = 1.0
    place: str = ""
    """Where in the code it was asked for, as ``file:line in function``: only for people and messages."""
    start_delay_ms: int = 0
    """How long the first attempt is held back. Only activities that clients start have one."""


class ActivityCancelRequested(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op


class TimerStarted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    fire_at_ms: int
    duration_ms: int
    summary: str = ""
    place: str = ""


class TimerCanceled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op


class PatchMarked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The code took the newer way of this patch, and will on every replay."""

    patch_id: str
    deprecated: bool = False
    """The older way is gone from the code; replay does not insist on the call any more."""


class MemoUpserted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``memo`` has what was added or replaced; everything else stays as it was."""

    memo: Mapping[str, Payload] = {}
    removed: tuple[str, ...] = ()


class SearchAttributesUpserted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``search_attributes`` has what was added or replaced; everything else stays as it was."""

    search_attributes: Mapping[str, Payload] = {}
    removed: tuple[str, ...] = ()


class UpdateCompleted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an update's caller is told: the handler's result, or with ``failure`` that it failed."""

    update_id: str
    result: Payload | None = None
    failure: Failure | None = None


class WorkflowCompleted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    result: Payload | None = None
    new_run_id: RunId | None = None
    """The next run of a cron schedule, if one follows."""


class WorkflowFailed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    failure: Failure
    retry_state: RetryState = RetryState.RETRY_POLICY_NOT_SET
    new_run_id: RunId | None = None
    """The next attempt under the workflow's retry policy, or (then ``retry_state`` is not IN_PROGRESS) the next run of
    its cron schedule, if one follows."""


class WorkflowCanceled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    details: Payloads = ()


class WorkflowContinuedAsNew(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    new_run_id: RunId
    workflow_type: str
    queue: str
    args: Payloads = ()
    run_timeout_ms: int | None = None
    task_timeout_ms: int | None = None
    retry_policy: RetryPolicy | None = None
    memo: Mapping[str, Payload] | None = None
    search_attributes: Mapping[str, Payload] | None = None
    headers: Mapping[str, Payload] = {}
    backoff_ms: int = 0
    versioning: str = ""
    """``auto_upgrade`` frees the next run of the version that this one is pinned to; empty hands the pin on."""


# -- ends that nobody's code asked for ----------------------------------------------------------------------------


class WorkflowTerminated(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    reason: str = ""
    details: Payloads = ()
    identity: str = ""


class WorkflowTimedOut(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    retry_state: RetryState = RetryState.TIMEOUT
    new_run_id: RunId | None = None


Outcome = (
    ActivityScheduled
    | ActivityCancelRequested
    | TimerStarted
    | TimerCanceled
    | UpdateCompleted
    | PatchMarked
    | MemoUpserted
    | SearchAttributesUpserted
    | ChildInitiated
    | ChildCancelRequested
    | ExternalSignalSent
    | ExternalCancelSent
    | WorkflowCompleted
    | WorkflowFailed
    | WorkflowCanceled
    | WorkflowContinuedAsNew
)
Closed = (
    WorkflowCompleted
    | WorkflowFailed
    | WorkflowCanceled
    | WorkflowContinuedAsNew
    | WorkflowTerminated
    | WorkflowTimedOut
)
Event = Input | Activated | Outcome | WorkflowTerminated | WorkflowTimedOut


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event at its place in a run's history."""

    seq: Seq
    step: int
    """How many activations the run had had when the event was recorded, this one included."""
    time_ms: int
    event: Event


class History(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run's events from the first, as fetched or loaded from a file."""

    workflow_id: WorkflowId
    run_id: RunId
    events: tuple[Recorded, ...]
