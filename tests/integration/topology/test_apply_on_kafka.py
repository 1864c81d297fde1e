"""The declarations hold on a real broker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamflow.cli.shared.exits import ExitCode, run
from streamflow.client import Client
from streamflow.kafka import KafkaLog
from streamflow.kafka.options import KafkaOptions
from streamflow.topology import (
    Queue,
    UnsafeSettings,
    apply,
    broker_faults,
    declare,
    ensure_queue,
    history_topic,
    inbox_topic,
    plan,
    read_queues,
    refuse_unsafe,
)
from streamflow.worker import Worker
from tests.faults.orders import Order

pytestmark = pytest.mark.kafka


@pytest.fixture
def log(kafka_bootstrap: str) -> Iterator[KafkaLog]:
    log = KafkaLog(KafkaOptions(bootstrap=kafka_bootstrap))
    yield log
    log.close()


@pytest.fixture
def namespace() -> str:
    return f"t-{uuid.uuid4().hex[:12]}"


def test_a_broker_takes_every_setting_and_gives_it_back(log: KafkaLog, namespace: str) -> None:
    """After applying there is nothing left to do: each declared setting is one that the broker knows and keeps."""
    declared = declare(namespace, [Queue(name="my orders", partitions=3)], dev=True)

    apply(log, plan(log, declared))

    again = plan(log, declared)
    assert again.empty, str(again)
    assert read_queues(log, namespace)["my orders"].partitions == 3


def test_a_queue_is_made_on_first_use(log: KafkaLog, namespace: str) -> None:
    """With the broker's own replication."""
    made = ensure_queue(log, namespace, "orders", kind="workflow", partitions=2, create=True)

    assert ensure_queue(log, namespace, "orders", kind="activity", create=False) == made
    assert not plan(
        log, declare(namespace, [Queue(name="orders", partitions=2)], dev=True)
    ).refusals


def test_brokers_tell_their_settings_and_one_of_today_is_new_enough(log: KafkaLog) -> None:
    brokers = log.brokers()

    assert brokers
    assert all(broker.config and "log.cleaner.enable" in broker.config for broker in brokers)
    assert [fault for fault in broker_faults(brokers, dev=True) if fault.fatal] == []
    assert log.brokers(answers_min=1)


def test_unsafe_topics_are_refused_until_they_are_mended(log: KafkaLog, namespace: str) -> None:
    """The command that the refusal names does mend them."""
    made = ensure_queue(log, namespace, "orders", kind="workflow", partitions=2, create=True)
    refuse_unsafe(log, namespace, made)
    history = history_topic(namespace, "orders")
    log.alter_topics({history: {"unclean.leader.election.enable": "true"}})

    with pytest.raises(UnsafeSettings, match="unclean") as refused:
        refuse_unsafe(log, namespace, made)

    [fault] = refused.value.faults
    words = fault.command.removeprefix("streamflow ").split()
    assert run([*words, "--kafka", log._options.bootstrap]) == ExitCode.OK
    refuse_unsafe(log, namespace, made)


@pytest.mark.asyncio
async def test_a_worker_does_not_start_on_unsafe_topics(
    log: KafkaLog, kafka_bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    ensure_queue(log, namespace, "orders", kind="workflow", partitions=2, create=True)
    inbox = inbox_topic(namespace, "orders")
    log.alter_topics({inbox: {"cleanup.policy": "compact"}})
    async with await Client.connect(kafka_bootstrap, namespace=namespace) as client:
        worker = Worker(
            client, task_queue="orders", workflows=[Order], state_dir=tmp_path, name="p"
        )
        with pytest.raises(UnsafeSettings, match=r"cleanup\.policy=delete, found compact"):
            await worker.run()
