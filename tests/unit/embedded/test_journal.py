"""When appended records may be seen, and that it stays so with many threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rocksdict import DbClosedError, WriteBatch

from streamflow.embedded import EmbeddedLog
from streamflow.embedded.database import Bounds, open_database
from streamflow.embedded.journal import Journal
from streamflow.embedded.partition import Partition
from streamflow.ports import Committed, LogError, TopicPartition
from tests.unit.embedded.member import Member, out, texts, topic


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    db = open_database(tmp_path)
    yield Journal(db)
    with contextlib.suppress(DbClosedError):
        db.close()


@pytest.fixture
def partition() -> Partition:
    return Partition(TopicPartition("t", 0), 1, Bounds())


def test_a_producers_record_is_visible_before_it_is_durable(
    journal: Journal, partition: Partition
) -> None:
    """Sources may read it at once; tails and readers may not."""
    with journal.lock:
        journal.append(partition, b"k", b"v", (), 1)

    assert (partition.visible, partition.synced) == (1, 0)
    journal.settle()
    assert (partition.visible, partition.synced) == (1, 1)


def test_a_transactions_records_and_all_behind_them_wait_for_its_sync(
    journal: Journal, partition: Partition
) -> None:
    """Nobody sees what might still not have happened, nor steps over it."""
    with journal.lock:
        journal.append(partition, b"k", b"before", (), 1)
        journal.append_held(partition, b"k", b"within", (), 1)
        journal.append(partition, b"k", b"behind", (), 1)

    assert (partition.visible, partition.end) == (1, 3)
    journal.settle()
    assert (partition.visible, partition.synced) == (3, 3)


def test_a_later_transaction_holds_back_only_from_itself_on(
    journal: Journal, partition: Partition
) -> None:
    """A round that becomes durable while the next one gathers is shown up to the next one's transaction."""

    def meanwhile(_: LogError | None) -> None:
        with journal.lock:
            journal.append_held(partition, b"k", b"second", (), 1)
            journal.append(partition, b"k", b"behind", (), 1)
        seen.append(partition.visible)

    seen: list[int] = []
    with journal.lock:
        journal.append_held(partition, b"k", b"first", (), 1)
        journal.when_durable(meanwhile)
    journal.settle()

    assert seen == [1]
    journal.settle()
    assert partition.visible == 3


def test_settling_waits_for_what_another_thread_is_just_writing(
    journal: Journal, partition: Partition
) -> None:
    """It may have begun at the very moment at which the settling looked."""
    syncing = threading.Event()
    others: list[threading.Thread] = []

    class SlowDisk:
        def write(self, batch: WriteBatch) -> None:
            db.write(batch)

        def flush_wal(self, sync: bool) -> None:
            syncing.set()
            threading.Event().wait(0.2)
            db.flush_wal(sync)

    class TakenAfterwards:
        """The first who wants the lock gets it when another thread has begun to sync."""

        def __enter__(self) -> None:
            if not others:
                others.append(threading.Thread(target=journal.sync, args=(round_,)))
                others[0].start()
                syncing.wait(5)
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    with journal.lock:
        journal.append(partition, b"k", b"v", (), 1)
        round_ = journal.current()
    db, lock = journal._db, journal.lock
    journal._db, journal.lock = SlowDisk(), TakenAfterwards()  # type: ignore[assignment]

    journal.settle()

    assert partition.synced == 1
    others[0].join()
    journal._db, journal.lock = db, lock


def test_a_disk_that_fails_ends_the_log(
    journal: Journal, partition: Partition, tmp_path: Path
) -> None:
    """Whoever waits is told, nothing unsure is shown, and nothing more is accepted."""
    told: list[LogError | None] = []
    with journal.lock:
        journal.append_held(partition, b"k", b"v", (), 1)
        journal.when_durable(told.append)
    journal._db.close()  # stands for a disk that takes nothing more

    with pytest.raises(LogError, match=str(tmp_path)):
        journal.settle()

    assert isinstance(told[0], LogError)
    assert partition.visible == 0
    with pytest.raises(LogError), journal.lock:
        journal.current()


def test_many_threads_lose_and_repeat_nothing(log: EmbeddedLog) -> None:
    """Producers and two processors at once: each record is consumed once, in order, and leaves one result."""
    count, threads = 1_500, 3
    log.create_topics([topic("many", threads)])

    def produce(partition: int) -> None:
        producer = log.producer()
        for n in range(count):
            producer.send(out(f"{partition}-{n}", to="many", partition=partition))

    stop = threading.Event()

    def process(name: str) -> None:
        member = Member(log, name, "many")
        transactor = log.transactor(name)
        transactor.open()
        while not stop.is_set():
            records = member.source.poll(50, 20)
            if records:
                transactor.commit(
                    [out(text, to="out") for text in texts(records)],
                    {TopicPartition("many", r.partition): Committed(r.offset + 1) for r in records},
                    member.source,
                )
        member.source.close()

    seen: list[str] = []
    complete = threading.Event()

    def collect(found: list[str]) -> None:
        seen.extend(found)
        if len(seen) >= count * threads:
            complete.set()

    tail = log.tail(TopicPartition("out", 0), lambda records: collect(texts(records)))
    workers = [threading.Thread(target=process, args=(name,)) for name in ("a", "b")]
    workers += [threading.Thread(target=produce, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()

    assert complete.wait(30)
    stop.set()
    for worker in workers:
        worker.join()
    tail.close()
    for partition in range(threads):
        expected = [f"{partition}-{n}" for n in range(count)]
        assert [text for text in seen if text.startswith(f"{partition}-")] == expected
