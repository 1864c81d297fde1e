"""What callers, workers and other runs ask of a workflow. A command may be refused; an event may not.

Every command travels in its queue's inbox, keyed by workflow ID. Who asks and where the answer goes is the envelope's
business (`Envelope`), not the command's.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from streamflow.model.activity_options import OptionsChange
from streamflow.model.control import ControlWorkflow, ResetWorkflow
from streamflow.model.failure import Failure
from streamflow.model.ids import MessageId, Op, RunId, WorkflowId
from streamflow.model.options import IdConflictPolicy, IdReusePolicy, Parent, RetryPolicy
from streamflow.model.payload import Payload, Payloads
from streamflow.model.relations import Chain, ReportChild, ReportExternal


class ReplyTo(msgspec.Struct, frozen=True, gc=False):
    """Where an answer goes: a partition of a replies topic, and the caller's number for the request."""

    topic: str
    partition: int
    request_id: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every command carries beside its body."""

    message_id: MessageId
    """Given by the sender, else ``topic/partition/offset`` of the record's first arrival."""
    reply_to: ReplyTo | None = None
    trace_parent: str = ""


class WaitFor(Enum):
    """Which answer a start wants: that it was accepted, or the run's result."""

    ACCEPTED = "accepted"
    RESULT = "result"


