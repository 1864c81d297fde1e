"""The cluster of our own tests is what it says: three copies, and no broker that all depends on."""

from __future__ import annotations

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streamflow.testing.kafka_cluster import KafkaCluster
from streamflow.testing.kafka_network import Kind, Trouble

pytestmark = [pytest.mark.kafka, pytest.mark.own_broker, pytest.mark.timeout(240)]

WAIT_S = 40.0


def test_what_was_acknowledged_outlives_any_broker(
    kafka_cluster: KafkaCluster, namespace: str
) -> None:
    """Its leader is killed at once: the others have it, and serve it while the killed one is away."""
    topic = f"{namespace}.log"
    admin = AdminClient({"bootstrap.servers": kafka_cluster.direct})
    admin.create_topics([NewTopic(topic, num_partitions=1)])[topic].result(WAIT_S)
    producer = Producer(
        {"bootstrap.servers": kafka_cluster.bootstrap, "transactional.id": namespace}
    )
    producer.init_transactions(WAIT_S)
    producer.begin_transaction()
    producer.produce(topic, b"kept")
    producer.commit_transaction(WAIT_S)
    described = admin.list_topics(topic, timeout=WAIT_S).topics[topic].partitions[0]

    kafka_cluster.brokers[described.leader].kill()
    assert not kafka_cluster.is_in_sync()
    found = first_value(kafka_cluster.bootstrap, topic)
    kafka_cluster.brokers[described.leader].start()
    kafka_cluster.wait_until_in_sync()

    assert sorted(described.replicas) == [1, 2, 3]
    assert found == b"kept"


def test_the_network_of_clients_is_the_clusters(kafka_cluster: KafkaCluster) -> None:
    """Clients are sent back through it by every broker, so that a cut leaves them none."""
    cut_off = AdminClient({"bootstrap.servers": kafka_cluster.bootstrap, "client.id": "cut-off"})
    known = {broker.port for broker in cut_off.list_topics(timeout=WAIT_S).brokers.values()}

    with kafka_cluster.network.trouble(Trouble(Kind.CUT, client="cut-off")):
        with pytest.raises(KafkaException):
            cut_off.list_topics(timeout=1)
        assert (
            len(
                AdminClient({"bootstrap.servers": kafka_cluster.bootstrap})
                .list_topics(timeout=WAIT_S)
                .brokers
            )
            == 3
        )

    ports = {int(b.clients_link.address.rpartition(":")[2]) for b in kafka_cluster.brokers.values()}
    assert known == ports


def first_value(bootstrap: str, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        messages = consumer.consume(1, WAIT_S)
    finally:
        consumer.close()
    return messages[0].value() if messages else None
