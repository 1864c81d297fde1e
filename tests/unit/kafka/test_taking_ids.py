"""How a transactional ID is taken: soon, and by one request at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from streamflow.kafka import KafkaLog
from streamflow.kafka.errors import CallFailed, Verdict
from streamflow.kafka.lane import Lane
from streamflow.kafka.options import KafkaOptions
from streamflow.ports import Fatal, Transactor
from tests.unit.kafka.mock_cluster import INIT_PRODUCER_ID, MockCluster

SLOW_MS = 1_500


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with MockCluster() as cluster:
        cluster.listen()
        yield cluster


@pytest.fixture
def transactor(cluster: MockCluster) -> Iterator[Transactor]:
    log = KafkaLog.connect(cluster.bootstrap)
    transactor = log.transactor("t")
    yield transactor
    transactor.close()
    log.close()


def test_a_slow_coordinator_is_asked_once_for_each_id(
    cluster: MockCluster, transactor: Transactor
) -> None:
    """Asked again while the first request is under way, it would count on, and fence the very producer that it answers."""
    for _ in transactor.ids:
        cluster.delay_next(1, INIT_PRODUCER_ID, SLOW_MS)

    transactor.open()

    assert cluster.heard(INIT_PRODUCER_ID) == len(transactor.ids)


def test_a_last_transaction_that_still_ends_is_asked_for_again_at_once(
    cluster: MockCluster, transactor: Transactor
) -> None:
    """The library alone would ask each half second."""
    tries = 4 * len(transactor.ids)
    cluster.fail(INIT_PRODUCER_ID, [KafkaError.CONCURRENT_TRANSACTIONS] * tries)

    began = time.monotonic()
    transactor.open()

    assert cluster.heard(INIT_PRODUCER_ID) == tries + len(transactor.ids)
    assert time.monotonic() - began < 0.5 * 4, "asked by the library's own clock"


def test_an_id_that_may_not_be_taken_is_refused_at_once(
    cluster: MockCluster, transactor: Transactor
) -> None:
    refused = KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    cluster.fail(INIT_PRODUCER_ID, [refused] * len(transactor.ids))

    with pytest.raises(Fatal, match="Grant this client Write on transactional-id"):
        transactor.open()


@pytest.mark.parametrize(
    ("logged", "verdict"),
    [("", Verdict.UNKNOWN), (KafkaError(KafkaError._FENCED).str(), Verdict.FENCED)],
)
def test_a_call_that_forgets_what_it_ended_by_ends_the_lane_and_not_the_process(
    cluster: MockCluster, logged: str, verdict: Verdict
) -> None:
    """``flush`` of a fenced producer has raised a bare SystemError, on a busy machine."""
    lane = Lane(KafkaOptions(bootstrap=cluster.bootstrap), "t")
    lane._watch.log(40, "", "FATAL", "", f"Fatal error: {logged}")

    def forgets(_wait_s: float) -> int:
        raise SystemError("returned NULL without setting an exception")

    with pytest.raises(CallFailed) as failed:
        lane._serve(forgets, 0.0)
    lane.drop()

    assert failed.value.verdict is verdict
