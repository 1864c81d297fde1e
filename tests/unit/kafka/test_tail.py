"""Tails whose position is not there any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from structlog.testing import capture_logs

from streamflow.kafka import KafkaLog
from streamflow.ports import OutRecord, Record, TopicPartition
from tests.unit.kafka import mock_cluster
from tests.unit.kafka.mock_cluster import MockCluster

REPLIES = TopicPartition("replies", 0)
PATIENCE_S = 30.0


def _connected(cluster: MockCluster) -> closing[KafkaLog]:
    cluster.make_topic(REPLIES.topic, 1)
    return closing(KafkaLog.connect(cluster.bootstrap))


def _send(log: KafkaLog, count: int) -> None:
    producer = log.producer()
    for number in range(count):
        producer.send(OutRecord(*REPLIES, b"k", b"%d" % number))
    producer.flush(10_000)
    producer.close()


def _wait_for(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.005)


def test_tails_of_a_partition_that_was_made_anew_go_on_at_its_end() -> None:
    """They waited for offsets that come again much later, or never; it is said once for all of them."""
    with MockCluster() as cluster, _connected(cluster) as log, capture_logs() as said:
        _send(log, 10)
        first: list[Record] = []
        second: list[Record] = []

        log.tail(REPLIES, second.extend, offset=2_000)
        log.tail(REPLIES, first.extend, offset=1_000)
        _wait_for(lambda: any(entry["event"] == "tail_position_lost" for entry in said))
        _send(log, 2)
        _wait_for(lambda: len(first) == len(second) == 2)

    assert [record.offset for record in first] == [10, 11]
    assert [record.offset for record in second] == [10, 11]
    assert [
        (entry["lost"], entry["goes_on_at"], entry["log_level"])
        for entry in said
        if entry["event"].startswith("tail_")
    ] == [(1_000, 10, "warning")]


def test_a_tail_goes_on_though_nobody_tells_at_first_where_its_partition_ends() -> None:
    """It asks again."""
    with MockCluster() as cluster, _connected(cluster) as log:
        _send(log, 10)
        heard: list[Record] = []
        cluster.delay_next(1, mock_cluster.LIST_OFFSETS, 1_500)

        with capture_logs() as said:
            log.tail(REPLIES, heard.extend, offset=1_000)
            _wait_for(lambda: any(entry["event"] == "tail_position_lost" for entry in said))
        _send(log, 1)
        _wait_for(lambda: len(heard) == 1)

    assert [record.offset for record in heard] == [10]
    assert "tail_range_unknown" in [entry["event"] for entry in said]
