"""What each role is granted: enough is tried on a real broker (tests/integration/kafka); here, that it is no more."""

from __future__ import annotations

import json

import pytest

from streamflow.cli.operating.topology_acls import acls
from streamflow.cli.shared.exits import CommandError
from streamflow.topology.grants import ROLES, Role, grants

QUEUES = ["orders", "bills & more"]
READING = {"Read", "Describe", "DescribeConfigs"}


def by_operation(role: Role, operation: str, resource: str = "topic") -> set[str]:
    return {
        grant.name
        for grant in grants("n", ["orders"], role)
        if grant.resource == resource and operation in grant.operations
    }


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_nobody_but_the_admin_makes_or_changes_topics(role: Role) -> None:
    changing = {"Create", "Delete", "Alter", "AlterConfigs"}

    assert not any(changing & set(grant.operations) for grant in grants("n", QUEUES, role))


@pytest.mark.parametrize("role", ROLES)
def test_every_grant_is_within_the_namespace(role: Role) -> None:
    """But for the cluster's settings."""
    outside = {grant.name for grant in grants("n", QUEUES, role) if not grant.name.startswith("n.")}

    assert outside <= {"kafka-cluster"}


def test_only_processors_write_histories_and_only_they_read_them() -> None:
    """Beside the admin, who verifies them and sends letters once more."""
    assert {role for role in ROLES if "n.orders.history" in by_operation(role, "Write")} == {
        "processor"
    }
    assert {role for role in ROLES if "n.orders.history" in by_operation(role, "Read")} == {
        "processor"
    }
    assert not by_operation("worker", "Write", "transactional-id")


def test_a_gateway_writes_what_a_client_writes_who_changed_what_and_dead_letters() -> None:
    def writes(role: Role) -> list[str]:
        return [g.name for g in grants("n", QUEUES, role) if not set(g.operations) <= READING]

    assert writes("gateway") == [
        *writes("client"),
        *("n.audit", "n.dead-letters", "n.orders.activities", "n.bills_20_26_20more.activities"),
    ]
    assert {role for role in ROLES if "n.audit" in by_operation(role, "Read")} == {"gateway"}


def test_commands_name_everything_and_quote_it(capsys: pytest.CaptureFixture[str]) -> None:
    acls(role="processor", queue=QUEUES, namespace="n", principal="User:CN=a b", reaches=["other"])

    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    assert len(lines) == len(grants("n", QUEUES, "processor", reaches=["other"]))
    assert all("--add --allow-principal 'User:CN=a b' --operation " in line for line in lines)
    assert any("--topic n.bills_20_26_20more.inbox" in line for line in lines)
    assert any("--topic n.other.inbox" in line for line in lines)
    assert any(
        line.endswith("--transactional-id n.orders. --resource-pattern-type prefixed")
        for line in lines
    )
    assert any(line.endswith("--operation DescribeConfigs --cluster") for line in lines)


def test_other_forms_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    acls(role="worker", queue=["orders"], namespace="n", form="json")
    said = json.loads(capsys.readouterr().out)
    acls(role="worker", queue=["orders"], namespace="n", form="strimzi")
    strimzi = capsys.readouterr().out

    assert [entry["name"] for entry in said] == [g.name for g in grants("n", ["orders"], "worker")]
    assert strimzi.count("- resource:") == len(said)
    assert 'name: "n.orders.activities"' in strimzi


def test_a_role_without_queues_is_refused() -> None:
    with pytest.raises(CommandError, match="--queue"):
        acls(role="worker")
