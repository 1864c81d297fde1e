"""Settings under which nobody should work, and what mends them."""

from __future__ import annotations

import msgspec
import pytest

from streamflow import topology
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.model.queues import QueueEntry
from streamflow.ports import BrokerState, TopicState

ORDERS = QueueEntry(name="orders", partitions=12)
HISTORY = "shop.orders.history"


def as_declared(replicas: int = 3) -> dict[str, TopicState]:
    declared = topology.declare("shop", [topology.Queue(name="orders")])
    return {
        spec.name: TopicState(
            name=spec.name,
            partitions=spec.partitions,
            replication_factor=replicas,
            config=spec.config,
        )
        for spec in declared.topics
    }


def faults(topic: str, config: dict[str, str], *, replicas: int = 3) -> list[topology.Fault]:
    found = as_declared(replicas)
    settings = {name.replace("_", "."): value for name, value in config.items()}
    changed = msgspec.structs.replace(found[topic], config={**found[topic].config, **settings})
    return topology.topic_faults("shop", ORDERS, {**found, topic: changed})


def test_what_is_declared_is_safe() -> None:
    assert topology.topic_faults("shop", ORDERS, as_declared()) == []


@pytest.mark.parametrize(
    ("topic", "config", "fatal"),
    [
        (HISTORY, {"cleanup_policy": "delete"}, True),
        (HISTORY, {"cleanup_policy": "compact,delete"}, True),
        ("shop.orders.inbox", {"cleanup_policy": "compact"}, True),
        (HISTORY, {"message_timestamp_type": "CreateTime"}, True),
        (HISTORY, {"unclean_leader_election_enable": "true"}, True),
        (HISTORY, {"min_insync_replicas": "1"}, True),
        (HISTORY, {"delete_retention_ms": "86400000"}, True),
        ("shop.orders.inbox", {"retention_ms": "60000"}, False),
        ("shop.orders.inbox", {"max_message_bytes": "1000"}, False),
    ],
)
def test_each_setting_that_loses_something_is_a_fault_with_a_command(
    topic: str, config: dict[str, str], fatal: bool
) -> None:
    [fault] = faults(topic, config)

    assert (fault.subject, fault.fatal) == (topic, fatal)
    [(name, value)] = config.items()
    assert f"Expected {name.replace('_', '.')}" in fault.message
    assert value in fault.message
    assert fault.command.startswith(
        ("streamflow topology apply --queue orders", "kafka-configs.sh")
    )


@pytest.mark.parametrize(
    "config",
    [
        {"min_insync_replicas": "3"},
        {"delete_retention_ms": "2592000000"},
        {"retention_ms": "-1"},
        {"max_message_bytes": "9000000"},
    ],
)
def test_more_than_is_declared_is_no_fault(config: dict[str, str]) -> None:
    assert faults("shop.orders.inbox", config) == []


def test_few_replicas_are_no_fault_by_themselves() -> None:
    """A laptop has one broker; `streamflow topology apply` is where more are asked for."""
    assert faults(HISTORY, {"min_insync_replicas": "1"}, replicas=1) == []
    [fault] = faults(HISTORY, {"delete_retention_ms": "1"}, replicas=1)
    assert fault.command.endswith("--dev")


def broker(**config: str) -> BrokerState:
    settings = {name.replace("_", "."): value for name, value in config.items()}
    return BrokerState(id=1, address="kafka:9092", config=settings)


@pytest.mark.parametrize(
    ("config", "fatal"),
    [
        ({"inter_broker_protocol_version": "3.9-IV0"}, True),
        ({"transaction_max_timeout_ms": "5000"}, True),
        ({"group_min_session_timeout_ms": "10000"}, True),
        ({"group_max_session_timeout_ms": "5000"}, True),
        ({"auto_create_topics_enable": "true"}, False),
        ({"log_cleaner_enable": "false"}, False),
        ({"transaction_state_log_min_isr": "1"}, False),
        ({"transaction_state_log_replication_factor": "1"}, False),
        ({"offsets_topic_replication_factor": "2"}, False),
    ],
)
def test_brokers_are_looked_at_too(config: dict[str, str], fatal: bool) -> None:
    [fault] = topology.broker_faults([broker(**config)])

    assert fault.fatal is fatal
    assert fault.subject == "broker 1 (kafka:9092)"
    assert next(iter(config.values())) in fault.message


def test_one_broker_is_enough_for_development() -> None:
    one = broker(transaction_state_log_min_isr="1", offsets_topic_replication_factor="1")

    assert topology.broker_faults([one], dev=True) == []


def test_who_does_not_answer_is_not_judged() -> None:
    assert topology.broker_faults([BrokerState(id=1, address="kafka:9092")]) == []


def test_a_log_of_one_process_is_never_refused() -> None:
    log = MemoryLog(MemoryBroker(), "p")
    entry = topology.ensure_queue(log, "shop", "orders", kind="workflow", create=True)
    log.alter_topics({HISTORY: {"cleanup.policy": "delete"}})

    topology.refuse_unsafe(log, "shop", entry)


def test_the_refusal_says_what_mends_it() -> None:
    refused = topology.UnsafeSettings(faults(HISTORY, {"min_insync_replicas": "1"}))

    assert str(refused) == (
        "shop.orders.history: Expected min.insync.replicas of at least 2 with 3 replicas, found 1: one lost broker may "
        "take acknowledged records with it. Mend it with: streamflow topology apply --queue orders --namespace shop"
    )
