"""What the store keeps beside the language: its feed, its layout, tokens of pages, and values that are hard to keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, text

from streamflow import topology
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import ExecutionSummary
from streamflow.model.payload import Payload
from streamflow.ports import OutRecord
from streamflow.schedules.facts import SCHEDULES_QUEUE
from streamflow.visibility import Catalog, FilterError, StoreMismatch
from streamflow.visibility.binding import Bound, bind
from streamflow.visibility.parsing import parse
from streamflow.visibility.projector import Visibility
from streamflow.visibility.store import Store
from streamflow.visibility.tables import LAYOUT
from streamflow.wire import keys
from streamflow.wire.entities import encode
from tests.unit.visibility.fleet import AMOUNT, CITY, NS, TAGS, USERS, filled, read_by_pages, run

TOPIC = topology.executions_topic(NS)


def asked(query: str) -> Bound:
    return bind(parse(query), Catalog(USERS), now_ms=0)


def found(store: Store, query: str) -> Sequence[str]:
    return read_by_pages(store, asked(query), page_size=9)


# -- the feed


def tell(log: MemoryLog, *summaries: ExecutionSummary) -> None:
    producer = log.producer()
    for summary in summaries:
        key = keys.summary_key(summary.queue, summary.workflow_id, summary.run_id)
        producer.send(OutRecord(TOPIC, 0, key, encode(summary)))
    producer.flush(1_000)


def forget(log: MemoryLog, summary: ExecutionSummary) -> None:
    producer = log.producer()
    key = keys.summary_key(summary.queue, summary.workflow_id, summary.run_id)
    producer.send(OutRecord(TOPIC, 0, key, None))
    producer.flush(1_000)


def test_a_deleted_run_takes_its_own_rows_with_it(log: MemoryLog) -> None:
    """Other runs of its workflow stay, and so does what another queue calls by the same names."""
    first = run(1, {CITY: "Bonn"})
    again = run(1, {CITY: "Bonn"}, run_id="run-1b", started_ms=first.started_ms + 5)
    elsewhere = run(1, {CITY: "Bonn"}, queue="other")
    tell(log, first, again, elsewhere)
    visibility = Visibility(log, NS, Store.open())
    assert visibility.count("City = 'Bonn'").count == 3

    forget(log, first)

    runs, _ = visibility.search("City = 'Bonn'", page_size=9, token="")
    assert [(one.queue, one.run_id) for one in runs] == [("orders", "run-1b"), ("other", "run-1")]
    visibility.close()


def test_the_names_that_runs_have_had_stay_known(log: MemoryLog) -> None:
    """A filter that someone keeps does not become an error when the last run with the attribute is gone."""
    only = run(1, {CITY: "Bonn"})
    tell(log, only)
    visibility = Visibility(log, NS, Store.open())
    with pytest.raises(FilterError):
        visibility.count("Town = 'Bonn'")
    assert visibility.count("City = 'Bonn'").count == 1

    forget(log, only)

    assert visibility.count("City = 'Bonn'").count == 0
    visibility.close()


def test_a_store_of_an_earlier_layout_is_built_anew(log: MemoryLog, tmp_path: Path) -> None:
    """Its tables are replaced, and the feed is read from its start."""
    url = f"sqlite:///{tmp_path / 'lists.sqlite'}"
    earlier = create_engine(url)
    with earlier.begin() as connection:
        connection.execute(text("CREATE TABLE sf_executions (row TEXT, namespace TEXT)"))
        connection.execute(text("CREATE TABLE sf_feeds (topic TEXT, log_id TEXT, layout INT)"))
        connection.execute(text(f"INSERT INTO sf_feeds VALUES ('{TOPIC}', 'x', 1)"))
    earlier.dispose()
    tell(log, run(1), run(2))

    visibility = Visibility(log, NS, Store.open(url))

    assert visibility.count("").count == 2
    visibility.close()
    reopened = Visibility(log, NS, Store.open(url))
    assert reopened.count("").count == 2
    reopened.close()


def test_a_store_of_the_layout_before_is_built_anew_once(log: MemoryLog, tmp_path: Path) -> None:
    """It has noted its layout."""
    url = f"sqlite:///{tmp_path / 'lists.sqlite'}"
    store = Store.open(url)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE sf_layout SET layout = layout - 1"))
    store.close()
    tell(log, run(1))
    visibility = Visibility(log, NS, Store.open(url))
    assert visibility.count("").count == 1
    visibility.close()

    reopened = Store.open(url)

    assert reopened.positions_of(TOPIC) == {0: 1}
    reopened.close()


def test_a_store_of_a_later_release_is_left_alone(tmp_path: Path) -> None:
    """Two releases would build it anew in turns."""
    url = f"sqlite:///{tmp_path / 'lists.sqlite'}"
    store = Store.open(url)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE sf_layout SET layout = layout + 1"))
    store.close()

    with pytest.raises(StoreMismatch, match=f"layout {LAYOUT} or before, found {LAYOUT + 1}"):
        Store.open(url)


def test_lists_of_users_runs_do_not_meet_the_engines_own() -> None:
    """Those of schedules are asked for by their queue."""
    store = filled(Store.open(), [run(1), run(2, queue=SCHEDULES_QUEUE), run(3, queue="other")])

    assert found(store, "") == ["run-3", "run-1"]
    assert found(store, f"TaskQueue = '{SCHEDULES_QUEUE}'") == ["run-2"]
    assert found(store, "TaskQueue = 'other' AND WorkflowType = 'Order'") == ["run-3"]
    assert found(store, "TaskQueue != 'other'") == ["run-1"]
    either = f"TaskQueue = '{SCHEDULES_QUEUE}' OR TaskQueue = 'other'"
    assert found(store, either) == ["run-3", "run-2"]
    assert store.count(NS, asked(either)).count == 2
    store.close()


# -- tokens


def next_token(store: Store, query: str) -> str:
    token = store.search(NS, asked(query), page_size=1, token="").next_page_token
    assert token
    return token


@pytest.fixture
def pair() -> Store:
    return filled(Store.open(), [run(1, {CITY: "Bonn"}), run(2, {CITY: "Kiel"})])


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "[]",
        "[1]",
        "{}",
        "null",
        '["a", "b", []]',
        "[1, 2, 3]",
        "[" * 5_000,
        '[9999999999999999999999, "00", []]',
        "\ud800",
    ],
)
def test_a_text_that_is_no_token_is_refused(pair: Store, token: str) -> None:
    """By its reader, not by the database."""
    with pytest.raises(FilterError, match="Expected a page token"):
        pair.search(NS, asked(""), page_size=1, token=token)


@pytest.mark.parametrize(
    ("order", "values"),
    [
        ("ORDER BY WorkflowId", [1]),
        ("ORDER BY WorkflowId", [None]),
        ("ORDER BY WorkflowId", []),
        ("ORDER BY WorkflowId", ["a", "b"]),
        ("ORDER BY CloseTime", ["soon"]),
        ("ORDER BY CloseTime", [1.5]),
        ("ORDER BY HistoryLength", [2**63]),
        ("ORDER BY City", [True]),
        ("ORDER BY City", [[]]),
    ],
)
def test_a_token_with_values_of_other_types_is_refused(
    pair: Store, order: str, values: list[object]
) -> None:
    """Also where the order is the token's own."""
    mark, row, _ = json.loads(next_token(pair, order))

    with pytest.raises(FilterError, match="Expected a page token"):
        pair.search(NS, asked(order), page_size=1, token=json.dumps([mark, row, values]))


