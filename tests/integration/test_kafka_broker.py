"""The broker of our own tests keeps what it promises: transactions, data through a kill, no orphans."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streamflow.testing.kafka import KafkaBroker, KafkaUnavailable, kafka_for_tests

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

WAIT_S = 30.0


@pytest.fixture(scope="module")
def broker() -> Iterator[KafkaBroker]:
    with KafkaBroker() as broker:
        yield broker


def test_only_committed_transactions_are_read(kafka_bootstrap: str, namespace: str) -> None:
    topic = create_topic(kafka_bootstrap, f"{namespace}.log")

    producer = transactional_producer(kafka_bootstrap, namespace)
    for outcome in ("aborted", "committed"):
        producer.begin_transaction()
        producer.produce(topic, outcome.encode())
        producer.flush(WAIT_S)
        end = producer.commit_transaction if outcome == "committed" else producer.abort_transaction
        end(WAIT_S)

    assert values(kafka_bootstrap, topic, count=1) == [b"committed"]


@pytest.mark.own_broker
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_data_and_address_outlive_the_process(
    broker: KafkaBroker, namespace: str, how: str
) -> None:
    address, pid = broker.bootstrap, broker.pid
    topic = create_topic(address, f"{namespace}.log")
    producer = transactional_producer(address, namespace)
    producer.begin_transaction()
    producer.produce(topic, b"kept")
    producer.commit_transaction(WAIT_S)

    getattr(broker, how)()
    assert not psutil.pid_exists(pid)
    broker.start()

    assert broker.bootstrap == address
    assert values(address, topic, count=1) == [b"kept"]


@pytest.mark.own_broker
def test_a_broker_does_not_outlive_a_killed_parent() -> None:
    command = [sys.executable, "-m", "streamflow.testing.kafka"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        host, port = parent.stdout.readline().strip().rsplit(":", 1)
        children = psutil.Process(parent.pid).children()
        java = next(each for each in children if "java" in each.name())

        parent.kill()

        java.wait(WAIT_S)
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0


def test_an_address_in_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMFLOW_TEST_BOOTSTRAP", "kafka.example:9092")

    with kafka_for_tests() as bootstrap:
        assert bootstrap == "kafka.example:9092"


def test_what_is_missing_is_said_with_its_install_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.delenv("STREAMFLOW_TEST_BOOTSTRAP", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with (
        pytest.raises(KafkaUnavailable, match="apt-get install --yes default-jre-headless maven"),
        kafka_for_tests(),
    ):
        pass


def create_topic(bootstrap: str, name: str) -> str:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, num_partitions=1)])[name].result(WAIT_S)
    return name


def transactional_producer(bootstrap: str, transactional_id: str) -> Producer:
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": transactional_id})
    producer.init_transactions(WAIT_S)
    return producer


def values(bootstrap: str, topic: str, *, count: int) -> list[bytes | None]:
    """The first `count` committed values, and a look beyond them that must find nothing."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages: list[Message] = consumer.consume(count, WAIT_S) + consumer.consume(1, 0.5)
    consumer.close()
    return [message.value() for message in messages]
