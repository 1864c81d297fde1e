"""Runs to be listed, and a store with them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import delete

from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from streamflow.converter import encode_search_attributes
from streamflow.model.answers import ExecutionSummary
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.visibility.binding import Bound
from streamflow.visibility.planning import Bounds
from streamflow.visibility.store import Store
from streamflow.visibility.tables import attributes, executions, kinds, positions
from streamflow.visibility.writing import Changes
from streamflow.wire.entities import decode_summary, encode

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
    """With these rows more, as if the first partition of the feed went on with them."""
    changes = Changes()
    for summary in summaries:
        changes.add(namespace, summary, encode(summary))
    topic = f"{namespace}.executions"
    begins = store.positions_of(topic).get(0, 0)
    taken = store.apply(
        topic, 0, namespace, changes, begins=begins, next_offset=begins + len(summaries)
    )
    assert taken
    return store


def emptied(store: Store) -> Store:
    """Making tables takes longer than a property's example does."""
    with store.engine.begin() as connection:
        for table in (attributes, executions, positions, kinds):
            connection.execute(delete(table))
    return store


@cache
def in_memory(bounds: Bounds) -> Store:
    """One for each way of choosing plans."""
    return Store.open(bounds=bounds)


def read_by_pages(store: Store, bound: Bound, *, page_size: int) -> list[RunId]:
    """The whole list, by tokens."""
    found: list[RunId] = []
    token = ""
    while True:
        page = store.search(NS, bound, page_size=page_size, token=token)
        found += [decode_summary(value).run_id for value in page.summaries]
        token = page.next_page_token
        if not token:
            return found
