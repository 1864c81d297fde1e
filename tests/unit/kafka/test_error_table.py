"""Each error of a broker in each request of a transaction, by way of the client library: what becomes of it.

The table is what the shell is told, and so what it does: the class matters more than the error. Whatever it is, the next
transaction goes through once that was done.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Timer
from typing import Any, Final, NamedTuple

import pytest
from confluent_kafka import KafkaError

from streamflow.kafka import KafkaLog
from streamflow.kafka.errors import CallFailed, Verdict
from streamflow.kafka.lane import Lane
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.records import to_client
from streamflow.kafka.source import KafkaSource
from streamflow.ports import (
    Aborted,
    Committed,
    Fatal,
    Fenced,
    LogError,
    NotGranted,
    OutcomeUnknown,
    OutRecord,
    RecordRefused,
    TopicPartition,
    Transactor,
)
from tests.unit.kafka import mock_cluster
from tests.unit.kafka.mock_cluster import MockCluster

REQUESTS: Final = {
    "InitProducerId": mock_cluster.INIT_PRODUCER_ID,
    "AddPartitionsToTxn": mock_cluster.ADD_PARTITIONS_TO_TXN,
    "Produce": mock_cluster.PRODUCE,
    "AddOffsetsToTxn": mock_cluster.ADD_OFFSETS_TO_TXN,
    "TxnOffsetCommit": mock_cluster.TXN_OFFSET_COMMIT,
    "EndTxn": mock_cluster.END_TXN,
}
"""The columns of the table, in the order in which a transaction sends them."""
SENT_WHILE_APPENDING: Final = frozenset({"AddPartitionsToTxn", "Produce"})

# ok: the library tries again, and nobody hears of it. Before EndTxn a failure is known not to have happened; after it
# only a clean answer counts.
TABLE: Final = """
CONCURRENT_TRANSACTIONS               ok      ok       aborted  ok       ok       ok
NOT_COORDINATOR                       ok      ok       ok       ok       ok       ok
COORDINATOR_NOT_AVAILABLE             ok      ok       ok       ok       ok       ok
COORDINATOR_LOAD_IN_PROGRESS          ok      ok       ok       ok       ok       ok
REQUEST_TIMED_OUT                     ok      aborted  ok       ok       ok       unknown
NOT_LEADER_FOR_PARTITION              ok      aborted  ok       aborted  aborted  unknown
UNKNOWN_TOPIC_OR_PART                 ok      ok       ok       ok       ok       unknown
INVALID_PRODUCER_EPOCH                fenced  fenced   fenced   fenced   fenced   fenced
PRODUCER_FENCED                       fenced  fenced   fenced   fenced   fenced   fenced
INVALID_PRODUCER_ID_MAPPING           ok      aborted  aborted  aborted  unknown  unknown
INVALID_TXN_STATE                     ok      unknown  aborted  unknown  unknown  unknown
TRANSACTION_ABORTABLE                 ok      aborted  aborted  aborted  aborted  unknown
TRANSACTIONAL_ID_AUTHORIZATION_FAILED fatal   fatal    aborted  fatal    fatal    fatal
TOPIC_AUTHORIZATION_FAILED            ok      waits    waits    waits    waits    unknown
GROUP_AUTHORIZATION_FAILED            ok      aborted  aborted  fatal    fatal    fatal
CLUSTER_AUTHORIZATION_FAILED          fatal   fatal    aborted  fatal    fatal    fatal
ILLEGAL_GENERATION                    ok      aborted  aborted  aborted  aborted  unknown
STALE_MEMBER_EPOCH                    ok      aborted  aborted  aborted  aborted  unknown
UNKNOWN_MEMBER_ID                     ok      fenced   fenced   fenced   fenced   fenced
FENCED_INSTANCE_ID                    ok      fenced   fenced   fenced   fenced   fenced
REBALANCE_IN_PROGRESS                 ok      aborted  aborted  aborted  aborted  unknown
OUT_OF_ORDER_SEQUENCE_NUMBER          ok      aborted  unknown  aborted  aborted  unknown
UNKNOWN_PRODUCER_ID                   ok      aborted  aborted  aborted  aborted  unknown
DUPLICATE_SEQUENCE_NUMBER             ok      aborted  ok       aborted  aborted  unknown
MSG_SIZE_TOO_LARGE                    ok      refused  refused  refused  refused  unknown
NOT_ENOUGH_REPLICAS                   ok      aborted  ok       aborted  aborted  unknown
UNKNOWN                               ok      aborted  aborted  aborted  aborted  unknown
"""

CLASSES: Final[dict[str, type[LogError] | None]] = {
    "ok": None,
    "aborted": Aborted,
    "refused": RecordRefused,
    "waits": NotGranted,
    "unknown": OutcomeUnknown,
    "fenced": Fenced,
    "fatal": Fatal,
}
CELLS: Final = [
    (request, error, CLASSES[told])
    for error, *row in (line.split() for line in TABLE.strip().splitlines())
    for request, told in zip(REQUESTS, row, strict=True)
]
ABREAST: Final = 9
AWAY_S: Final = 4.0
INBOX: Final = TopicPartition("in", 0)


class World:
    """A member of a group on a mock cluster."""

    def __init__(self, cluster: MockCluster, **options: object) -> None:
        cluster.make_topic("in", 1)
        cluster.make_topic("out", 1)
        self.cluster = cluster
        self.log = KafkaLog.connect(cluster.bootstrap, **options)
        self._assigned = False
        source = self.log.source(group="g", topics=["in"], listener=self, instance="i")
        assert isinstance(source, KafkaSource)
        self.source = source
        for _ in range(400):
            if self._assigned:
                return
            source.poll(10, 50)
        raise AssertionError("the mock cluster assigned nothing")

    def on_assigned(self, partitions: object) -> None:
        self._assigned = True

    def on_revoked(self, partitions: object) -> None: ...

    def on_lost(self, partitions: object) -> None: ...

    def close(self) -> None:
        self.source.close()
        self.log.close()


class Came(NamedTuple):
    """What came of an error, and of the transaction after it."""

    told: type[LogError] | None
    then: LogError | None


def _came(world: World, request_name: str, error: str, count: int) -> Came:
    request = REQUESTS[request_name]
    transactor: Transactor = world.log.transactor(f"{request_name}-{error}")
    opens = request_name == "InitProducerId"
    told: type[LogError] | None = None
    then: LogError | None = None
    try:
        if not opens:
            transactor.open()
        world.cluster.fail(request, [getattr(KafkaError, error)])
        try:
            if opens:
                transactor.open()
            else:
                _commit(world, transactor, count)
        except LogError as raised:
            told = type(raised)
        world.cluster.clear(request)
        try:
            if told in (OutcomeUnknown, Fenced, Fatal):
                transactor.reopen()
            _commit(world, transactor, count)
            _commit_with_all(world, transactor, count)
        except LogError as raised:
            then = raised
    finally:
        world.cluster.clear(request)
        transactor.close()
    return Came(told, then)


def _commit(world: World, transactor: Transactor, count: int = 1) -> None:
    records = [OutRecord("out", 0, b"k", b"v")] * count
    transactor.commit(records, {INBOX: Committed(1, "")}, world.source)


def _commit_with_all(world: World, transactor: Transactor, count: int) -> None:
    """Each producer in its turn. The one that was struck may need to begin again: records that failed leave a gap in its numbers."""
    for _ in transactor.ids:
        for _ in range(20):
            try:
                _commit(world, transactor, count)
            except (Aborted, NotGranted):
                continue
            except OutcomeUnknown:
                transactor.reopen()
                continue
            break
        else:
            _commit(world, transactor, count)


def _came_of_all(
    cells: Sequence[tuple[str, str]], count: int, options: Mapping[str, object]
) -> dict[tuple[str, str], Came]:
    with MockCluster() as cluster:
        world = World(cluster, **options)
        try:
            return {cell: _came(world, *cell, count) for cell in cells}
        finally:
            world.close()


def _side_by_side(
    cells: Sequence[tuple[str, str]], count: int = 1, **options: object
) -> dict[tuple[str, str], Came]:
    """Nearly all of the time is the library's waiting."""
    with ThreadPoolExecutor(ABREAST) as pool:
        parts = [
            pool.submit(_came_of_all, cells[start::ABREAST], count, options)
            for start in range(ABREAST)
        ]
        return {cell: one for part in parts for cell, one in part.result().items()}


