"""A plan makes what is missing, mends what is harmless, and refuses what would lose or misplace data."""

from __future__ import annotations

import msgspec
import pytest

from streamflow.memory.log import MemoryLog
from streamflow.ports import TopicSpec
from streamflow.topology import (
    Plan,
    PlanRefused,
    Queue,
    QueueMismatch,
    QueueMissing,
    apply,
    declare,
    ensure_queue,
    plan,
    read_queues,
)
from streamflow.topology.declarations import in_broker_words, roles, topics_file
from streamflow.topology.planning import Alter

ORDERS = [Queue(name="orders")]
SAFE = declare("default", ORDERS)


def _spec(name: str) -> TopicSpec:
    return next(spec for spec in SAFE.topics if spec.name == name)


def _with(
    log: MemoryLog, name: str, *, partitions: int | None = None, replicas: int = 3, **config: str
) -> Plan:
    """The plan for a log on which one topic already exists, a little different."""
    spec = _spec(name)
    settings = dict(spec.config) | {key.replace("_", "."): text for key, text in config.items()}
    changed = msgspec.structs.replace(
        spec, partitions=partitions or spec.partitions, replication_factor=replicas, config=settings
    )
    log.create_topics([changed])
    return plan(log, SAFE)


def test_an_empty_log_gets_everything_and_is_then_as_declared() -> None:
    """Applying once leaves nothing to do."""
    log = MemoryLog()

    apply(log, plan(log, SAFE))

    again = plan(log, SAFE)
    assert again.empty, str(again)
    assert set(log.topics()) >= {
        "default.orders.inbox",
        "default.orders.history",
        "default.orders.activities",
        "default.queues",
        "default.settings",
        "default.executions",
        "default.replies",
        "default.dead-letters",
        "default.audit",
        "default.processes",
    }
    assert read_queues(log, "default")["orders"].partitions == 12


def test_every_engine_topic_keeps_broker_time_and_tombstones() -> None:
    """LogAppendTime everywhere, tombstones for seven days or more, two brokers for each record."""
    for spec in SAFE.topics:
        assert spec.config["message.timestamp.type"] == "LogAppendTime"
        assert int(spec.config["delete.retention.ms"]) >= 7 * 86_400_000
        assert (spec.replication_factor, spec.config["min.insync.replicas"]) == (3, "2")


def test_inbox_and_history_have_one_count() -> None:
    """A run's history partition is its inbox partition."""
    declared = {
        spec.name: spec for spec in declare("eu", [Queue(name="orders", partitions=5)]).topics
    }

    assert declared["eu.orders.inbox"].partitions == declared["eu.orders.history"].partitions == 5
    assert declared["eu.orders.history"].config["cleanup.policy"] == "compact"


def test_an_activity_queue_costs_one_topic() -> None:
    """It has no inbox and no history."""
    log = MemoryLog()
    declared = declare("default", [Queue(name="hosts", kind="activity", partitions=3)], dev=True)

    apply(log, plan(log, declared))

    assert [name for name in log.topics() if ".hosts." in name] == ["default.hosts.activities"]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("default.orders.inbox", {"partitions": 6}, "Expected 12 partitions, found 6"),
        (
            "default.orders.history",
            {"cleanup_policy": "delete"},
            "Expected cleanup.policy=compact, found delete",
        ),
        (
            "default.orders.inbox",
            {"cleanup_policy": "compact"},
            "Expected cleanup.policy=delete, found compact",
        ),
        (
            "default.orders.inbox",
            {"message_timestamp_type": "CreateTime"},
            "Expected message.timestamp.type=LogAppendTime, found CreateTime",
        ),
        ("default.orders.history", {"replicas": 1}, "found 1 replicas"),
    ],
)
def test_what_could_lose_data_is_refused(name: str, change: dict[str, object], said: str) -> None:
    """Nothing is changed; the reason says what was expected, what was found and what to do."""
    log = MemoryLog()
    refused = _with(log, name, **change)  # type: ignore[arg-type]  # each case's own keywords

    assert [refusal.name for refusal in refused.refusals] == [name]
    assert said in refused.refusals[0].reason
    with pytest.raises(PlanRefused, match=name):
        apply(log, refused)
    assert "default.orders.activities" not in log.topics()


def test_a_harmless_difference_is_altered() -> None:
    """Retention is the operator's to declare."""
    log = MemoryLog()
    planned = _with(log, "default.orders.inbox", retention_ms="1000")

    assert planned.alters == (
        Alter("default.orders.inbox", (("retention.ms", "1000", str(30 * 86_400_000)),)),
    )
    apply(log, planned)
    assert plan(log, SAFE).empty


