"""A dead letter as its headers tell it.

Letters are ours, or those that other tools wrote in Kafka Connect's or Kafka Streams' names.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

import msgspec

from streamflow.ports import Headers, Record
from streamflow.wire import errors
from streamflow.wire.envelope import text_headers
from streamflow.wire.inbox import REDRIVEN, TRUNCATED

CONNECT: Final = "__connect.errors."
STREAMS: Final = "__streams.errors."
OF_LETTERS: Final = (CONNECT, STREAMS)
"""Prefixes of the headers that make a record a letter."""

_ACTIVITIES: Final = ".activities"


class LetterId(NamedTuple):
    """Where the letter is in the dead-letter topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> LetterId:
        """Raises ValueError for anything but PARTITION/OFFSET."""
        partition, slash, offset = text.partition("/")
        if slash and _is_number(partition) and _is_number(offset):
            return cls(int(partition), int(offset))
        raise ValueError(f"Expected a letter's ID such as 0/17, found {text!r}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


class State(Enum):
    """What became of a letter."""

    OPEN = "open"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


class Reason(Enum):
    """Why a record became a letter, in one word."""

    UNREADABLE = "unreadable"
    """Its key, headers or value say nothing that could be done."""
    ADDRESS = "address"
    """Nobody of that name takes it, and nobody waits for the answer."""
    PLACEMENT = "placement"
    """It was on a partition where its workflow does not live, and could not be passed on."""
    ENGINE = "engine"
    """streamflow could not go on with its workflow."""
    QUARANTINED = "quarantined"
    """Its workflow's history is broken, and is left alone until somebody mends that."""
    QUOTA = "quota"
    """A start that nobody awaited, over a quota of its queue."""
    OTHER = "other"
    """Another program's letter."""


_REASONS: Final = {
    errors.KEY: Reason.UNREADABLE,
    errors.VALUE: Reason.UNREADABLE,
    errors.HEADER: Reason.UNREADABLE,
    "address": Reason.ADDRESS,
    "placement": Reason.PLACEMENT,
    "engine": Reason.ENGINE,
    "quarantined": Reason.QUARANTINED,
    "quota": Reason.QUOTA,
}


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter without its value, which may be large: `reading.read_letters` reads that again."""

    id: LetterId
    topic: str
    """Where the record was when it could not be taken; empty if nothing says so. Partition and offset are -1 then."""
    partition: int
    offset: int
    stage: str
    message: str
    """What was expected and what was found."""
    workflow_id: str
    """As its key says; empty where the key is none."""
    time_ms: int
    value_bytes: int
    has_value: bool
    whole_bytes: int = 0
    """Size of the record that this is only the beginning of; 0 where it is whole."""
    first: LetterId | None = None
    """The letter that was re-driven and became this one."""
    state: State = State.OPEN
    marked_ms: int = 0
    """When its state was set."""

    @property
    def reason(self) -> Reason:
        return _REASONS.get(self.stage, Reason.OTHER)

    @property
    def source(self) -> str:
        """``topic/partition/offset`` of the record."""
        return f"{self.topic}/{self.partition}/{self.offset}" if self.topic else ""


def parse_letter(record: Record) -> Letter:
    """What the record's headers say; a record without such headers is a letter of which nothing is known."""
    headers = text_headers(record.headers)
    topic = _said(headers, "topic")
    return Letter(
        id=LetterId(record.partition, record.offset),
        topic=topic,
        partition=_number(_said(headers, "partition")) if topic else -1,
        offset=_number(_said(headers, "offset")) if topic else -1,
        stage=headers.get(CONNECT + "stage", ""),
        message=headers.get(CONNECT + "exception.message") or headers.get(STREAMS + "message", ""),
        workflow_id=_workflow_id(record.key, topic),
        time_ms=record.timestamp_ms,
        value_bytes=len(record.value or b""),
        has_value=record.value is not None,
        whole_bytes=max(0, _number(headers.get(TRUNCATED, "0"))),
        first=_first(headers.get(REDRIVEN, "")),
    )


def original(letter: Letter, record: Record) -> Record:
    """The record as it came, at the place where it was."""
    return msgspec.structs.replace(
        record,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        headers=without_marks_of_letters(record.headers),
    )


def without_marks_of_letters(headers: Headers) -> Headers:
    return tuple(
        header
        for header in headers
        if not header[0].startswith(OF_LETTERS) and header[0] != TRUNCATED
    )


def _said(headers: dict[str, str], name: str) -> str:
    return headers.get(CONNECT + name) or headers.get(STREAMS + name, "")


def _number(text: str) -> int:
    return int(text) if _is_number(text) else -1


def _first(text: str) -> LetterId | None:
    try:
        return LetterId.parse(text)
    except ValueError:
        return None


def _workflow_id(key: bytes | None, topic: str) -> str:
    """An inbox record's key is the workflow ID; a task's is a JSON array that begins with it."""
    if not key:
        return ""
    if topic.endswith(_ACTIVITIES):
        try:
            workflow_id, _ = msgspec.json.decode(key, type=tuple[str, str])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""
        return workflow_id
    try:
        return key.decode()
    except UnicodeDecodeError:
        return ""
