"""A command on its way through a batch."""

from __future__ import annotations

from typing import Final

from streamflow.model.commands import (
    AwaitResult,
    AwaitUpdate,
    Command,
    ConfirmTasks,
    Envelope,
    FetchHistory,
    FireDue,
    LocalActivityEnded,
    Locate,
    ReplyTo,
)
from streamflow.ports import Record

_OF_WHAT_IS_RECORDED: Final = (AwaitResult, AwaitUpdate, ConfirmTasks, FetchHistory, Locate)


class Work:
    """From an inbox record, or said by the processor itself (then without record, and mostly without envelope)."""

    __slots__ = ("command", "envelope", "record")

    def __init__(
        self,
        command: Command | FireDue | LocalActivityEnded,
        envelope: Envelope | None = None,
        record: Record | None = None,
    ) -> None:
        self.command = command
        self.envelope = envelope
        self.record = record

    @property
    def reply_to(self) -> ReplyTo | None:
        return self.envelope.reply_to if self.envelope else None


def runs_no_code(command: object) -> bool:
    """Whether it is answered from what is recorded. A query runs code, and a description first runs what waits."""
    return isinstance(command, _OF_WHAT_IS_RECORDED)