def test_one_broker_is_enough_for_development() -> None:
    """With `dev` replication is no reason to refuse, and safety that is there is not lowered."""
    log = MemoryLog()
    apply(log, plan(log, declare("default", ORDERS, dev=True)))

    assert plan(log, declare("default", ORDERS, dev=True)).empty
    assert plan(log, SAFE).refusals

    safe = MemoryLog()
    apply(safe, plan(safe, SAFE))
    assert not plan(safe, declare("default", ORDERS, dev=True)).alters


def test_a_plan_is_readable() -> None:
    """One line for each topic, with what happens to it."""
    text = str(_with(MemoryLog(), "default.orders.inbox", retention_ms="1000"))

    assert "+ create default.orders.history (12 partitions, 3 replicas, compact)" in text
    assert "~ alter  default.orders.inbox" in text
    assert "retention.ms: 1000 -> 2592000000" in text
    assert "+ stamp  queue 'orders', 12 partitions, workflow" in text


def test_a_queue_never_changes_its_count() -> None:
    """The directory is the truth about it."""
    log = MemoryLog()
    apply(log, plan(log, SAFE))

    refused = plan(log, declare("default", [Queue(name="orders", partitions=24)]))

    assert "queue 'orders'" in [refusal.name for refusal in refused.refusals]
    assert any("--partitions 12" in refusal.reason for refusal in refused.refusals)


# -- ensuring -----------------------------------------------------------------------------------------------------


def test_a_missing_queue_is_refused_with_the_command_that_makes_it() -> None:
    """Word for word, quoted for a shell."""
    with pytest.raises(QueueMissing) as caught:
        ensure_queue(MemoryLog(), "eu", "my orders", kind="activity", create=False)

    assert (
        caught.value.command
        == "streamflow topology apply --queue 'my orders' --namespace eu --kind activity"
    )
    assert caught.value.command in str(caught.value)


def test_topics_that_nobody_stamped_are_no_queue() -> None:
    """That they exist is not enough: a broker may have made them from a typo."""
    log = MemoryLog()
    log.create_topics([spec for spec in SAFE.topics if spec.name != "default.queues"])

    with pytest.raises(QueueMissing):
        ensure_queue(log, "default", "orders", kind="workflow", create=False)


def test_a_queue_is_made_on_first_use_where_that_is_allowed() -> None:
    """And found afterwards."""
    log = MemoryLog()

    made = ensure_queue(log, "default", "orders", kind="workflow", partitions=4, create=True)

    assert made.partitions == 4
    assert ensure_queue(log, "default", "orders", kind="workflow", create=False) == made
    assert ensure_queue(log, "default", "orders", kind="activity", create=False) == made


def test_an_activity_queue_becomes_a_workflow_queue_only_if_asked() -> None:
    """It keeps its count."""
    log = MemoryLog()
    ensure_queue(log, "default", "orders", kind="activity", partitions=3, create=True)

    with pytest.raises(QueueMissing):
        ensure_queue(log, "default", "orders", kind="workflow", create=False)
    made = ensure_queue(log, "default", "orders", kind="workflow", create=True)

    assert (made.kind, made.partitions) == ("workflow", 3)
    assert log.topics()["default.orders.history"].partitions == 3


def test_a_queue_whose_topics_changed_is_stopped() -> None:
    """A count that differs from the directory would send workflows to the wrong place."""
    log = MemoryLog()
    made = ensure_queue(log, "default", "orders", kind="workflow", partitions=4, create=True)
    other = MemoryLog()
    other.create_topics([spec for spec in SAFE.topics if spec.name == "default.queues"])
    other.create_topics([TopicSpec(name=name, partitions=8) for name in made.topics])
    from streamflow.topology import write_queues

    write_queues(other, "default", [made])

    with pytest.raises(QueueMismatch, match="with 4 partitions as the directory says, found 8"):
        ensure_queue(other, "default", "orders", kind="workflow", create=False)


# -- declarations -------------------------------------------------------------------------------------------------


def test_durations_are_written_for_people() -> None:
    """Everything else is the broker's own text."""
    assert [
        in_broker_words(text) for text in ("30 d", "1 h", "10 min", "5 s", "compact", "30")
    ] == [
        "2592000000",
        "3600000",
        "600000",
        "5000",
        "compact",
        "30",
    ]


def test_the_wiring_names_declared_topics_only() -> None:
    """Whatever a role reads or writes is declared."""
    declared = set(topics_file().topics)
    for role in roles().values():
        used = {
            *role.consumes,
            *role.restores_from,
            *role.tails,
            *role.reads,
            *role.in_transaction,
            *role.beside,
        }
        assert used <= declared, role


def test_a_topic_is_not_made_with_too_few_replicas() -> None:
    """What would be refused if it were there is not made either, unless the cluster may lose data."""
    log = MemoryLog()
    declared = declare("default", ORDERS, replication_factor=1)

    planned = plan(log, declared)

    assert not planned.creates
    assert "found 1 declared" in str(planned)
    assert plan(log, declare("default", ORDERS, dev=True)).creates
