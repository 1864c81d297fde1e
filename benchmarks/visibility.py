"""Lists over many executions: how fast a store fills from its feed, and how long pages take, in SQLite and in PostgreSQL.

The feed is in memory, so that the store is what is measured. SQLite works in our thread, so that its CPU is ours: a busy machine does not
blur it. Pages are of 100 runs, decoded, the first one and one behind it.
"""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Iterator

from sqlalchemy import text

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row
from streamflow import topology
from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from streamflow.converter import encode_search_attributes
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import ExecutionSummary
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.ports import OutRecord
from streamflow.visibility.projector import Visibility
from streamflow.visibility.store import Store
from streamflow.wire import keys
from streamflow.wire.entities import encode
from tests.integration.visibility import postgres

EXECUTIONS = 1_000_000
QUICK_EXECUTIONS = 50_000
PORTION = 50_000
TARGET_MS = 100
PARTITIONS = 12
NAMESPACE = "default"
EVERY_MS = 2_592
"""A million starts are a month."""
BEGINS_MS = 1_790_000_000_000

CITY = SearchAttributeKey.for_keyword("City")
AMOUNT = SearchAttributeKey.for_int("Amount")
PAID = SearchAttributeKey.for_bool("Paid")

PAGES = (
    "",
    "ExecutionStatus = 'Running'",
    "ExecutionStatus = 'Completed'",
    "ExecutionStatus != 'Completed'",
    "CloseTime IS NULL",
    "WorkflowType = 'Type1'",
    "WorkflowType = 'Type18'",
    "WorkflowType = 'Type1' AND ExecutionStatus = 'Failed'",
    "ExecutionStatus = 'Failed' AND StartTime < '{middle}'",
    "StartTime BETWEEN '{early}' AND '{middle}'",
    "WorkflowId = 'order-{number}'",
    "WorkflowId STARTS_WITH 'order-77'",
    "RunId = 'run-{number}'",
    "ParentWorkflowId = 'order-{number}'",
    "TaskQueue = 'queue-3' AND ExecutionStatus = 'Failed'",
    "CurrentStep = 'step 7' AND ExecutionStatus = 'Running'",
    "MaxAttempt > 3",
    "Trouble IS NOT NULL",
    "City = 'city-1'",
    "City = 'city-900'",
    "City IN ('city-2', 'city-700') AND ExecutionStatus = 'Running'",
    "City = 'city-1' AND Paid = TRUE AND WorkflowType = 'Type0'",
    "Amount BETWEEN 500 AND 510",
    "Paid = FALSE AND StartTime < '{middle}'",
    "NOT City = 'city-0'",
    "ORDER BY CloseTime DESC",
    "ORDER BY CloseTime",
    "ExecutionStatus = 'Completed' ORDER BY CloseTime DESC",
    "WorkflowType = 'Type2' ORDER BY CloseTime DESC, WorkflowId",
    "City = 'city-30' ORDER BY CloseTime",
    "ORDER BY WorkflowId",
    "ORDER BY City DESC",
    "ORDER BY ExecutionStatus, StartTime DESC",
    "ORDER BY WorkflowType DESC, CloseTime",
)
"""Filters and orders that indexes serve."""
COUNTS = (
    "",
    "ExecutionStatus = 'Failed'",
    "GROUP BY ExecutionStatus",
    "City = 'city-1' GROUP BY ExecutionStatus",
)
LOOKED_THROUGH = (
    "LastFailure CONTAINS 'nowhere'",
    "WorkflowId CONTAINS '999999'",
    "ORDER BY HistoryLength DESC",
)
"""No index serves these: every run is looked at."""


async def sqlite(bench: Bench) -> list[Row]:
    return _measure("SQLite", f"sqlite:///{bench.folder / 'lists.sqlite'}", bench.quick)


async def on_postgres(bench: Bench) -> list[Row]:
    programs = postgres.binaries()
    if programs is None:
        return [Row("lists, PostgreSQL", {}, notes=f"not installed: {postgres.INSTALL}")]
    folder = bench.folder / "postgres"
    folder.mkdir()
    for parent in (folder, bench.folder):
        parent.chmod(0o755)
    with postgres.running(programs, folder) as url:
        return _measure("PostgreSQL", url, bench.quick)


def _measure(name: str, url: str, is_quick: bool) -> list[Row]:
    total = QUICK_EXECUTIONS if is_quick else EXECUTIONS
    log = MemoryLog()
    topology.apply(log, topology.plan(log, topology.declare(NAMESPACE, dev=True)))
    visibility = Visibility(log, NAMESPACE, Store.open(url))
    rates, cpu_us = _fill(log, visibility, total)
    if not url.startswith("sqlite"):
        _vacuum(url)
    timed = {query: _page_ms(visibility, _filled_in(query, total)) for query in PAGES}
    pages = {query: wall for query, (wall, _) in timed.items()}
    slowest = max(pages, key=lambda query: pages[query])
    counts = {query or "all": _count_ms(visibility, query) for query in COUNTS}
    through = {query: _page_ms(visibility, query, times=1)[0] for query in LOOKED_THROUGH}
    visibility.close()
    figures = {
        "rows/s": Figure.of(rates),
        "CPU us a row": Figure.of(cpu_us),
        "page ms": Figure.of(list(pages.values())),
        "own CPU ms a page": Figure.of([cpu for _, cpu in timed.values()]),
        "count ms": Figure.of(list(counts.values())),
        "page without an index ms": Figure.of(list(through.values())),
    }
    return [
        Row(
            f"lists over {total} executions, {name}",
            figures,
            f"every page <= {TARGET_MS} ms",
            pages[slowest] <= TARGET_MS,
            f"slowest page: {slowest or 'all'}",
            {"pages": pages, "counts": counts, "without an index": through},
        )
    ]