class FromRun(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """In a message of one run to another: who sent it, and what is to become of it where there is no such target."""

    sender: Parent
    """The sending run, and the operation that is to be told of the outcome."""
    answers: bool = True
    """Whether the sender is told at all."""
    child_op: Op | None = None
    """Only for the child that the sender started by this operation."""
    started_by: str = ""
    """The run that started the child, where the sender's history is a copy of that run's; empty where it is the sender."""
    seeks: bool = False
    """Whether another queue is to be tried where this one does not know the workflow."""
    tried: tuple[str, ...] = ()
    """Queues that do not know it."""


class StartWorkflow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Asks for a run; with ``signal_name`` set also delivers that signal, to the open run if there is one."""

    workflow_id: WorkflowId
    workflow_type: str
    args: Payloads = ()
    id_reuse_policy: IdReusePolicy = IdReusePolicy.ALLOW_DUPLICATE
    id_conflict_policy: IdConflictPolicy = IdConflictPolicy.FAIL
    retry_policy: RetryPolicy | None = None
    execution_timeout_ms: int | None = None
    run_timeout_ms: int | None = None
    task_timeout_ms: int | None = None
    start_delay_ms: int = 0
    cron_schedule: str = ""
    memo: Mapping[str, Payload] = {}
    search_attributes: Mapping[str, Payload] = {}
    headers: Mapping[str, Payload] = {}
    static_summary: str = ""
    static_details: str = ""
    signal_name: str = ""
    signal_args: Payloads = ()
    parent: Parent | None = None
    version_override: str = ""
    """As `WorkflowStarted.version_override`."""
    identity: str = ""
    wait_for: WaitFor = WaitFor.ACCEPTED
    chain: Chain | None = None
    """Set where a run of another queue continues on this one."""
    priority: int = 0
    """1 is first, 5 is last, 0 is unset."""
    origin: FromRun | None = None
    """Set where another run signals the workflow with this start."""
    last_result: Payloads = ()
    """Of the run of the schedule before this one; within a chain, `Chain` has it."""
    last_failure: Failure | None = None
    fairness_key: str = ""
    fairness_weight: float = 1.0


class SignalWorkflow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    workflow_id: WorkflowId
    run_id: RunId | None = None
    signal_name: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    identity: str = ""
    origin: FromRun | None = None
    """Set where another run sent it."""


class UpdateStage(Enum):
    """How far an update must have come before its caller is answered."""

    ACCEPTED = "accepted"
    COMPLETED = "completed"


class UpdateWorkflow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Asks a run's code to change something and answer. Its validator may refuse before anything is recorded.

    An ID names one update of a run: a second one of the same ID is answered from the first.
    """

    workflow_id: WorkflowId
    run_id: RunId | None = None
    first_run_id: RunId | None = None
    update_id: str
    update_name: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    identity: str = ""
    wait_for: UpdateStage = UpdateStage.COMPLETED


class UpdateWithStart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An update of the open run, or of one that is started for it, as the start's policies say."""

    workflow_id: WorkflowId
    start: StartWorkflow
    update: UpdateWorkflow


class AwaitUpdate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Long poll for an update's outcome; the caller renews it."""

    workflow_id: WorkflowId
    run_id: RunId | None = None
    update_id: str


class QueryWorkflow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Reads a run's state through its code; also answered for closed runs while they are retained."""

    workflow_id: WorkflowId
    run_id: RunId | None = None
    query_name: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    reject_condition: str = "none"
    """``none``, ``not_open`` or ``not_completed_cleanly``."""


class CancelWorkflow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    workflow_id: WorkflowId
    run_id: RunId | None = None
    first_run_id: RunId | None = None
    reason: str = ""
    identity: str = ""
    origin: FromRun | None = None


class TerminateWorkflow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    workflow_id: WorkflowId
    run_id: RunId | None = None
    first_run_id: RunId | None = None
    reason: str = ""
    details: Payloads = ()
    identity: str = ""
    origin: FromRun | None = None


class DescribeWorkflow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    workflow_id: WorkflowId
    run_id: RunId | None = None


class AwaitResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Long poll for a run's end: answered when it closes; the caller renews it."""

    workflow_id: WorkflowId
    run_id: RunId | None = None


class FetchHistory(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Reads a page of a run's events, from ``after_seq`` exclusive."""

    workflow_id: WorkflowId
    run_id: RunId | None = None
    after_seq: int = 0
    bytes_max: int = 512_000


class Locate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Asks whether this queue knows the workflow; the only command that is ever broadcast."""

    workflow_id: WorkflowId
    run_id: RunId | None = None


class TaskRef(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Names one attempt of one activity. The token proves that the sender was given the task.

    With an ``activity_id`` it names the present attempt of that activity instead, whichever it is; an empty ``run_id`` is
    then the workflow's latest run.
    """

    run_id: RunId
    op: Op
    attempt: int
    token: bytes
    activity_id: str = ""


class ActivityOutcome(Enum):
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class ReportActivity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An attempt's end, from the worker that ran it."""

    workflow_id: WorkflowId
    task: TaskRef
    outcome: ActivityOutcome
    result: Payload | None = None
    failure: Failure | None = None
    identity: str = ""
    heartbeat_details: Payloads | None = None
    """How far a failed attempt came, for the next one; ``None`` keeps what was reported before."""


class StartActivity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A worker announces that an attempt began; timeouts count from ``started_ms`` (the worker's clock)."""

    workflow_id: WorkflowId
    task: TaskRef
    started_ms: int
    identity: str = ""
    control: ReplyTo | None = None
    """Where to push a cancellation."""


class HeartbeatActivity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    workflow_id: WorkflowId
    task: TaskRef
    details: Payloads = ()
    identity: str = ""


class ActivityControl(Enum):
    """What an operator does to a pending activity."""

    PAUSE = "pause"
    UNPAUSE = "unpause"
    RESET = "reset"
    UPDATE_OPTIONS = "update_options"


class ControlActivity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An operator's hand on pending activities of a run: the one with this ID, else all of this type."""

    workflow_id: WorkflowId
    run_id: RunId | None = None
    activity_id: str = ""
    activity_type: str = ""
    control: ActivityControl
    reason: str = ""
    identity: str = ""
    reset_attempts: bool = False
    """Unpausing only: counts attempts from 1 again. A reset always does."""
    reset_heartbeat: bool = False
    """Forgets the heartbeat details too, so that the next attempt finds none."""
    keep_paused: bool = False
    """Resetting only: what is paused stays so."""
    options: OptionsChange | None = None
    """Updating options only: what is changed."""
    restore_options: bool = False
    """Resetting or updating options: first, all options are again as the activity was scheduled with."""


class ConfirmTasks(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A worker asks which of these tasks are still pending. All belong to one inbox partition."""

    workflow_id: WorkflowId
    """Of the first task; it places the record."""
    tasks: tuple[tuple[WorkflowId, TaskRef], ...]


class FireDue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something of this run is due. Made by the timer scan, never read from an inbox."""

    workflow_id: WorkflowId
    run_id: RunId
    retry: bool = False
    """Tries a stuck run at once, whatever its backoff says: there may be new code."""


class LocalActivityEnded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A local activity's end. Made by the processor itself, never read from an inbox."""

    workflow_id: WorkflowId
    run_id: RunId
    op: Op
    attempt: int
    token: bytes
    """The task's: an aborted batch may begin the same attempt again with other arguments."""
    outcome: ActivityOutcome
    result: Payload | None = None
    failure: Failure | None = None


Command = (
    StartWorkflow
    | SignalWorkflow
    | UpdateWorkflow
    | UpdateWithStart
    | AwaitUpdate
    | QueryWorkflow
    | CancelWorkflow
    | TerminateWorkflow
    | DescribeWorkflow
    | AwaitResult
    | FetchHistory
    | Locate
    | ReportActivity
    | StartActivity
    | HeartbeatActivity
    | ControlActivity
    | ControlWorkflow
    | ResetWorkflow
    | ConfirmTasks
    | ReportChild
    | ReportExternal
)
"""What an inbox record may hold."""

InternalCommand = FireDue | LocalActivityEnded
"""What only the processor itself says."""


class Received(msgspec.Struct, frozen=True, gc=False):
    """One inbox record, decoded."""

    envelope: Envelope
    command: Command
