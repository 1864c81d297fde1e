"""A summary of the feed as rows of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from streamflow.common import SearchAttributePair
from streamflow.converter import decode_search_attributes
from streamflow.model.answers import ExecutionSummary
from streamflow.visibility.catalog import Kind
from streamflow.visibility.sql import clean, words

Row = dict[str, Any]


def row_id(namespace: str, queue: str, workflow_id: str, run_id: str) -> str:
    """Names a run's rows; the parts are told apart by their lengths."""
    digest = blake2b(digest_size=16)
    for part in (namespace, queue, workflow_id, run_id):
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return digest.hexdigest()


def execution_row(row: str, namespace: str, summary: ExecutionSummary, value: bytes) -> Row:
    execution_ms = summary.execution_ms or summary.started_ms
    return {
        "row": row,
        "namespace": namespace,
        "queue": clean(summary.queue),
        "workflow_id": clean(summary.workflow_id),
        "run_id": clean(summary.run_id),
        "first_run_id": clean(summary.first_run_id),
        "workflow_type": clean(summary.workflow_type),
        "status": summary.status.value,
        "started_ms": summary.started_ms,
        "execution_ms": execution_ms,
        "closed_ms": summary.closed_ms or None,
        "duration_ms": max(0, summary.closed_ms - execution_ms) if summary.closed_ms else None,
        "updated_ms": summary.updated_ms,
        "history_length": summary.history_length,
        "history_bytes": summary.history_bytes,
        "parent_workflow_id": clean(summary.parent_workflow_id) or None,
        "parent_run_id": clean(summary.parent_run_id) or None,
        "root_workflow_id": clean(summary.root_workflow_id) or None,
        "root_run_id": clean(summary.root_run_id) or None,
        "current_step": clean(summary.current_step) or None,
        "pending_activities": summary.pending_activities,
        "max_attempt": summary.max_attempt,
        "next_retry_ms": summary.next_retry_ms or None,
        "last_failure": clean(summary.last_failure) or None,
        "trouble": clean(summary.trouble) or None,
        "summary": value,
    }


def attribute_rows(row: str, namespace: str, summary: ExecutionSummary) -> list[Row]:
    """One row for each value; a list has one for each element, and a text one for each of its words."""
    return [
        {"row": row, "namespace": namespace, "name": clean(pair.key.name), **held}
        for pair in decode_search_attributes(summary.search_attributes)
        for held in _held(pair)
    ]


def _held(pair: SearchAttributePair[Any]) -> Sequence[Row]:
    kind, value = Kind(pair.key.indexed_value_type.type_name), pair.value
    empty: Row = {"kind": kind.value, "place": 0, "word": None, "number": None, "real": None}
    match kind:
        case Kind.KEYWORD_LIST:
            return [
                {**empty, "place": place, "word": clean(str(element))}
                for place, element in enumerate(value)
            ]
        case Kind.TEXT:
            return [
                {**empty, "place": place, "word": clean(word)}
                for place, word in enumerate(dict.fromkeys(words(value)))
            ]
        case Kind.INT | Kind.BOOL:
            return [{**empty, "number": int(value)}]
        case Kind.DATETIME:
            assert isinstance(value, datetime), value
            return [{**empty, "real": value.timestamp() * 1000}]
        case Kind.DOUBLE:
            return [{**empty, "real": float(value)}]
        case _:
            return [{**empty, "word": clean(str(value))}]
