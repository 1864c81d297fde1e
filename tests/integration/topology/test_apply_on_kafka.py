"""The declarations hold on a real broker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from streamflow.kafka import KafkaLog
from streamflow.kafka.options import KafkaOptions
from streamflow.topology import Queue, apply, declare, ensure_queue, plan, read_queues

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
