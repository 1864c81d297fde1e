"""A run as its events left it: a draft that only a commit makes real. Owned by one thread, changed only by `apply`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamflow.engine.relations import PendingChild, PendingMessage
from streamflow.model.activity_options import ActivityOptions
from streamflow.model.answers import Trouble
from streamflow.model.events import (
    ActivityScheduled,
    Closed,
    Recorded,
    WorkflowCanceled,
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTerminated,
    WorkflowTimedOut,
)
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.model.payload import Payload
from streamflow.model.tasks import Attempt

STATUS_OF: dict[type, Status] = {
    WorkflowCompleted: Status.COMPLETED,
    WorkflowFailed: Status.FAILED,
    WorkflowCanceled: Status.CANCELED,
    WorkflowContinuedAsNew: Status.CONTINUED_AS_NEW,
    WorkflowTerminated: Status.TERMINATED,
    WorkflowTimedOut: Status.TIMED_OUT,
}
"""The status that each closing event leaves a run in."""


@dataclass(slots=True)
class PendingActivity:
    """An activity without an end. ``attempt`` is its latest attempt state, whether or not a record of it exists."""

    seq: int
    scheduled_ms: int
    scheduled: ActivityScheduled
    attempt: Attempt
    recorded: bool = False
    """Whether the history holds an attempt record, which the activity's end must then take away."""
    cancel_requested: bool = False

    @property
    def options(self) -> ActivityScheduled | ActivityOptions:
        """Queue, limits, retry policy and priority as they are now: an operator may have changed them."""
        return self.attempt.options or self.scheduled

    @property
    def token(self) -> bytes:
        """What the present attempt's task carries, and a report on it must."""
        token, epoch = self.scheduled.token, self.attempt.epoch
        return token + epoch.to_bytes(4, "big") if epoch else token


@dataclass(slots=True)
class PendingTimer:
    seq: int
    fire_at_ms: int
    summary: str


@dataclass(slots=True)
class Update:
    """An update that was accepted, by where its events are: outcomes stay in the history."""

    accepted_seq: int
    completed_seq: int = 0
    """0 as long as its handler is at work."""


@dataclass(slots=True)
class Run:
    """Everything that deciding needs to know of one run. Folded from its events and latest attempt records."""

    workflow_id: WorkflowId
    run_id: RunId
    status: Status = Status.RUNNING
    started: WorkflowStarted | None = None
    started_ms: int = 0
    closed: Closed | None = None
    closed_ms: int = 0
    last_seq: int = 0
    last_time_ms: int = 0
    step: int = 0
    activities: dict[Op, PendingActivity] = field(default_factory=dict[Op, PendingActivity])
    timers: dict[Op, PendingTimer] = field(default_factory=dict[Op, PendingTimer])
    children: dict[Op, PendingChild] = field(default_factory=dict[Op, PendingChild])
    messages: dict[Op, PendingMessage] = field(default_factory=dict[Op, PendingMessage])
    waiting: list[Recorded] = field(default_factory=list[Recorded])
    """Inputs that no activation has consumed yet, in order."""
    updates: dict[str, Update] = field(default_factory=dict[str, Update])
    """Every update ever accepted, by its ID; also after the run's close."""
    updates_at_work: int = 0
    cancel_requested: bool = False
    goes_on: bool = False
    """Whether the code has still to run although nothing waits: its last step was full."""
    flags: int = 0
    memo: Mapping[str, Payload] = field(default_factory=dict[str, Payload])
    """As it stands now: the start's, with what the code upserted since."""
    search_attributes: Mapping[str, Payload] = field(default_factory=dict[str, Payload])
    patches: tuple[str, ...] = ()
    """Patches whose newer way the code has taken, in that order."""
    version: str = ""
    """The worker version of the latest step, as ``deployment.build``; empty for workers without versions."""
    pinned: bool = False
    """Whether only that version may run the code."""
    trouble: Trouble | None = None
    deadlines: list[tuple[int, int, int, int]] = field(
        default_factory=list[tuple[int, int, int, int]]
    )
    """A heap of (due, seq, kind, op), kept by `deadlines`; an entry may be stale."""

    @property
    def open(self) -> bool:
        return self.closed is None

    @property
    def start(self) -> WorkflowStarted:
        assert self.started is not None, self.run_id  # every fold begins with it
        return self.started

    @property
    def successor_id(self) -> RunId | None:
        """The run that follows this closed one in its chain, if one does."""
        match self.closed:
            case (
                WorkflowCompleted()
                | WorkflowContinuedAsNew()
                | WorkflowFailed()
                | WorkflowTimedOut()
            ):
                return self.closed.new_run_id
            case _:
                return None
