"""A command on its way through a batch."""

from __future__ import annotations

from streamflow.model.commands import Command, Envelope, FireDue, LocalActivityEnded, ReplyTo
from streamflow.ports import Record


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
