"""A summary of the feed as rows of the tables: plain tuples in the order of the tables' columns, as many are written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import msgspec

from streamflow.converter import decode_search_attributes
from streamflow.model.answers import ExecutionSummary
from streamflow.model.payload import Payload
from streamflow.schedules.facts import SCHEDULES_QUEUE
from streamflow.visibility.catalog import Kind
from streamflow.visibility.tables import ROW_BYTES
from streamflow.visibility.words import KEYWORD_CHARS_MAX, clean, keyword, words

ExecutionRow = tuple[Any, ...]
AttributeRow = tuple[bytes, str, int, str, str | None, int | None, float | None]
"""Row, attribute, place, scope, word, number, real."""

START_BYTES: Final = 6
START_MS_MAX: Final = 2 ** (8 * START_BYTES) - 1
NAME_CHARS_MAX: Final = 200
"""Of a search attribute that filters find; it is part of every index entry."""

_KINDS: Final = {
    kind.value.encode(): kind for kind in Kind if kind not in (Kind.STATUS, Kind.DURATION)
}
_decode: Final = msgspec.json.Decoder[object](object).decode


def scope_of(namespace: str, queue: str) -> str:
    """Users' runs and the engine's own are two scopes, so that a list of the ones never meets the others."""
    return engine_scope(namespace) if queue == SCHEDULES_QUEUE else namespace


def engine_scope(namespace: str) -> str:
    """No namespace has a colon in its name."""
    return f"{namespace}:engine"


def row_id(namespace: str, summary: ExecutionSummary) -> bytes:
    """Names a run's rows and sorts them by their start. It stays the same, as a run starts once."""
    mark = row_mark(namespace, summary.queue, summary.workflow_id, summary.run_id)
    return start_bytes(summary.started_ms) + mark


def row_mark(namespace: str, queue: str, workflow_id: str, run_id: str) -> bytes:
    """The hash in it: all that is known of a run that was deleted. The parts are told apart by their lengths."""
    digest = blake2b(digest_size=ROW_BYTES - START_BYTES)
    for part in (namespace, queue, workflow_id, run_id):
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return digest.digest()


def start_bytes(started_ms: int) -> bytes:
    """As rows begin; times before 1970 and after 10,000 count as those."""
    return min(max(started_ms, 0), START_MS_MAX).to_bytes(START_BYTES, "big")


def execution_row(
    row: bytes, namespace: str, summary: ExecutionSummary, value: bytes
) -> ExecutionRow:
    """In the order of the columns of `executions`."""
    execution_ms = summary.execution_ms or summary.started_ms
    closed_ms = summary.closed_ms
    return (
        row,
        scope_of(namespace, summary.queue),
        *_texts(summary),
        summary.status.value,
        summary.started_ms,
        execution_ms,
        closed_ms or None,
        max(0, closed_ms - execution_ms) if closed_ms else None,
        summary.updated_ms,
        summary.history_length,
        summary.history_bytes,
        summary.pending_activities,
        summary.max_attempt,
        summary.next_retry_ms or None,
        value,
    )


def _texts(summary: ExecutionSummary) -> tuple[str | None, ...]:
    found = (
        summary.queue,
        summary.workflow_type,
        summary.current_step or None,
        summary.workflow_id,
        summary.run_id,
        summary.first_run_id,
        summary.parent_workflow_id or None,
        summary.parent_run_id or None,
        summary.root_workflow_id or None,
        summary.root_run_id or None,
        summary.last_failure or None,
        summary.trouble or None,
    )
    # One look at all of them, as nearly all summaries are plain.
    whole = "".join(filter(None, found))
    if whole.isascii() and "\0" not in whole and len(whole) <= KEYWORD_CHARS_MAX:
        return found
    clipped = (text and keyword(text) for text in found[:3])
    return (*clipped, *(text and clean(text) for text in found[3:]))


def attribute_rows(
    row: bytes, namespace: str, summary: ExecutionSummary, *, kinds: dict[str, str]
) -> list[AttributeRow]:
    """One row for each value; a list has one for each of its elements, and a text one for each of its words.

    Their names and types are added to ``kinds``.
    """
    if not summary.search_attributes:
        return []
    scope = scope_of(namespace, summary.queue)
    found: list[AttributeRow] = []
    for name, payload in summary.search_attributes.items():
        known = _attribute(payload.metadata.get("type", b""), name)
        if known is None:
            continue
        kind, attribute, plain_name = known
        kinds[plain_name] = kind.value
        value = _value(kind, name, payload)
        if value is None:
            continue
        if kind in _NUMBERED:
            found.append((row, attribute, 0, scope, None, int(value), None))
        elif kind in _REAL:
            found.append((row, attribute, 0, scope, None, None, value))
        else:
            for place, word in enumerate(_words(kind, value)):
                found.append((row, attribute, place, scope, word, None, None))
    return found


@lru_cache(maxsize=1_000)
def _attribute(type_name: bytes, name: str) -> tuple[Kind, str, str] | None:
    """Kind, key and name in the tables; ``None``: no filter finds it."""
    kind = _KINDS.get(type_name)
    if kind is None or len(name) > NAME_CHARS_MAX:
        return None
    return kind, attribute_key(kind, name), clean(name)


def attribute_key(kind: Kind, name: str) -> str:
    """Names an attribute in the tables: the same name under another type is another attribute."""
    return f"{kind.value} {clean(name)}"


def _words(kind: Kind, value: Any) -> Iterable[str]:
    match kind:
        case Kind.KEYWORD_LIST:
            return dict.fromkeys(keyword(str(element)) for element in value)
        case Kind.TEXT:
            return dict.fromkeys(keyword(word) for word in words(value))
        case _:
            return (keyword(str(value)),)


_NUMBERED: Final = frozenset({Kind.INT, Kind.BOOL})
_REAL: Final = frozenset({Kind.DATETIME, Kind.DOUBLE})
_PLAIN: Final = {Kind.KEYWORD: str, Kind.TEXT: str, Kind.INT: int, Kind.BOOL: bool}


def _value(kind: Kind, name: str, payload: Payload) -> Any:
    """The value, times in milliseconds; ``None`` where it is not of its kind, so that no filter finds it."""
    try:
        value = _decode(payload.data)
        if type(value) is not _PLAIN.get(kind):
            value = _typed(kind, name, payload)
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError):
        return None
    is_too_large = isinstance(value, int) and not -(2**63) <= value < 2**63
    return None if is_too_large else value


def _typed(kind: Kind, name: str, payload: Payload) -> Any:
    for pair in decode_search_attributes({name: payload}):
        held = pair.value
        if isinstance(held, datetime):
            return held.timestamp() * 1000
        return float(held) if kind is Kind.DOUBLE else held
    return None
