"""Values that cannot be meant are refused before anything is sent to a cluster, with a message that says what is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamflow.kafka.options import RESERVED
from tests.deploy.generated import CHART
from tests.deploy.rendering import Refused, case, template, values_file

pytestmark = pytest.mark.deploy


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"processors": {"replicas": 3}}, "replicas"),
        ({"apps": ["shop.orders"]}, "apps"),
        ({"queues": [{"name": "orders"}]}, "partitions"),
        ({"queues": [{"name": "orders", "partitions": 0}]}, "partitions"),
        ({"queues": [{"name": "my orders", "partitions": 4}]}, "queues"),
        ({"namespace": "Shop"}, "namespace"),
        ({"retentionDays": 0}, "retentionDays"),
        ({"logLevel": "loud"}, "logLevel"),
        ({"kafka": {"bootstrapServers": "http://kafka"}}, "bootstrapServers"),
        ({"kafka": {"config": {"linger.ms": 5}}}, "linger.ms"),
        ({"kafka": {"config": {"acks": "1"}}}, "acks"),
        ({"kafka": {"sasl": {"mechanism": "GSSAPI"}}}, "mechanism"),
        ({"processors": {"persistence": {"accessModes": ["ReadWriteMany"]}}}, "accessModes"),
        ({"processors": {"terminationGracePeriodSeconds": 30}}, "terminationGracePeriodSeconds"),
        ({"gateway": {"publicUrl": "flows.example"}}, "publicUrl"),
        ({"strimzi": {"apiVersion": "kafka.strimzi.io/v1alpha1"}}, "apiVersion"),
        ({"image": {"digest": "latest"}}, "digest"),
    ],
    ids=str,
)
def test_a_value_of_another_kind_is_refused_by_its_name(
    values: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="don't meet the specifications") as refused:
        template([case("minimal"), values_file(tmp_path, values)])

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kafka": {"bootstrapServers": ""}}, "Expected kafka.bootstrapServers"),
        ({"apps": []}, "Expected apps, such as"),
        ({"gateway": {"insecure": False}}, "Expected gateway.access or gateway.existingSecret"),
        ({"processors": {"standby": 2}}, "each copy of a partition needs a pod of its own"),
        ({"gateway": {"existingSecret": "login"}}, "say which of them is meant"),
        ({"gateway": {"ingress": {"enabled": True}}}, "Expected gateway.publicUrl"),
        (
            {"workers": {"autoscaling": {"enabled": True}, "keda": {"enabled": True}}},
            "two scalers of one Deployment",
        ),
        ({"processors": {"keda": {"enabled": True}}, "queues": []}, "Expected queues for keda"),
        ({"kafka": {"sasl": {"mechanism": "PLAIN"}}}, "name the Secret"),
        (
            {
                "kafka": {
                    "sasl": {"mechanism": "PLAIN", "existingSecret": "login"},
                    "config": {"security.protocol": "SSL"},
                }
            },
            "remove it there",
        ),
        (
            {
                part: {"enabled": False}
                for part in ("processors", "workers", "gateway", "schedules")
            },
            "Expected something to run",
        ),
    ],
    ids=str,
)
def test_values_that_do_not_go_together_are_refused_with_what_to_do(
    values: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="execution error") as refused:
        template([case("minimal"), values_file(tmp_path, values)])

    assert said in str(refused.value)


def test_options_that_the_guarantees_rest_on_are_those_of_the_code() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    names = schema["properties"]["kafka"]["properties"]["config"]["propertyNames"]["not"]["enum"]
    assert set(names) == RESERVED


def test_every_value_that_there_is_has_a_default_and_a_place_in_the_schema() -> None:
    """So that `values.yaml` shows all there is to set; lists of free items and maps of one's own end there."""

    def names(schema: dict[str, Any], defaults: Any, where: str) -> None:
        known = schema.get("properties")
        if known is None or not isinstance(defaults, dict):
            return
        missing = known.keys() - defaults.keys() - {"global", "claims", "requests", "limits"}
        if not where.endswith(("resources", "quotas")):
            assert not missing, f"{where}: {missing}"
        assert defaults.keys() <= known.keys(), where
        for name, inner in known.items():
            names(inner, defaults.get(name), f"{where}.{name}")

    schema = json.loads((CHART / "values.schema.json").read_text())
    names(schema, msgspec.yaml.decode((CHART / "values.yaml").read_text()), "values")
