"""Runs to be listed, and a store with them."""

from __future__ import annotations

from typing import Any

from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from streamflow.converter import encode_search_attributes
from streamflow.model.answers import ExecutionSummary
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.visibility import Store, rows
from streamflow.wire.entities import encode

NS = "default"
CITY = SearchAttributeKey.for_keyword("City")
NOTE = SearchAttributeKey.for_text("Note")
AMOUNT = SearchAttributeKey.for_int("Amount")
SCORE = SearchAttributeKey.for_float("Score")
PAID = SearchAttributeKey.for_bool("Paid")
DUE = SearchAttributeKey.for_datetime("Due")
TAGS = SearchAttributeKey.for_keyword_list("Tags")
KEYS = (CITY, NOTE, AMOUNT, SCORE, PAID, DUE, TAGS)
USERS = {key.name: key.indexed_value_type for key in KEYS}


def run(
    number: int, attributes: dict[SearchAttributeKey[Any], Any] | None = None, **facts: Any
) -> ExecutionSummary:
    given: dict[str, Any] = {
        "workflow_id": WorkflowId(f"order-{number}"),
        "run_id": RunId(f"run-{number}"),
        "first_run_id": RunId(f"run-{number}"),
        "namespace": NS,
        "queue": "orders",
        "workflow_type": "Order",
        "status": Status.RUNNING,
        "started_ms": 1_790_000_000_000 + number,
        **facts,
    }
    pairs = tuple(SearchAttributePair(key, value) for key, value in (attributes or {}).items())
    return ExecutionSummary(
        **given, search_attributes=encode_search_attributes(TypedSearchAttributes(pairs))
    )


def filled(store: Store, summaries: list[ExecutionSummary], namespace: str = NS) -> Store:
    found, attributes = [], []
    for summary in summaries:
        row = rows.row_id(namespace, summary.queue, summary.workflow_id, summary.run_id)
        found.append(rows.execution_row(row, namespace, summary, encode(summary)))
        attributes += rows.attribute_rows(row, namespace, summary)
    topic = f"{namespace}.executions"
    begins = store.positions_of(topic).get(0, 0)
    taken = store.apply(
        topic,
        0,
        begins=begins,
        next_offset=begins + len(summaries),
        gone=(),
        rows=found,
        attribute_rows=attributes,
    )
    assert taken
    return store
