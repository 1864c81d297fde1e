"""Topics, groups and plain appends on a real broker."""

from __future__ import annotations

import threading

import pytest

from streamflow.kafka import KafkaLog
from streamflow.ports import LogError, OutRecord, RecordRefused, TopicSpec, TopicState, Unavailable
from tests.integration.kafka.conftest import World


def test_a_created_topic_is_as_specified_and_usable_at_once(log: KafkaLog, world: World) -> None:
    """With its settings; creating it again leaves it alone."""
    name = f"{world.inbox}.new"
    spec = TopicSpec(
        name=name,
        partitions=3,
        config={"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"},
    )

    log.create_topics([spec])
    log.create_topics([TopicSpec(name=name, partitions=5), spec])
    described = log.describe_topics([name, f"{name}.missing"])

    assert log.topics()[name] == TopicState(name=name, partitions=3)
    assert list(described) == [name]
    assert described[name].partitions == 3
    assert described[name].config["cleanup.policy"] == "compact"
    assert described[name].config["message.timestamp.type"] == "LogAppendTime"


def test_settings_are_altered_one_by_one(log: KafkaLog, world: World) -> None:
    """Those not named stay as they are."""
    name = f"{world.inbox}.altered"
    log.create_topics([TopicSpec(name=name, partitions=1, config={"retention.ms": "1000000"})])

    log.alter_topics({name: {"max.message.bytes": "123456"}})

    config = log.describe_topics([name])[name].config
    assert config["max.message.bytes"] == "123456"
    assert config["retention.ms"] == "1000000"


def test_an_impossible_topic_is_an_error_that_says_why(log: KafkaLog, world: World) -> None:
    """A setting that the broker does not know is refused with its name."""
    with pytest.raises(LogError, match=r"no\.such\.setting"):
        log.create_topics(
            [TopicSpec(name=f"{world.inbox}.bad", partitions=1, config={"no.such.setting": "1"})]
        )


def test_nobody_lives_in_a_group_that_never_was(log: KafkaLog, world: World) -> None:
    """An unknown group has no members."""
    assert log.live_members(f"{world.group}.never") == frozenset()


def test_live_members_go_by_their_instance_names(log: KafkaLog, world: World) -> None:
    """As the coordinator sees them."""
    world.owner("one")

    assert log.live_members(world.group) == {world.name("one")}


def test_a_plain_append_is_acknowledged_without_anyone_polling(log: KafkaLog, world: World) -> None:
    """`done` comes by itself, in the order of the appends."""
    producer = log.producer()
    outcomes: list[LogError | None] = []
    all_done = threading.Semaphore(0)

    def done(error: LogError | None) -> None:
        outcomes.append(error)
        all_done.release()

    for number in range(10):
        producer.send(OutRecord(world.inbox, 0, b"k", b"%d" % number), done)
    for _ in range(10):
        assert all_done.acquire(timeout=20)
    producer.close()

    assert outcomes == [None] * 10


def test_refused_appends_say_so_and_hurt_no_other(log: KafkaLog, world: World) -> None:
    """An unknown topic and a record too large are refused; the rest goes on."""
    producer = log.producer()
    outcomes: dict[str, LogError | None] = {}
    typo = OutRecord(f"{world.inbox}.typo", 0, None, b"v")
    large = OutRecord(world.inbox, 0, None, b"x" * (2 << 20))
    for name, record in {
        "typo": typo,
        "large": large,
        "fine": OutRecord(world.inbox, 1, None, b"v"),
    }.items():
        producer.send(record, lambda error, name=name: outcomes.update({name: error}))  # type: ignore[misc]
    producer.flush(20_000)
    producer.close()
    producer.send(typo, lambda error: outcomes.update(late=error))

    assert isinstance(outcomes["typo"], RecordRefused)
    assert outcomes["typo"].record is typo
    assert isinstance(outcomes["large"], RecordRefused)
    assert outcomes["large"].record is large
    assert outcomes["fine"] is None
    assert isinstance(outcomes["late"], Unavailable)
    assert log.describe_topics([typo.topic]) == {}


def test_a_topic_made_by_another_is_found_by_sending_to_it(
    kafka_bootstrap: str, world: World
) -> None:
    """The picture of the topics is taken again before a record is refused."""
    late = KafkaLog.connect(kafka_bootstrap)
    name = f"{world.inbox}.later"
    world.log.create_topics([TopicSpec(name=name, partitions=1)])
    producer = late.producer()
    outcomes: list[LogError | None] = []

    producer.send(OutRecord(name, 0, None, b"v"), outcomes.append)
    producer.flush(20_000)
    producer.close()
    late.close()

    assert outcomes == [None]


def test_an_unreachable_cluster_is_unavailable() -> None:
    """With its address."""
    from streamflow.kafka import cluster

    before, cluster.REQUEST_TIMEOUT_S = cluster.REQUEST_TIMEOUT_S, 0.5  # type: ignore[misc]
    try:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
            KafkaLog.connect("127.0.0.1:9")
    finally:
        cluster.REQUEST_TIMEOUT_S = before  # type: ignore[misc]
