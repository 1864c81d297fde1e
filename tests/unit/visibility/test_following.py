"""How a store follows its feed: what cannot be read, what others read meanwhile, and what is gone by the time it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from streamflow.memory.connection import Connection
from streamflow.memory.log import MemoryLog
from streamflow.memory.reading import MemoryReader
from streamflow.model.answers import ExecutionSummary
from streamflow.ports import OutRecord, Reader, Record, TopicPartition, Unavailable
from streamflow.visibility.projector import Visibility
from streamflow.visibility.store import Store
from streamflow.visibility.writing import Changes
from streamflow.wire import codec, keys
from streamflow.wire.entities import encode
from tests.unit.visibility.fleet import NS, filled, run
from tests.unit.visibility.test_store import TOPIC, forget, tell

# -- what cannot be read


def tell_as_a_later_release(log: MemoryLog, summary: ExecutionSummary) -> None:
    """By a schema that this one does not know."""
    producer = log.producer()
    key = keys.summary_key(summary.queue, summary.workflow_id, summary.run_id)
    producer.send(OutRecord(TOPIC, 0, key, codec.MARK + b"NEWERSCH" + encode(summary)[10:]))
    producer.flush(1_000)


@pytest.mark.parametrize("listed_before", [True, False])
def test_a_summary_that_cannot_be_read_takes_nothing_away(
    log: MemoryLog, listed_before: bool
) -> None:
    """The list shows what was said of the run before."""
    visibility = Visibility(log, NS, Store.open())
    tell(log, run(1), run(2))
    if listed_before:
        visibility.catch_up()

    tell_as_a_later_release(log, run(1))

    assert visibility.count("").count == 2
    forget(log, run(1))
    assert visibility.count("").count == 1
    visibility.close()


@pytest.mark.parametrize(
    ("skipped_by", "reads_again"),
    [("skipped_by", False), ("'another release'", True), ("''", True)],
    ids=["this release", "another", "several"],
)
def test_what_another_release_could_not_read_is_read_again(
    log: MemoryLog, tmp_path: Path, skipped_by: str, reads_again: bool
) -> None:
    """And what this one could not is not."""
    url = f"sqlite:///{tmp_path / 'lists.sqlite'}"
    tell(log, run(1))
    tell_as_a_later_release(log, run(2))
    visibility = Visibility(log, NS, Store.open(url))
    assert visibility.count("").count == 1
    visibility.close()
    store = Store.open(url)
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE sf_feeds SET skipped_by = {skipped_by}"))
        connection.execute(text("DELETE FROM sf_executions"))

    visibility = Visibility(log, NS, store)

    assert visibility.count("").count == (1 if reads_again else 0)
    visibility.close()


def test_what_several_releases_could_not_read_is_noted_as_such() -> None:
    """Neither knows whether the other's is what it reads itself."""
    store = Store.open()
    store.begin_feed(TOPIC, NS, "log", now_ms=0)

    noted: list[str | None] = []
    for offset, schemas in enumerate(["a", "a", None, "b", "a"]):
        store.apply(
            TOPIC, 0, NS, Changes(), begins=offset, next_offset=offset + 1, skipped_by=schemas
        )
        feed = store.feed_of(TOPIC)
        assert feed is not None
        noted.append(feed.skipped_by)

    assert noted == ["a", "a", "a", "", ""]
    store.close()


# -- what others read meanwhile


class Overtaken(MemoryLog):
    """Something happens between each read of the feed and what is done with it."""

    def __init__(self, log: MemoryLog, meanwhile: Callable[[], None]) -> None:
        super().__init__(log.broker)
        self._meanwhile = meanwhile

    def reader(self) -> Reader:
        return OvertakenReader(self._connection, self._meanwhile)


class OvertakenReader(MemoryReader):
    def __init__(self, connection: Connection, meanwhile: Callable[[], None]) -> None:
        super().__init__(connection)
        self._meanwhile = meanwhile

    def read(self, partition: TopicPartition, offset: int, end: int) -> Iterator[Sequence[Record]]:
        batches = list(super().read(partition, offset, end))
        self._meanwhile()
        yield from batches