@pytest.fixture(scope="module")
def came() -> dict[tuple[str, str], Came]:
    """Of every cell."""
    return _side_by_side([(request, error) for request, error, _ in CELLS])


@pytest.mark.parametrize(
    ("request_name", "error", "expected"),
    [pytest.param(*cell, id=f"{cell[0]}-{cell[1]}") for cell in CELLS],
)
def test_what_becomes_of_an_error(
    came: dict[tuple[str, str], Came],
    request_name: str,
    error: str,
    expected: type[LogError] | None,
) -> None:
    """The class, that the transaction which follows is committed, and that the producer which was struck goes on."""
    assert came[request_name, error] == Came(expected, None)


def test_what_fails_while_records_are_still_appended_ends_alike() -> None:
    """A send buffer of a few records: the first of them have been answered before the last can be appended."""
    expected = {
        (request, error): Came(told, None)
        for request, error, told in CELLS
        if request in SENT_WHILE_APPENDING and told is not None
    }

    came = _side_by_side(list(expected), 100, **{"queue.buffering.max.messages": 10})

    assert came == expected


def test_a_missing_grant_that_is_told_while_offsets_are_sent_is_named() -> None:
    """Offsets that are to be sent again are not, by then, and the library gives only that as the reason."""
    with MockCluster() as cluster:
        world = World(cluster)
        try:
            transactor = world.log.transactor("ungranted")
            transactor.open()
            refused = KafkaError.TOPIC_AUTHORIZATION_FAILED
            cluster.delay_next(1, mock_cluster.ADD_PARTITIONS_TO_TXN, 200, refused)
            cluster.fail(mock_cluster.TXN_OFFSET_COMMIT, [KafkaError.CONCURRENT_TRANSACTIONS])
            with pytest.raises(NotGranted, match="Write on topic out"):
                _commit(world, transactor)
            transactor.close()
        finally:
            world.close()


