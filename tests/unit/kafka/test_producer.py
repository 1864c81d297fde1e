"""What senders are told by a plain producer whose client comes to its end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import KafkaError

from streamflow.kafka import KafkaLog
from streamflow.kafka.producer import KafkaProducer
from streamflow.ports import Fatal, LogError, OutRecord, Unavailable
from tests.unit.kafka.mock_cluster import INIT_PRODUCER_ID, PRODUCE, MockCluster

WAIT_MS = 20_000
RECORDS = 100


class Told:
    """How often each record was told of, and by what last."""

    def __init__(self) -> None:
        self.times: Counter[int] = Counter()
        self.errors: dict[int, LogError | None] = {}
        self._lock = threading.Lock()

    def send(self, producer: KafkaProducer, number: int) -> None:
        def done(error: LogError | None) -> None:
            with self._lock:
                self.times[number] += 1
                self.errors[number] = error

        producer.send(OutRecord("out", number % 2, None, b"v"), done)


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with MockCluster() as cluster:
        cluster.make_topic("out", 2)
        yield cluster


@pytest.fixture
def producer(cluster: MockCluster) -> Iterator[KafkaProducer]:
    log = KafkaLog.connect(cluster.bootstrap)
    producer = log.producer()
    assert isinstance(producer, KafkaProducer)
    yield producer
    producer.close()
    log.close()


def _refuse(cluster: MockCluster, request: int) -> None:
    cluster.fail(request, [KafkaError.CLUSTER_AUTHORIZATION_FAILED] * 1_000)


def test_every_sender_is_told_once_what_a_client_ended_by(
    cluster: MockCluster, producer: KafkaProducer
) -> None:
    """The library says it to whoever calls first, and of records only that they were given up, or nothing."""
    told = Told()
    _refuse(cluster, INIT_PRODUCER_ID)

    for number in range(RECORDS):
        told.send(producer, number)
    producer.flush(WAIT_MS)

    assert told.times == dict.fromkeys(range(RECORDS), 1)
    for error in told.errors.values():
        assert isinstance(error, Fatal)
        assert "CLUSTER_AUTHORIZATION_FAILED" in str(error)
        assert "Grant this client Write on topic out" in str(error)


def test_a_client_that_ended_is_followed_by_another(
    cluster: MockCluster, producer: KafkaProducer
) -> None:
    """Once it may do what it is for, records are appended; before that they are refused, not kept waiting."""
    told = Told()
    _refuse(cluster, INIT_PRODUCER_ID)
    told.send(producer, 0)
    producer.flush(WAIT_MS)
    cluster.clear(INIT_PRODUCER_ID)

    sent = 1
    while told.errors[sent - 1] is not None:
        told.send(producer, sent)
        producer.flush(WAIT_MS)
        sent += 1
        threading.Event().wait(0.05)

    assert told.times == dict.fromkeys(range(sent), 1)


def test_senders_of_many_threads_are_all_told(
    cluster: MockCluster, producer: KafkaProducer
) -> None:
    """Also those who send while a client is given up and another takes its place."""
    told = Told()
    _refuse(cluster, INIT_PRODUCER_ID)

    def send_some(thread: int) -> None:
        for number in range(thread * RECORDS, (thread + 1) * RECORDS):
            told.send(producer, number)
            threading.Event().wait(0.03)
            if number % 10 == 0:
                producer.flush(WAIT_MS)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send_some, range(4)))
    producer.flush(WAIT_MS)

    assert told.times == dict.fromkeys(range(4 * RECORDS), 1)


def test_what_a_closed_producer_still_held_is_told_to_be_in_doubt(
    cluster: MockCluster, producer: KafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No broker answers, so nobody knows whether it was appended."""
    monkeypatch.setattr("streamflow.kafka.producer.CLOSE_TIMEOUT_S", 0.2)
    told = Told()
    told.send(producer, 0)
    producer.flush(WAIT_MS)
    assert told.errors == {0: None}
    cluster.delay(1, 60_000)

    told.send(producer, 1)
    producer.close()
    told.send(producer, 2)

    assert told.times == {0: 1, 1: 1, 2: 1}
    assert isinstance(told.errors[1], Unavailable)
    assert isinstance(told.errors[2], Unavailable)


def test_a_record_that_is_refused_leaves_the_client_in_use(
    cluster: MockCluster, producer: KafkaProducer
) -> None:
    told = Told()
    told.send(producer, 0)
    producer.flush(WAIT_MS)
    cluster.fail(PRODUCE, [KafkaError.TOPIC_AUTHORIZATION_FAILED])

    told.send(producer, 1)
    producer.flush(WAIT_MS)
    told.send(producer, 2)
    producer.flush(WAIT_MS)

    assert told.errors[0] is None
    assert "TOPIC_AUTHORIZATION_FAILED" in str(told.errors[1])
    assert told.times == {0: 1, 1: 1, 2: 1}
