"""The public HTTP API's words for dead letters. Values are as they came, in base64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from streamflow.dead_letters import Letter, LetterId, Outcome, State
from streamflow.ports import Record

IDS_MAX = 80
"""Letters of one request: so many an audit entry has room to name."""
PAGE_MAX = 1_000


class LetterBody(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter without its value. ``topic`` is empty where nothing says where the record was."""

    id: str
    """``PARTITION/OFFSET`` in the dead-letter topic."""
    reason: str
    stage: str
    message: str
    workflow_id: str
    topic: str
    partition: int
    offset: int
    time_ms: int
    value_bytes: int
    has_value: bool
    whole_bytes: int = 0
    first: str | None = None
    """The letter that was re-driven and became this one."""
    state: str = State.OPEN.value
    marked_ms: int = 0

    @staticmethod
    def of(letter: Letter) -> LetterBody:
        return LetterBody(
            id=str(letter.id),
            reason=letter.reason.value,
            stage=letter.stage,
            message=letter.message,
            workflow_id=letter.workflow_id,
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            time_ms=letter.time_ms,
            value_bytes=letter.value_bytes,
            has_value=letter.has_value,
            whole_bytes=letter.whole_bytes,
            first=None if letter.first is None else str(letter.first),
            state=letter.state.value,
            marked_ms=letter.marked_ms,
        )

    def letter(self) -> Letter:
        return Letter(
            id=LetterId.parse(self.id),
            topic=self.topic,
            partition=self.partition,
            offset=self.offset,
            stage=self.stage,
            message=self.message,
            workflow_id=self.workflow_id,
            time_ms=self.time_ms,
            value_bytes=self.value_bytes,
            has_value=self.has_value,
            whole_bytes=self.whole_bytes,
            first=None if self.first is None else LetterId.parse(self.first),
            state=State(self.state),
            marked_ms=self.marked_ms,
        )


class LettersBody(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list of dead letters, newest first."""

    letters: tuple[LetterBody, ...]
    count: int
    """How many the filters find in all."""
    next_page_token: str = ""


class LetterHeaderBody(msgspec.Struct, frozen=True, kw_only=True):
    """A header of the letter's record; some have no value."""

    name: str
    value: bytes | None = None


class WholeLetterBody(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter with its record, what that says where it can be read, and what to do about it."""

    letter: LetterBody
    key: bytes | None
    value: bytes | None
    headers: tuple[LetterHeaderBody, ...]
    advice: str
    reads_as: str = ""
    """The command or task that it is; empty where nothing can read it."""
    fields: Mapping[str, Any] = {}
    """The fields of that which are set."""

    @staticmethod
    def of(
        letter: Letter, record: Record, said: tuple[str, Mapping[str, Any]] | None, advice: str
    ) -> WholeLetterBody:
        headers = tuple(LetterHeaderBody(name=name, value=value) for name, value in record.headers)
        return WholeLetterBody(
            letter=LetterBody.of(letter),
            key=record.key,
            value=record.value,
            headers=headers,
            advice=advice,
            reads_as="" if said is None else said[0],
            fields={} if said is None else said[1],
        )


class RedriveLettersBody(msgspec.Struct, frozen=True, kw_only=True):
    """Sends these letters once more to the topics that they came from. All must be there, or none is sent."""

    ids: tuple[str, ...]
    key: str | None = None
    """The workflow ID to send them to instead of their own."""
    again: bool = False
    """Also those that were re-driven or put away before."""
    dry_run: bool = False
    """Send nothing; say what would be sent."""


class RedrivenLetterBody(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one letter."""

    id: str
    to: str = ""
    """``topic/partition`` that it was sent to; empty where it was not."""
    refusal: str = ""
    """Why not, and what to do."""

    @staticmethod
    def of(outcome: Outcome) -> RedrivenLetterBody:
        sent = outcome.record
        return RedrivenLetterBody(
            id=str(outcome.letter.id),
            to="" if sent is None else f"{sent.topic}/{sent.partition}",
            refusal=outcome.refusal,
        )


class RedrivenLettersBody(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of the log."""

    outcomes: tuple[RedrivenLetterBody, ...]


class PurgeLettersBody(msgspec.Struct, frozen=True, kw_only=True):
    """Puts those of these letters away that are open. All must be there, or none is put away."""

    ids: tuple[str, ...]
    dry_run: bool = False
    """Mark nothing; say which would be put away."""


class PurgedLettersBody(msgspec.Struct, frozen=True, kw_only=True):
    """The letters that were put away, as they were before."""

    letters: tuple[LetterBody, ...]
    closed_below: Mapping[str, int]
    """For each ``topic/partition`` the offset below which no letter is open: these records may be deleted for good."""