def test_who_was_overtaken_reads_on_from_there(log: MemoryLog) -> None:
    """The other one has seen an earlier end of the feed, and what was told since is to be listed."""
    store = Store.open()
    tell(log, run(1), run(2), run(3))
    others = [run(2), run(1)]

    def meanwhile() -> None:
        if others:
            filled(store, [others.pop()])

    visibility = Visibility(Overtaken(log, meanwhile), NS, store)

    assert visibility.count("").count == 3
    visibility.close()


def test_a_store_that_others_begin_anew_is_read_again(log: MemoryLog) -> None:
    """Also the partitions that were read before."""
    store = Store.open()
    tell(log, run(1))
    producer = log.producer()
    key = keys.summary_key("orders", "order-2", "run-2")
    producer.send(OutRecord(TOPIC, 1, key, encode(run(2))))
    producer.flush(1_000)
    begins = iter([False, True])

    def meanwhile() -> None:
        if next(begins, False):
            store.begin_feed(TOPIC, NS, log.cluster_id, now_ms=log.clock.now_ms())

    visibility = Visibility(Overtaken(log, meanwhile), NS, store)

    assert visibility.count("").count == 2
    visibility.close()


def test_a_store_that_others_never_leave_alone_is_unavailable(log: MemoryLog) -> None:
    """Whoever asks may do so again."""
    store = Store.open()
    tell(log, run(1), run(2))

    def meanwhile() -> None:
        if store.positions_of(TOPIC):
            store.begin_feed(TOPIC, NS, log.cluster_id, now_ms=log.clock.now_ms())
        else:
            filled(store, [run(1)])

    visibility = Visibility(Overtaken(log, meanwhile), NS, store)

    with pytest.raises(Unavailable, match="others began it anew"):
        visibility.count("")
    visibility.close()


# -- what is gone

DAY_MS = 86_400_000


def pass_days(log: MemoryLog, days: int) -> None:
    """And compact the feed."""
    log.broker.clock.skip_to(log.clock.now_ms() + days * DAY_MS)
    log.broker.compact(TOPIC)


@pytest.mark.parametrize("stays_open", [True, False])
def test_a_store_that_missed_a_deletion_is_built_anew(
    log: MemoryLog, tmp_path: Path, stays_open: bool
) -> None:
    """The feed has forgotten the run by then, and its deletion."""
    url = f"sqlite:///{tmp_path / 'lists.sqlite'}"
    tell(log, run(1), run(2))
    visibility = Visibility(log, NS, Store.open(url))
    assert visibility.count("").count == 2
    forget(log, run(1))
    if not stays_open:
        visibility.close()

    pass_days(log, 8)
    tell(log, run(3))

    if not stays_open:
        visibility = Visibility(log, NS, Store.open(url))
    runs, _ = visibility.search("", page_size=9, token="")
    assert [found.run_id for found in runs] == ["run-3", "run-2"]
    visibility.close()


@pytest.mark.parametrize(
    ("days", "is_behind"), [((5, 5), True), ((8,), False)], ids=["asked often", "nothing new"]
)
def test_a_store_that_missed_nothing_stays(
    log: MemoryLog, days: Sequence[int], is_behind: bool
) -> None:
    """Reading the feed anew may take minutes."""
    store = Store.open()
    tell(log, run(1))
    visibility = Visibility(log, NS, store)
    visibility.catch_up()
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE sf_executions SET workflow_type = 'Kept'"))

    for passed in days:
        pass_days(log, passed)
        if is_behind:
            tell(log, run(2))
        visibility.catch_up()

    assert visibility.count("WorkflowType = 'Kept'").count == 1
    visibility.close()


def test_another_process_that_follows_a_store_keeps_it_fresh(log: MemoryLog) -> None:
    """It saw the deletions in time."""
    store = Store.open()
    tell(log, run(1))
    idle, busy = Visibility(log, NS, store), Visibility(log, NS, store)
    idle.catch_up()
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE sf_executions SET workflow_type = 'Kept'"))
    pass_days(log, 5)
    busy.catch_up()
    pass_days(log, 5)
    tell(log, run(2))

    assert idle.count("WorkflowType = 'Kept'").count == 1
    idle.close()
