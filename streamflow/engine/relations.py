"""What a run knows of its children and of its messages to other runs. Folds their events; total, like `apply`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from streamflow.model.events import Recorded
from streamflow.model.ids import Op, RunId
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

if TYPE_CHECKING:
    from streamflow.engine.state import Run

RelationEvent = (
    ChildInitiated
    | ChildStarted
    | ChildStartFailed
    | ChildCancelRequested
    | ChildCancelDelivered
    | ChildClosed
    | ExternalSignalSent
    | ExternalCancelSent
    | ExternalAnswered
)


@dataclass(slots=True)
class PendingChild:
    """A child whose chain of runs has not ended yet."""

    seq: int
    initiated_ms: int
    initiated: ChildInitiated
    run_id: RunId | None = None
    """Its first run; ``None`` until its queue has said that it started."""
    started_ms: int = 0
    cancel_requested: bool = False
    cancel_delivered: bool = False


@dataclass(slots=True)
class PendingMessage:
    """A signal or a request to cancel whose outcome is not known yet."""

    seq: int
    sent: ExternalSignalSent | ExternalCancelSent


def began(run: Run, seq: int) -> RunId:
    """The run that this event of a run's history first happened to: the run itself, or one that it is a copy of."""
    for copied in run.start.copied:
        if seq <= copied.length:
            return RunId(copied.run_id)
    return run.run_id


def is_own(run: Run, run_id: str, op: Op) -> bool:
    """Whether what this run began by this operation with another workflow is now the given run's, which is a copy of it."""
    pending = run.children.get(op) or run.messages.get(op)
    return pending is not None and any(
        copied.run_id == run_id and pending.seq <= copied.length for copied in run.start.copied
    )


def apply_relation(run: Run, recorded: Recorded, event: RelationEvent) -> None:
    """Changes the draft it is given; only a commit makes the draft real."""
    match event:
        case ChildInitiated():
            run.children[event.op] = PendingChild(recorded.seq, recorded.time_ms, event)
        case ChildStarted():
            child = run.children[event.op]
            child.run_id, child.started_ms = event.child_run_id, recorded.time_ms
            run.waiting.append(recorded)
        case ChildCancelRequested():
            run.children[event.op].cancel_requested = True
        case ChildCancelDelivered():
            run.children[event.op].cancel_delivered = True
            run.waiting.append(recorded)
        case ChildStartFailed() | ChildClosed():
            del run.children[event.op]
            run.waiting.append(recorded)
        case ExternalSignalSent() | ExternalCancelSent():
            run.messages[event.op] = PendingMessage(recorded.seq, event)
        case ExternalAnswered():
            del run.messages[event.op]
            run.waiting.append(recorded)
        case _:
            assert_never(event)
