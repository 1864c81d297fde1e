"""A release without a cluster: every command that the pods run is run here, against a real Kafka, and asked as kubelets ask."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from streamflow.kafka import KafkaLog
from streamflow.ports import TopicSpec
from streamflow.testing.kafka_broker import KafkaBroker
from streamflow.testing.kafka_network import Network
from tests.deploy.kubelet import comes_up_and_stops
from tests.deploy.rendering import Resource, named, resources, template, values_file
from tests.integration.cli.processes import Shell
from tests.integration.cli.shop import QUEUE
from tests.integration.cli.test_on_kafka import APP, prepared

PARTS = {f"rel-streamflow-{part}" for part in ("processor", "worker", "schedules", "gateway")}
USER = "rel-streamflow"


def _values(namespace: str, bootstrap: str) -> dict[str, Any]:
    """All parts, on one broker."""
    return {
        "apps": [APP],
        "namespace": namespace,
        "queues": [{"name": QUEUE, "partitions": 2}],
        "kafka": {"bootstrapServers": bootstrap},
        "topology": {"dev": True, "replicationFactor": 1},
        "schedules": {"enabled": True},
        "gateway": {"insecure": True},
        "tests": {"workflow": {"type": "Sleeper", "queue": QUEUE, "input": ["0.1"]}},
    }


@pytest.fixture
def shell(tmp_path: Path, namespace: str) -> Iterator[Shell]:
    """Where nothing but what the pods are given says where Kafka is."""
    shell = prepared(Shell(tmp_path), tmp_path, namespace, "")
    for name in ("STREAMFLOW_ADDRESS", "STREAMFLOW_NAMESPACE"):
        del shell.environment[name]
    yield shell
    shell.close()


@pytest.mark.deploy
@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_a_release_comes_up_passes_its_test_and_stops(
    shell: Shell, namespace: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    values = values_file(tmp_path, _values(namespace, kafka_bootstrap))
    release = resources(template([values]))

    started = comes_up_and_stops(release, shell)

    assert set(started) == PARTS
    said = started["rel-streamflow-processor"].running.output
    logged = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {line["name"] for line in logged if line["event"] == "worker_started"} == {
        "apps.rel-streamflow-processor-0"
    }


# -- with the rights of Strimzi's user alone --------------------------------------------------------------------------

SECURED: Mapping[str, str] = {
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.proxied.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule "
    f'required user_{USER}="password";',
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    # Ourselves, as the operators, and the broker to itself.
    "super.users": "User:ANONYMOUS",
}


def _operate(release: list[Resource], bootstrap: str) -> None:
    """What Strimzi's operators do with the release's resources."""
    log = KafkaLog.connect(bootstrap)
    try:
        log.create_topics(
            [
                TopicSpec(
                    name=one["spec"]["topicName"],
                    partitions=one["spec"]["partitions"],
                    replication_factor=one["spec"]["replicas"],
                    config=one["spec"]["config"],
                )
                for one in release
                if one["kind"] == "KafkaTopic"
            ]
        )
    finally:
        log.close()
    kinds = {
        "topic": ResourceType.TOPIC,
        "group": ResourceType.GROUP,
        "transactionalId": ResourceType.TRANSACTIONAL_ID,
        "cluster": ResourceType.BROKER,
    }
    operations = {one.name.replace("_", ""): one for one in AclOperation}
    bindings = [
        AclBinding(
            kinds[acl["resource"]["type"]],
            acl["resource"].get("name", "kafka-cluster"),
            ResourcePatternType.PREFIXED
            if acl["resource"].get("patternType") == "prefix"
            else ResourcePatternType.LITERAL,
            f"User:{USER}",
            "*",
            operations[operation.upper()],
            AclPermissionType.ALLOW,
        )
        for acl in named(release, "KafkaUser")["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    ]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_acls(bindings).values():
        future.result(10)


@pytest.mark.deploy
@pytest.mark.own_broker
@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_a_release_does_with_the_rights_of_its_user(
    shell: Shell, namespace: str, tmp_path: Path
) -> None:
    """On a broker that lets nobody do anything that was not granted: all of it works with what the KafkaUser says."""
    with Network() as network:
        link = network.link("clients")
        with KafkaBroker(proxied_at=link.address, settings=SECURED) as broker:
            link.upstream = broker.behind_proxy
            values = _values(namespace, link.address)
            values["kafka"]["sasl"] = {"mechanism": "PLAIN"}
            values["strimzi"] = {"enabled": True, "cluster": "main", "listenerTls": False}
            release = resources(template([values_file(tmp_path, values)]))
            assert named(release, "KafkaUser")["metadata"]["name"] == USER
            _operate(release, broker.bootstrap)

            started = comes_up_and_stops(release, shell)

            assert set(started) == PARTS
            for one in started.values():
                assert "AUTHORIZATION" not in one.running.output.upper()