# -- filling


def _fill(log: MemoryLog, visibility: Visibility, total: int) -> tuple[list[float], list[float]]:
    """Rows a second of each portion, and microseconds of our own CPU for each row."""
    topic = topology.executions_topic(NAMESPACE)
    producer = log.producer()
    rates: list[float] = []
    cpu_us: list[float] = []
    fleet = _fleet(total)
    while portion := list(itertools.islice(fleet, PORTION)):
        for number, summary in portion:
            key = keys.summary_key(summary.queue, summary.workflow_id, summary.run_id)
            producer.send(OutRecord(topic, number % PARTITIONS, key, encode(summary)))
        producer.flush(60_000)
        began, cpu_began = time.perf_counter(), time.thread_time()
        visibility.catch_up()
        rates.append(len(portion) / (time.perf_counter() - began))
        cpu_us.append((time.thread_time() - cpu_began) / len(portion) * 1e6)
    return rates, cpu_us


def _fleet(total: int) -> Iterator[tuple[int, ExecutionSummary]]:
    chance = random.Random(7)
    statuses = [*Status]
    weights = [
        {Status.COMPLETED: 88, Status.RUNNING: 5, Status.FAILED: 4}.get(s, 1) for s in Status
    ]
    for number in range(total):
        status = chance.choices(statuses, weights)[0]
        started_ms = BEGINS_MS + number * EVERY_MS + chance.randrange(EVERY_MS)
        is_open = status is Status.RUNNING
        attributes = (
            SearchAttributePair(CITY, f"city-{int(1000 * chance.random() ** 3)}"),
            SearchAttributePair(AMOUNT, chance.randrange(10_000)),
            SearchAttributePair(PAID, chance.random() < 0.9),
        )
        is_retried = chance.random() < 0.003
        yield (
            number,
            ExecutionSummary(
                workflow_id=WorkflowId(f"order-{number}"),
                run_id=RunId(f"run-{number}"),
                first_run_id=RunId(f"run-{number}"),
                namespace=NAMESPACE,
                queue=f"queue-{int(5 * chance.random() ** 2)}",
                workflow_type=f"Type{int(20 * chance.random() ** 2)}",
                status=status,
                started_ms=started_ms,
                execution_ms=started_ms,
                closed_ms=0 if is_open else started_ms + int(chance.lognormvariate(11, 2)),
                updated_ms=started_ms,
                history_length=chance.randrange(5, 60),
                history_bytes=chance.randrange(500, 9_000),
                current_step=f"step {chance.randrange(20)}",
                pending_activities=int(is_open),
                max_attempt=chance.randrange(2, 9) if is_retried else 1,
                last_failure="connection refused" if is_retried else "",
                trouble="KeyError: 'x'" if is_open and chance.random() < 0.01 else "",
                parent_workflow_id=f"order-{number - 1}" if number % 10 == 1 else "",
                root_workflow_id=f"order-{number}",
                root_run_id=f"run-{number}",
                search_attributes=encode_search_attributes(TypedSearchAttributes(attributes)),
            ),
        )


def _vacuum(url: str) -> None:
    """As PostgreSQL does by itself, some minutes after many rows were written."""
    store = Store.open(url)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    store.close()


# -- asking


def _filled_in(query: str, total: int) -> str:
    def moment(share: float) -> str:
        seconds = (BEGINS_MS + total * share * EVERY_MS) / 1000
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

    return query.format(middle=moment(0.5), early=moment(0.2), number=total // 10 * 7)


def _page_ms(visibility: Visibility, query: str, *, times: int = 5) -> tuple[float, float]:
    """The slower of the first page and the one behind it, in the median; and this process's CPU for it."""
    first: list[tuple[float, float]] = []
    second: list[tuple[float, float]] = []
    for _ in range(times):
        token, taken = _page(visibility, query, "")
        first.append(taken)
        if token:
            second.append(_page(visibility, query, token)[1])
    medians = [
        (statistics.median(wall for wall, _ in part), statistics.median(cpu for _, cpu in part))
        for part in (first, second)
        if part
    ]
    return max(wall for wall, _ in medians), max(cpu for _, cpu in medians)


def _page(visibility: Visibility, query: str, token: str) -> tuple[str, tuple[float, float]]:
    began, cpu_began = time.perf_counter(), time.thread_time()
    _, behind = visibility.search(query, page_size=100, token=token)
    cpu = time.thread_time() - cpu_began
    return behind, ((time.perf_counter() - began) * 1000, cpu * 1000)


def _count_ms(visibility: Visibility, query: str) -> float:
    began = time.perf_counter()
    visibility.count(query)
    return (time.perf_counter() - began) * 1000
