"""The visibility store on a real PostgreSQL: the same language, and several who fill it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from streamflow import topology
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import ExecutionSummary
from streamflow.ports import OutRecord
from streamflow.visibility import Store, Visibility
from streamflow.visibility.binding import bind
from streamflow.visibility.parsing import parse
from streamflow.visibility.tables import attributes, executions, positions
from streamflow.wire import keys
from streamflow.wire.entities import decode_summary, encode
from tests.unit.visibility.fleet import CITY, NS, filled, run
from tests.unit.visibility.naive import lets_through
from tests.unit.visibility.test_language import CATALOG, CONDITIONS, NOW_MS, RUNS

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = Store.open(postgres_url)
    _empty(store)
    yield store
    store.close()


def _empty(store: Store) -> None:
    with store.engine.begin() as connection:
        for table in (attributes, executions, positions):
            connection.execute(delete(table))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(RUNS, max_size=6, unique_by=lambda found: found.run_id), CONDITIONS)
def test_the_language_means_the_same(store: Store, runs: list[ExecutionSummary], text: str) -> None:
    """Every filter finds what a plain reading of it lets through, whatever the database's collation."""
    _empty(store)
    filled(store, runs)
    bound = bind(parse(text), CATALOG, now_ms=NOW_MS)

    page = store.search(NS, bound, page_size=100, token="")

    found = {decode_summary(value).run_id for value in page.summaries}
    assert found == {one.run_id for one in runs if lets_through(bound.where, one)}


def test_pages_and_groups(store: Store) -> None:
    """Read page by page, in an order with gaps; counted by group."""
    runs = [run(number, {CITY: f"city-{number % 3}"} if number % 4 else {}) for number in range(10)]
    filled(store, runs)
    bound = bind(parse("ORDER BY City DESC, StartTime"), CATALOG, now_ms=NOW_MS)
    whole = list(store.search(NS, bound, page_size=100, token="").summaries)

    paged: list[bytes] = []
    token = ""
    while True:
        page = store.search(NS, bound, page_size=3, token=token)
        paged += page.summaries
        token = page.next_page_token
        if not token:
            break
    groups = store.count(NS, bind(parse("GROUP BY City"), CATALOG, now_ms=0)).groups

    assert paged == whole
    assert sum(group.count for group in groups) == 10
    assert {group.values[0] for group in groups} == {None, "city-0", "city-1", "city-2"}


def test_two_projectors_fill_one_store_once(postgres_url: str) -> None:
    """Whoever comes second finds the position moved; nothing is there twice, and tombstones take rows away."""
    log = MemoryLog()
    topology.apply(log, topology.plan(log, topology.declare("default", dev=True)))
    first = Visibility(log, NS, Store.open(postgres_url))
    second = Visibility(log, NS, Store.open(postgres_url))
    producer = log.producer()
    topic = topology.executions_topic(NS)
    for number in range(20):
        summary = run(number)
        key = keys.summary_key(summary.queue, summary.workflow_id, summary.run_id)
        producer.send(OutRecord(topic, number % 12, key, encode(summary)))
    producer.flush(1_000)

    assert first.count("").count == second.count("").count == 20
    gone = run(3)
    key = keys.summary_key(gone.queue, gone.workflow_id, gone.run_id)
    producer.send(OutRecord(topic, 3, key, None))
    producer.flush(1_000)

    assert second.count("").count == 19
    assert first.count("").count == 19
    first.rebuild()
    assert first.count("").count == 19
    first.close()
    second.close()
