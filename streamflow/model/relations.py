"""What runs say to and of other runs: children that they start, runs that they signal or cancel, and what comes back.

    StartChild      -> ChildInitiated      ~> StartWorkflow          in the child's inbox
                       ChildStarted        <~ ReportChild STARTED    or ChildStartFailed <~ REFUSED
    CancelChild     -> ChildCancelRequested ~> CancelWorkflow        ChildCancelDelivered <~ CANCEL_DELIVERED, where waited for
                       ChildClosed         <~ ReportChild CLOSED     at the end of the child's chain of runs
    SignalExternal  -> ExternalSignalSent  ~> SignalWorkflow         ExternalAnswered <~ ReportExternal
    CancelExternal  -> ExternalCancelSent  ~> CancelWorkflow         ExternalAnswered <~ ReportExternal

Intents become events, events become commands in other inboxes (``~>``) in the same transaction; reports come back the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from streamflow.model.failure import Failure, RetryState
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.options import IdConflictPolicy, IdReusePolicy, RetryPolicy, Status
from streamflow.model.payload import Payload, Payloads


class ParentClosePolicy(Enum):
    """What becomes of a child when the run that started it ends, by continuing as new too."""

    TERMINATE = "terminate"
    ABANDON = "abandon"
    REQUEST_CANCEL = "request_cancel"


class ChildCancellationType(Enum):
    """What cancelling an awaited child waits for."""

    ABANDON = "abandon"
    TRY_CANCEL = "try_cancel"
    WAIT_CANCELLATION_COMPLETED = "wait_cancellation_completed"
    WAIT_CANCELLATION_REQUESTED = "wait_cancellation_requested"


class StartRefusal(Enum):
    """Why a child was not started."""

    ALREADY_STARTED = "already_started"
    NO_SUCH_QUEUE = "no_such_queue"
    INVALID = "invalid"


class ChildOptions(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a child is to be started, and what becomes of it with its parent."""

    id_reuse_policy: IdReusePolicy = IdReusePolicy.ALLOW_DUPLICATE
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.TERMINATE
    cancellation_type: ChildCancellationType = ChildCancellationType.WAIT_CANCELLATION_COMPLETED
    execution_timeout_ms: int | None = None
    run_timeout_ms: int | None = None
    task_timeout_ms: int | None = None
    retry_policy: RetryPolicy | None = None
    cron_schedule: str = ""
    memo: Mapping[str, Payload] = {}
    search_attributes: Mapping[str, Payload] = {}
    static_summary: str = ""
    static_details: str = ""
    priority: int = 0
    last_result: Payloads = ()
    """What the child is told of the run before it, where one takes its turn after another: by a schedule."""
    last_failure: Failure | None = None
    fairness_key: str = ""
    fairness_weight: float = 1.0


class Target(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The run that a message of another run is for. Without ``run_id`` it is the workflow's latest."""

    workflow_id: WorkflowId
    run_id: RunId | None = None
    queue: str = ""
    """Empty: wherever the workflow is found, the sender's own queue first."""
    child_op: Op | None = None
    """Only if it is the child that the sender started by this operation."""


class TargetStart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a workflow that is signalled is to be started, if it is not open."""

    workflow_type: str
    options: ChildOptions
    args: Payloads = ()
    id_conflict_policy: IdConflictPolicy = IdConflictPolicy.USE_EXISTING
    start_delay_ms: int = 0


# -- intents -------------------------------------------------------------------------------------------------------


class StartChild(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``queue`` empty is the parent's own."""

    op: Op
    workflow_id: WorkflowId
    workflow_type: str
    queue: str = ""
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    options: ChildOptions = ChildOptions()
    place: str = ""


class CancelChild(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    reason: str = ""


class SignalExternal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    target: Target
    signal_name: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    start: TargetStart | None = None
    """Starts the workflow with the signal; the target then names its queue."""
    place: str = ""


class CancelExternal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    target: Target
    reason: str = ""
    place: str = ""


# -- outcomes of intents -------------------------------------------------------------------------------------------


class ChildInitiated(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The child's start is on its way to its queue."""

    op: Op
    child_workflow_id: WorkflowId
    workflow_type: str
    queue: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    options: ChildOptions
    place: str = ""
    """Where in the code it was asked for, as ``module:line in function``: only for people and messages."""


class ChildCancelRequested(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    reason: str = ""


class ExternalSignalSent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The signal is on its way."""

    op: Op
    target: Target
    signal_name: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    start: TargetStart | None = None
    place: str = ""


class ExternalCancelSent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The request to cancel is on its way."""

    op: Op
    target: Target
    reason: str = ""
    place: str = ""


# -- inputs --------------------------------------------------------------------------------------------------------


class ChildStarted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    child_run_id: RunId


class ChildStartFailed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """There will be no child of this operation."""

    op: Op
    refusal: StartRefusal
    message: str = ""
    taken_by: RunId | None = None
    """The run that has the ID, if one does."""


class ChildCancelDelivered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The child was asked to stop, or had ended before."""

    op: Op


class ChildClosed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The last run of the child's chain ended."""

    op: Op
    child_run_id: RunId
    status: Status
    result: Payload | None = None
    failure: Failure | None = None
    """What it ended with, unless it completed."""
    retry_state: RetryState | None = None


class ExternalAnswered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of a signal or a request to cancel; no failure: it was recorded in the target's history."""

    op: Op
    failure: Failure | None = None
    target_run_id: RunId | None = None
    """The run that it was recorded in, where a start came with it."""


# -- what comes back, as commands ----------------------------------------------------------------------------------


class ChildNews(Enum):
    """What a child's queue has to say of it."""

    STARTED = "started"
    REFUSED = "refused"
    CANCEL_DELIVERED = "cancel_delivered"
    CLOSED = "closed"


class ReportChild(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """News of a child, for the run that started it."""

    workflow_id: WorkflowId
    run_id: RunId
    op: Op
    news: ChildNews
    child_run_id: RunId | None = None
    refusal: StartRefusal | None = None
    message: str = ""
    status: Status | None = None
    result: Payload | None = None
    failure: Failure | None = None
    retry_state: RetryState | None = None


class ReportExternal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of a message that a run sent to another."""

    workflow_id: WorkflowId
    run_id: RunId
    op: Op
    failure: Failure | None = None
    target_run_id: RunId | None = None


class Chain(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """In a start: the chain of runs that it goes on with on this queue, having begun on another one."""

    run_id: RunId
    """Of the run to begin: its predecessor has named it."""
    first_run_id: RunId
    continued_from: RunId
    attempt: int = 1
    backoff_ms: int = 0
    execution_deadline_ms: int | None = None
    last_result: Payloads = ()
    last_failure: Failure | None = None
    pinned_to: str = ""
