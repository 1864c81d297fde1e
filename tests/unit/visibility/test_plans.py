"""How pages are found: by indexes, whatever statistics the database has. Measured at a million runs in benchmarks/."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from sqlalchemy import event

from streamflow.model.options import Status
from streamflow.visibility import Catalog
from streamflow.visibility.binding import bind
from streamflow.visibility.parsing import parse
from streamflow.visibility.planning import Bounds
from streamflow.visibility.store import Store
from tests.unit.visibility.fleet import AMOUNT, CITY, NS, PAID, TAGS, USERS, filled, run

RUNS = [
    run(
        number,
        {CITY: f"city-{number % 7}", AMOUNT: number, PAID: number % 2 == 0, TAGS: ["a", "b"]},
        status=Status.FAILED if number % 5 == 0 else Status.COMPLETED,
        closed_ms=1_790_000_000_000 + 3 * number if number % 3 else 0,
        workflow_type=f"Type{number % 4}",
        current_step=f"step {number % 6}",
        max_attempt=1 + number % 9,
        parent_workflow_id="parent" if number % 2 else "",
        trouble="KeyError" if number % 8 == 0 else "",
    )
    for number in range(400)
]

IN_AN_ORDER = (
    "",
    "ORDER BY StartTime",
    "ORDER BY StartTime DESC, WorkflowId",
    "StartTime > '2026-09-21T14:13:20.100Z'",
    "ExecutionStatus = 'Failed'",
    "ExecutionStatus = 'Failed' AND StartTime < '2026-09-21T14:13:20.100Z'",
    "WorkflowType = 'Type1'",
    "WorkflowType = 'Type1' AND ExecutionStatus = 'Failed'",
    "ExecutionStatus = 'Failed' AND CurrentStep = 'step 5'",
    "CloseTime IS NULL",
    "NOT City = 'city-3'",
    "WorkflowId STARTS_WITH 'order-1'",
    "MaxAttempt > 3",
    "City = 'city-3'",
    "City = 'city-3' AND ExecutionStatus = 'Failed'",
    "City = 'city-3' AND Paid = TRUE AND CloseTime IS NOT NULL",
    "Tags = 'a'",
    "Amount > 10 AND Amount < 90",
    "ORDER BY CloseTime DESC",
    "ORDER BY CloseTime",
    "ExecutionStatus = 'Completed' ORDER BY CloseTime DESC",
    "City = 'city-2' ORDER BY CloseTime DESC",
    "ORDER BY WorkflowId",
    "ORDER BY ParentWorkflowId DESC",
    "ORDER BY City DESC",
    "Paid = TRUE ORDER BY City, StartTime",
    "ORDER BY ExecutionStatus, StartTime DESC",
    "ORDER BY WorkflowType, CloseTime DESC",
)
RARE = (
    "WorkflowId = 'order-7'",
    "WorkflowId IN ('order-7', 'order-8') ORDER BY HistoryLength",
    "RunId = 'run-7' OR WorkflowId = 'order-9'",
    "ParentWorkflowId = 'parent' AND CurrentStep = 'step 5'",
    "Trouble IS NOT NULL",
    "Trouble CONTAINS 'Key' AND ExecutionStatus != 'Completed'",
    "MaxAttempt > 3 ORDER BY MaxAttempt DESC",
    "MaxAttempt > 1",
    "City IN ('city-3', 'city-4') ORDER BY UpdateTime",
    "Amount BETWEEN 10 AND 20 AND LastFailure CONTAINS 'x'",
    "CloseTime > '2026-09-21T14:13:21Z' ORDER BY HistoryLength DESC",
    "Paid = FALSE AND Tags CONTAINS 'b' ORDER BY Amount",
)


@contextmanager
def explained(store: Store) -> Iterator[list[str]]:
    """What SQLite says of each statement that reads: how it goes about it."""
    found: list[str] = []

    def explain(
        _connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: object
    ) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.extend(row[3] for row in cursor.fetchall())

    event.listen(store.engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(store.engine, "before_cursor_execute", explain)


def plans(text: str, bounds: Bounds, *, analyzed: bool) -> list[str]:
    """Of two pages."""
    store = stored(bounds, analyzed)
    bound = bind(parse(text), Catalog(USERS), now_ms=0)
    with explained(store) as found:
        token = store.search(NS, bound, page_size=3, token="").next_page_token
        if token:
            store.search(NS, bound, page_size=3, token=token)
    return found


@cache
def stored(bounds: Bounds, analyzed: bool) -> Store:
    """In memory, and only read from."""
    store = filled(Store.open(bounds=bounds), RUNS)
    if analyzed:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    return store


def scans(found: list[str]) -> list[str]:
    """Steps that read a whole table, or a whole index."""
    return [step for step in found if step.startswith("SCAN sf_")]


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("text", IN_AN_ORDER)
def test_a_walk_neither_sorts_nor_scans(text: str, analyzed: bool) -> None:
    """Common conditions: an index has the order of the page, and is left when the page is full."""
    found = plans(text, Bounds(gathered=0, sorted=0), analyzed=analyzed)

    assert scans(found) == []
    assert [step for step in found if "B-TREE FOR ORDER BY" in step] == []


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("text", RARE)
def test_a_rare_condition_is_gathered_without_a_scan(text: str, analyzed: bool) -> None:
    """In any order, also one that no index has."""
    found = plans(text, Bounds(), analyzed=analyzed)

    assert found
    assert scans(found) == []


@pytest.mark.parametrize(
    "text",
    [
        "WorkflowId STARTS_WITH 'order-1'",
        "RunId = 'run-7' OR WorkflowId IN ('order-7', 'order-9')",
        "Tags IN ('a', 'b') ORDER BY StartTime",
    ],
)
def test_runs_that_an_index_finds_are_sorted_without_a_look_at_them(text: str) -> None:
    """Only those of the page are fetched. Their number decides nothing, as long as they are counted."""
    found = plans(text, Bounds(gathered=0), analyzed=True)

    looks = [step for step in found if "sf_executions" in step and "COVERING" not in step]
    assert 1 <= len(looks) <= 2, found


def test_an_index_is_entered_by_the_value() -> None:
    """Not at the first value that there is, which would read the whole of its part of the index."""
    found = plans("City = 'city-3' ORDER BY CloseTime", Bounds(), analyzed=True)
    never = Bounds(gathered=0, sorted=0)
    walked = plans("City = 'city-3' AND CurrentStep = 'step 5'", never, analyzed=True)

    entries = [step for step in found + walked if "sf_attributes_by_word" in step]
    assert len(entries) >= 4
    assert all("(scope=? AND attribute=? AND word=?" in step for step in entries), entries
