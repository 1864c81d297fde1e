"""Keys of the history topic (and of `executions`): a JSON array that names one entity, so that compaction keeps its latest record.

    ["order-17","6f1c…","e",12]    event 12 of a run
    ["order-17","6f1c…","a",3]     attempt state of the activity that is the run's operation 3
    ["order-17","","d","msg-9"]    what became of message msg-9 (spans runs)
    ["order-17","6f1c…","t"]       why the run does not move
    ["order-17","6f1c…","x"]       the run is being deleted
    ["","","p",7]                  position of partition 7

JSON strings are quoted, so two different names never give the same key. Placement is not here: a record lies on the
partition of its workflow ID, not of its key.
"""

from __future__ import annotations

import contextlib
from enum import IntEnum
from typing import Final

import msgspec

from streamflow.wire.errors import KEY, Undecodable


class EntityKind(IntEnum):
    """What a history record is about. Released numbers never change."""

    EVENT = 1
    ATTEMPT = 2
    DEDUP = 3
    TROUBLE = 4
    DELETING = 5
    POSITION = 6


class HistoryKey(msgspec.Struct, frozen=True, gc=False):
    """A parsed key; what the kind does not use is empty or 0."""

    kind: EntityKind
    workflow_id: str = ""
    run_id: str = ""
    number: int = 0
    """Event's ``seq``, activity's ``op``, or the position's partition."""
    text: str = ""
    """A deduplication entry's message ID."""


_LETTERS: Final = {
    "e": EntityKind.EVENT,
    "a": EntityKind.ATTEMPT,
    "d": EntityKind.DEDUP,
    "t": EntityKind.TROUBLE,
    "x": EntityKind.DELETING,
    "p": EntityKind.POSITION,
}
_NUMBERED: Final = frozenset("eap")
_PLAIN: Final = frozenset("tx")
_encode: Final = msgspec.json.Encoder().encode
_four: Final = msgspec.json.Decoder(tuple[str, str, str, int | str]).decode
_three: Final = msgspec.json.Decoder(tuple[str, str, str]).decode


def event_key(workflow_id: str, run_id: str, seq: int) -> bytes:
    return _encode((workflow_id, run_id, "e", seq))


def attempt_key(workflow_id: str, run_id: str, op: int) -> bytes:
    return _encode((workflow_id, run_id, "a", op))


def dedup_key(workflow_id: str, message_id: str) -> bytes:
    return _encode((workflow_id, "", "d", message_id))


def trouble_key(workflow_id: str, run_id: str) -> bytes:
    return _encode((workflow_id, run_id, "t"))


def deleting_key(workflow_id: str, run_id: str) -> bytes:
    return _encode((workflow_id, run_id, "x"))


def position_key(partition: int) -> bytes:
    return _encode(("", "", "p", partition))


def summary_key(queue: str, workflow_id: str, run_id: str) -> bytes:
    """Key of a run's row in the `executions` feed; a tombstone has nothing else to say which run it is about."""
    return _encode((queue, workflow_id, run_id))


def parse_summary_key(key: bytes) -> tuple[str, str, str]:
    """Queue, workflow ID and run ID.

    Raises:
        Undecodable: the key was not made by this module.
    """
    try:
        return _three(key)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Undecodable(
            KEY, f'Expected a key like ["queue","workflow","run"], found {key[:120]!r}'
        ) from None


def parse_key(key: bytes) -> HistoryKey:
    """The entity that a history record is about.

    Raises:
        Undecodable: the key was not made by this module.
    """
    try:
        # Restoring reads a key for every record, nearly all of them of the first form.
        workflow_id, run_id, letter, last = _four(key)
        if isinstance(last, int):
            if letter in _NUMBERED:
                return HistoryKey(_LETTERS[letter], workflow_id, run_id, last)
        elif letter == "d" and not run_id:
            return HistoryKey(EntityKind.DEDUP, workflow_id, "", 0, last)
    except msgspec.ValidationError:
        with contextlib.suppress(msgspec.DecodeError):
            workflow_id, run_id, letter = _three(key)
            if letter in _PLAIN:
                return HistoryKey(_LETTERS[letter], workflow_id, run_id)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    raise Undecodable(
        KEY, f'Expected a history key like ["workflow","run","e",1], found {key[:120]!r}'
    )
