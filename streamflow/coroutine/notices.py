"""What an instance has to tell whoever keeps the logs. Never told again on replay."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from streamflow.model.ids import RunId, WorkflowId


class NoticeKind(Enum):
    SIGNAL_DROPPED = "signal_dropped"
    """Its arguments could not be decoded. ``text`` is its name."""
    UNFINISHED_HANDLERS = "unfinished_handlers"
    """The run ended while handlers were at work. ``text`` names them."""
    UNHANDLED_ERROR = "unhandled_error"
    """A task failed and nobody awaited it."""


class Notice(NamedTuple):
    kind: NoticeKind
    workflow_id: WorkflowId
    run_id: RunId
    text: str
    exception: BaseException | None = None


def ignore(notice: Notice) -> None:
    """The default: nobody keeps logs."""
