"""What the rendered pods tell Kafka: settings that the code takes, and with Strimzi the topics and the least rights."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streamflow import topology
from streamflow.envconfig import ClientConfigProfile
from streamflow.kafka.options import KafkaOptions
from streamflow.ports import TopicSpec
from streamflow.schedules.facts import SCHEDULES_QUEUE
from tests.deploy.rendering import (
    CASES,
    Resource,
    case,
    containers,
    environment,
    named,
    pods,
    rendered,
    resources,
    template,
    values_file,
)

pytestmark = pytest.mark.deploy

FIELDS = {"metadata.name": "pod-7", "metadata.namespace": "apps"}
SOURCES = Path(topology.__file__).parents[1]


CERTIFICATES = ("ca/ca.crt", "client/client.crt", "client/client.key")


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """What stands for /etc/streamflow: certificates, each with its own name in it."""
    for name in CERTIFICATES:
        path = tmp_path / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "etc"


def _profile(
    found: list[Resource], variables: dict[str, str], mounted: Path
) -> ClientConfigProfile:
    text = named(found, "ConfigMap", "-profile")["data"]["streamflow.toml"]
    text = text.replace("/etc/streamflow", str(mounted))
    return ClientConfigProfile.load(
        config_source=text, config_file_strict=True, override_env_vars=variables
    )


def _variables(found: list[Resource]) -> dict[str, str]:
    stateful = [pod for owner, pod in pods(found) if owner["kind"] == "StatefulSet"]
    return environment(containers(stateful[0])[0], FIELDS)


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_the_profile_is_one_that_the_code_reads(name: str, mounted: Path) -> None:
    """Without an unknown name, and with options that are left to the user."""
    found = rendered(name)

    profile = _profile(found, _variables(found), mounted)

    assert profile.address is not None
    KafkaOptions.parse(profile.address, profile.kafka_options())


@pytest.mark.parametrize("name", CASES)
def test_the_hooks_profile_is_the_releases_own(name: str) -> None:
    maps = [one["data"] for one in rendered(name) if one["kind"] == "ConfigMap"]
    profiles = [data["streamflow.toml"] for data in maps if "streamflow.toml" in data]

    assert len(set(profiles)) == 1


def test_login_and_certificates_reach_librdkafka(mounted: Path) -> None:
    by_password, by_certificate, of_operator = (
        _profile(found, _variables(found), mounted).kafka_options()
        for found in map(rendered, ("production", "keda", "strimzi"))
    )

    assert by_password == {
        "client.rack": "eu-1a",
        "statistics.interval.ms": "0",
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "username",
        "sasl.password": "password",
        "ssl.ca.pem": "ca/ca.crt",
    }
    assert by_certificate == {
        "security.protocol": "ssl",
        "ssl.ca.pem": "ca/ca.crt",
        "ssl.certificate.pem": "client/client.crt",
        "ssl.key.pem": "client/client.key",
    }
    assert (
        of_operator["sasl.username"] == named(rendered("strimzi"), "KafkaUser")["metadata"]["name"]
    )
    assert of_operator["security.protocol"] == "sasl_ssl"


def test_certificates_are_mounted_where_the_profile_looks_for_them() -> None:
    found = rendered("keda")
    text = named(found, "ConfigMap", "-profile")["data"]["streamflow.toml"]
    pod = named(found, "StatefulSet")["spec"]["template"]
    volumes = {one["name"]: one["secret"] for one in pod["spec"]["volumes"] if "secret" in one}

    files = {
        f"{mount['mountPath']}/{item['path']}"
        for mount in containers(pod)[0]["volumeMounts"]
        if mount["name"] in volumes
        for item in volumes[mount["name"]]["items"]
    }

    assert files == {f"/etc/streamflow/{name}" for name in CERTIFICATES}
    assert files == set(re.findall(r'"(/etc/streamflow/[^"]+)"', text))


@pytest.mark.parametrize("name", CASES)
def test_variables_are_ones_that_the_code_looks_at(name: str) -> None:
    """A name of ours that nobody reads would be a setting without effect."""
    sources = "".join(path.read_text() for path in SOURCES.rglob("*.py"))
    options = {"sasl.username", "sasl.password"}
    for _, pod in pods(rendered(name)):
        for container in containers(pod):
            for variable in environment(container, FIELDS):
                if variable.startswith("STREAMFLOW_KAFKA_"):
                    option = variable.removeprefix("STREAMFLOW_KAFKA_").lower().replace("_", ".")
                    assert option in options
                elif variable.startswith("STREAMFLOW_GATEWAY_"):
                    assert f'"{variable.removeprefix("STREAMFLOW_GATEWAY_").lower()}"' in sources
                elif variable.startswith("STREAMFLOW_"):
                    short = variable.removeprefix("STREAMFLOW_")
                    assert variable in sources or f'"{short}"' in sources, variable


def test_a_changed_profile_restarts_the_pods_and_nothing_else_does(tmp_path: Path) -> None:
    def sums(values: dict[str, object]) -> set[str]:
        text = template([case("minimal"), values_file(tmp_path, values)])
        return {
            pod["metadata"]["annotations"]["checksum/profile"]
            for owner, pod in pods(resources(text))
            if owner["kind"] in ("Deployment", "StatefulSet")
        }

    before = sums({})

    assert len(before) == 1
    assert sums({"retentionDays": 7}).isdisjoint(before)
    assert sums({"workers": {"replicaCount": 9}}) == before


def test_lags_are_of_the_groups_and_topics_that_there_are() -> None:
    """Processors have inboxes of queues with workflows, workers the activities of all."""
    found = rendered("keda")
    by_part = {
        part: [
            (trigger["metadata"]["consumerGroup"], trigger["metadata"]["topic"])
            for trigger in named(found, "ScaledObject", part)["spec"]["triggers"]
        ]
        for part in ("-processor", "-worker")
    }

    assert by_part["-processor"] == [
        (topology.processor_group("default", "orders"), topology.inbox_topic("default", "orders"))
    ]
    assert by_part["-worker"] == [
        (topology.activity_group("default", queue), topology.activities_topic("default", queue))
        for queue in ("orders", "mails")
    ]


def test_a_queues_encoded_name_is_the_codes() -> None:
    from streamflow.topology.names import encode_queue

    assert encode_queue("my refunds") == "my_20refunds"


# -- Strimzi ----------------------------------------------------------------------------------------------------------


def _spec(resource: Resource) -> TopicSpec:
    spec = resource["spec"]
    return TopicSpec(
        name=spec["topicName"],
        partitions=spec["partitions"],
        replication_factor=spec["replicas"],
        config=spec["config"],
    )


def test_strimzis_topics_are_those_that_streamflow_declares() -> None:
    queues = [
        topology.Queue(name="orders", partitions=12, kind="workflow"),
        topology.Queue(name="mails", partitions=6, kind="activity"),
        topology.Queue(name=SCHEDULES_QUEUE, partitions=None, kind="workflow"),
    ]
    declared = topology.declare("shop", queues, replication_factor=3)

    made = [one for one in rendered("strimzi") if one["kind"] == "KafkaTopic"]

    assert sorted(map(_spec, made), key=lambda one: one.name) == sorted(
        declared.topics, key=lambda one: one.name
    )
    assert len({one["metadata"]["name"] for one in made}) == len(made)
    # The operator would delete a topic with its resource.
    assert {one["metadata"]["annotations"]["helm.sh/resource-policy"] for one in made} == {"keep"}


def test_strimzis_user_has_the_least_rights_that_are_documented() -> None:
    acls = named(rendered("strimzi"), "KafkaUser")["spec"]["authorization"]["acls"]

    rights = {
        tuple(acl["resource"].get(part, "") for part in ("type", "patternType", "name")): set(
            acl["operations"]
        )
        for acl in acls
    }
    assert rights == {
        ("topic", "prefix", "shop."): {"Read", "Write", "Describe", "DescribeConfigs"},
        ("group", "prefix", "shop."): {"Read", "Describe"},
        ("group", "literal", KafkaOptions(bootstrap="").reading()["group.id"]): {"Describe"},
        ("group", "literal", KafkaOptions(bootstrap="").tailing()["group.id"]): {"Describe"},
        ("transactionalId", "prefix", "shop."): {"Write", "Describe"},
        ("cluster", "", ""): {"Describe", "DescribeConfigs"},
    }


def test_with_strimzi_topics_are_stamped_by_a_job_that_is_no_hook() -> None:
    """They are resources of the release, so a hook before it would wait for them for ever."""
    job = named(rendered("strimzi"), "Job")

    assert "annotations" not in job["metadata"]
    assert job["metadata"]["name"].endswith("-topology-1")
