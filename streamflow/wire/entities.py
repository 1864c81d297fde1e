"""Everything but events and commands: attempt states, tasks, answers, summaries, directory entries."""

from __future__ import annotations

from typing import TypeVar, get_args

import msgspec

from streamflow.model.answers import Answer, DedupEntry, ExecutionSummary, TakenOver, Trouble
from streamflow.model.audit import AuditEntry
from streamflow.model.processes import ProcessReport
from streamflow.model.queues import QueueEntry
from streamflow.model.settings import NamespaceEntry, SearchAttributeEntry
from streamflow.model.tasks import ActivityTask, Attempt, CancelTask, Deleting, PositionRecord
from streamflow.wire import codec
from streamflow.wire.errors import VALUE, Undecodable

Entity = (
    Attempt
    | DedupEntry
    | Trouble
    | Deleting
    | PositionRecord
    | ExecutionSummary
    | ActivityTask
    | CancelTask
    | QueueEntry
    | TakenOver
    | SearchAttributeEntry
    | NamespaceEntry
    | AuditEntry
    | ProcessReport
)
_T = TypeVar("_T", bound=msgspec.Struct)
_ANSWERS: tuple[type[msgspec.Struct], ...] = get_args(Answer)


def encode(entity: Entity) -> bytes:
    return codec.encode(entity)


def decode_as(cls: type[_T], value: bytes) -> _T:
    """The entity of this class.

    Raises:
        Undecodable: the bytes say something else, or nothing.
    """
    fact = codec.decode(value)
    if not isinstance(fact, cls):
        raise Undecodable(VALUE, f"Expected {cls.__name__}, found {type(fact).__name__}")
    return fact


def decode_attempt(value: bytes) -> Attempt:
    return decode_as(Attempt, value)


def decode_dedup(value: bytes) -> DedupEntry:
    return decode_as(DedupEntry, value)


def decode_trouble(value: bytes) -> Trouble:
    return decode_as(Trouble, value)


def decode_deleting(value: bytes) -> Deleting:
    return decode_as(Deleting, value)


def decode_position(value: bytes) -> PositionRecord:
    return decode_as(PositionRecord, value)


def decode_summary(value: bytes) -> ExecutionSummary:
    return decode_as(ExecutionSummary, value)


def decode_task(value: bytes) -> ActivityTask:
    return decode_as(ActivityTask, value)


def decode_cancel_task(value: bytes) -> CancelTask:
    return decode_as(CancelTask, value)


def decode_queue(value: bytes) -> QueueEntry:
    return decode_as(QueueEntry, value)


def decode_taken_over(value: bytes) -> TakenOver:
    return decode_as(TakenOver, value)


def encode_answer(answer: Answer) -> bytes:
    return codec.encode(answer)


def decode_answer(value: bytes) -> Answer:
    """What a caller is told.

    Raises:
        Undecodable: the bytes say something else, or nothing.
    """
    fact = codec.decode(value)
    if not isinstance(fact, _ANSWERS):
        raise Undecodable(VALUE, f"Expected an answer, found {type(fact).__name__}")
    return fact  # type: ignore[return-value]  # the members of Answer, by construction