class LateLane(Lane):
    """By the time its offsets are sent, the library knows what became of the records."""

    def _send_offsets(self, *args: Any) -> None:
        time.sleep(0.2)
        super()._send_offsets(*args)


@pytest.mark.parametrize(
    "request_name",
    [mock_cluster.ADD_PARTITIONS_TO_TXN, mock_cluster.PRODUCE],
    ids=["AddPartitionsToTxn", "Produce"],
)
def test_a_failure_of_records_that_is_told_as_one_of_offsets_ends_nothing(
    request_name: int,
) -> None:
    """Of the offsets, this error would end the process."""
    with MockCluster() as cluster:
        world = World(cluster)
        lane = LateLane(KafkaOptions.parse(cluster.bootstrap, {}), "late")
        try:
            lane.open(time.monotonic() + 10)
            cluster.fail(request_name, [KafkaError.GROUP_AUTHORIZATION_FAILED])
            records, offsets = [OutRecord("out", 0, b"k", b"v")], [to_client(INBOX, 1)]
            with pytest.raises(CallFailed) as raised:
                lane.commit(
                    records, offsets, "g", world.source.group_metadata(), time.monotonic() + 10
                )
            assert raised.value.verdict is Verdict.ABORT
        finally:
            lane.drop()
            world.close()


def test_a_commit_that_takes_longer_than_a_request_may_is_in_doubt() -> None:
    """The library sends EndTxn again on the same epoch and calls that a success (KAFKA-17754): nobody may rely on it."""
    with MockCluster() as cluster:
        world = World(cluster)
        try:
            _commit_slowly(world)
        finally:
            world.close()


def _commit_slowly(world: World) -> None:
    log = KafkaLog.connect(world.cluster.bootstrap, **{"socket.timeout.ms": "1000"})
    transactor = log.transactor("slow")
    transactor.open()
    world.cluster.delay_next(1, mock_cluster.END_TXN, 1_500)
    try:
        with pytest.raises(OutcomeUnknown):
            _commit(world, transactor)
    finally:
        transactor.close()
        log.close()


def test_a_coordinator_that_goes_away_holds_nobody_up_for_longer_than_a_transaction_may_take() -> (
    None
):
    """The library waits for the group's until it is back, whatever time it was given (confluentinc/librdkafka#5456)."""
    with MockCluster(2) as cluster:
        world = World(cluster, transaction_timeout_ms=1_000)
        comes_back = Timer(AWAY_S, cluster.start, [2])
        try:
            transactor = _opened_without(2, world)
            cluster.stop(2)
            comes_back.start()
            with pytest.raises(OutcomeUnknown, match="no return"):
                _commit(world, transactor)
            comes_back.join()
            transactor.reopen()
            _commit(world, transactor)
            transactor.close()
        finally:
            comes_back.cancel()
            world.close()


def _opened_without(broker: int, world: World) -> Transactor:
    """Only the group is with this broker, and everybody knows it."""
    transactor = world.log.transactor("held-up")
    for transactional_id in transactor.ids:
        world.cluster.move_coordinator(transactional_id, 1)
    for topic in ("in", "out"):
        world.cluster.move_leader(topic, 1)
    world.cluster.move_group("g", broker)
    transactor.open()
    for _ in transactor.ids:
        _commit(world, transactor)
    return transactor
