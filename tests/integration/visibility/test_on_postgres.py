"""The visibility store on a real PostgreSQL: the same language, and several who fill it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from streamflow import topology
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import ExecutionSummary
from streamflow.model.options import Status
from streamflow.ports import OutRecord
from streamflow.visibility import writing
from streamflow.visibility.binding import bind
from streamflow.visibility.database import Database
from streamflow.visibility.parsing import parse
from streamflow.visibility.planning import Bounds
from streamflow.visibility.projector import Visibility
from streamflow.visibility.store import Store
from streamflow.visibility.writing import Changes
from streamflow.wire import keys
from streamflow.wire.entities import decode_summary, encode
from tests.unit.visibility.fleet import CITY, NS, TAGS, emptied, filled, read_by_pages, run
from tests.unit.visibility.naive import in_order, lets_through
from tests.unit.visibility.test_language import (
    CATALOG,
    CONDITIONS,
    NOW_MS,
    ORDERINGS,
    PLANS,
    RUNS,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = Store.open(postgres_url)
    emptied(store)
    yield store
    store.close()


def _read(store: Store, bounds: Bounds) -> Store:
    """The same rows, read by other plans."""
    return Store(Database(store.engine), bounds)


@pytest.mark.timeout(300)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(RUNS, max_size=9, unique_by=lambda found: found.run_id),
    st.just("") | CONDITIONS,
    ORDERINGS,
    PLANS,
)
def test_the_language_means_the_same(
    store: Store, runs: list[ExecutionSummary], where: str, order: str, bounds: Bounds
) -> None:
    """Every filter finds what a plain reading of it lets through, in the plain order, whatever the database's collation."""
    emptied(store)
    filled(store, runs)
    bound = bind(parse(where + order), CATALOG, now_ms=NOW_MS)

    paged = read_by_pages(_read(store, bounds), bound, page_size=3)

    expected = in_order(bound, [one for one in runs if lets_through(bound.where, one)])
    assert paged == [one.run_id for one in expected]
    assert store.count(NS, bound).count == len(expected)


def test_groups(store: Store) -> None:
    """Counted by the value of a search attribute, and by there being none."""
    runs = [run(number, {CITY: f"city-{number % 3}"} if number % 4 else {}) for number in range(10)]
    filled(store, runs)

    groups = store.count(NS, bind(parse("GROUP BY City"), CATALOG, now_ms=0)).groups

    assert sum(group.count for group in groups) == 10
    assert {group.values[0] for group in groups} == {None, "city-0", "city-1", "city-2"}


def test_values_that_no_index_entry_could_hold(store: Store) -> None:
    """Keywords are compared by their beginnings; they are kept whole in what the list shows."""
    chance = random.Random(3)
    long = "".join(chance.choices("abcdefghijklmnopqrstuvwxyzäöü", k=9_000))
    filled(store, [run(1, {CITY: long, TAGS: [long, "b"]}, workflow_type=long)])

    for query in (f"City = '{long}'", f"Tags = '{long}'", f"WorkflowType = '{long}'"):
        page = store.search(NS, bind(parse(query), CATALOG, now_ms=0), page_size=1, token="")
        assert [decode_summary(value).workflow_type for value in page.summaries] == [long]


def test_rows_are_replaced_and_taken_away(store: Store) -> None:
    """A later summary of a run takes the place of its row and of its attributes."""
    filled(store, [run(1, {CITY: "Bonn"}), run(2, {CITY: "Bonn"})])
    filled(store, [run(1, {CITY: "Kiel"}, status=Status.COMPLETED, closed_ms=1_790_000_000_009)])

    def found(text: str) -> Sequence[str]:
        return read_by_pages(store, bind(parse(text), CATALOG, now_ms=0), page_size=9)

    assert found("") == ["run-2", "run-1"]
    assert found("City = 'Bonn'") == ["run-2"]
    assert found("City = 'Kiel' AND ExecutionStatus = 'Completed'") == ["run-1"]


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


def test_a_feed_is_begun_anew_after_who_writes_just_now(store: Store) -> None:
    """Else that one's position would stay, and what was read before it would be missing for good."""
    topic = topology.executions_topic(NS)
    filled(store, [run(1)])
    changes = Changes()
    changes.add(NS, run(2), encode(run(2)))
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with ThreadPoolExecutor(1) as others:
        with store.engine.begin() as connection:
            assert writing.move(connection, topic, 0, begins=1, next_offset=2)
            writing.write(connection, NS, changes)
            begun = others.submit(store.begin_feed, topic, NS, "log", now_ms=0)
            with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as looking:
                while not (begun.done() or looking.execute(waiting).scalar()):
                    pass
        begun.result()

    assert store.positions_of(topic) == {}
    assert store.count(NS, bind(parse(""), CATALOG, now_ms=0)).count == 0


def test_a_store_of_an_earlier_layout_is_built_anew(store: Store, postgres_url: str) -> None:
    """As earlier releases left it: there is no layout noted, and the tables may have any columns."""
    filled(store, [run(1)])
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE sf_layout"))
        connection.execute(text("ALTER TABLE sf_executions DROP COLUMN scope"))

    reopened = Store.open(postgres_url)

    assert reopened.positions_of(f"{NS}.executions") == {}
    filled(reopened, [run(2)])
    everything = bind(parse(""), CATALOG, now_ms=0)
    assert read_by_pages(reopened, everything, page_size=9) == ["run-2"]
    reopened.close()