def test_a_token_of_another_order_is_refused(pair: Store) -> None:
    """Its place means nothing there, though its values are of the right types."""
    token = next_token(pair, "ORDER BY WorkflowId")

    for order in ("ORDER BY WorkflowType", "ORDER BY WorkflowId DESC", ""):
        with pytest.raises(FilterError, match="of a list with this ORDER BY"):
            pair.search(NS, asked(order), page_size=1, token=token)
    assert pair.search(NS, asked("ORDER BY WorkflowId"), page_size=1, token=token).summaries


# -- values


def test_values_that_are_not_of_their_type_hide_no_run() -> None:
    """No filter finds them, and the rest of the feed goes on."""
    payloads = {
        "City": Payload({"type": b"Keyword"}, b"{not json"),
        "Amount": Payload({"type": b"Int"}, b"123456789012345678901234567890"),
        "Score": Payload({"type": b"Double"}, b'"high"'),
        "Due": Payload({"type": b"Datetime"}, b'"tomorrow"'),
        "Tags": Payload({"type": b"KeywordList"}, b"7"),
        "x" * 3_000: Payload({"type": b"Keyword"}, b'"a"'),
        "Other": Payload({"type": b"Unheard"}, b'"a"'),
    }
    odd = msgspec.structs.replace(run(1), search_attributes=payloads)
    store = filled(Store.open(), [odd, run(2, {CITY: "Bonn"})])

    assert found(store, "") == ["run-2", "run-1"]
    assert found(store, "City IS NULL AND Amount IS NULL AND Due IS NULL") == ["run-1"]
    store.close()


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        ("StartTime > '2026-09-21T14:13:20.0009Z'", True),
        ("StartTime > '2026-09-21T14:13:20.001Z'", False),
        ("StartTime >= '2026-09-21T14:13:20.0011Z'", False),
        ("StartTime < '2026-09-21T14:13:20.0011Z'", True),
        ("StartTime < '2026-09-21T14:13:20.001Z'", False),
        ("StartTime <= '2026-09-21T14:13:20.0009Z'", False),
        ("StartTime = '2026-09-21T14:13:20.001Z'", True),
        ("StartTime = '2026-09-21T14:13:20.0011Z'", False),
        ("StartTime != '2026-09-21T14:13:20.0011Z'", True),
        ("StartTime BETWEEN '2026-09-21T14:13:20.0001Z' AND '2026-09-21T14:13:20.0019Z'", True),
        ("Amount > 2.5 AND Amount < 3.5", True),
        ("Amount <= 2.9 OR Amount >= 3.1", False),
        ("Amount < 9.2e18 AND Amount > -9.2e18", True),
    ],
)
def test_numbers_between_whole_ones(condition: str, passes: bool) -> None:
    """Columns of whole numbers are compared with what was written, not with what it is rounded to."""
    store = filled(Store.open(), [run(1, {AMOUNT: 3})])

    assert found(store, condition) == (["run-1"] if passes else [])
    store.close()


def test_texts_that_no_database_holds_are_found_as_they_are_kept() -> None:
    """A NUL and half a surrogate pair."""
    store = filled(Store.open(), [run(1, {CITY: "a\0b", TAGS: ["c\0"]}, workflow_type="T\0")])

    for query in ("City = 'a\0b'", "Tags CONTAINS 'c\0'", "WorkflowType STARTS_WITH 'T\0'"):
        assert found(store, query) == ["run-1"]
    store.close()
