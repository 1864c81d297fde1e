"""Where a member begins to read, on a broker that answers late."""

from __future__ import annotations

import time
from collections.abc import Sequence

from streamflow.kafka import KafkaLog
from streamflow.ports import OutRecord, TopicPartition
from tests.unit.kafka import mock_cluster
from tests.unit.kafka.mock_cluster import MockCluster

TASKS = TopicPartition("tasks", 0)
LATE_MS = 500


class Member:
    """Begins to read as soon as it may."""

    def __init__(self, log: KafkaLog) -> None:
        self.assigned = False
        self.began = False
        self.source = log.source(group="g", topics=["tasks"], listener=self, instance="i")

    def poll(self) -> list[bytes]:
        if self.assigned and not self.began:
            self.began = True
            self.source.start_reading({TASKS: 0})
        return [record.value or b"" for record in self.source.poll(100, 20)]

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.assigned = True

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None: ...

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None: ...


def test_nothing_is_skipped_that_is_written_just_after_the_first_position_was_set() -> None:
    """librdkafka 2.16 sets aside the late answer to its own question for the end, and half a second later asks again:

    a member that began at 0 went on at the end of then, and a worker never saw the tasks in between.
    """
    with MockCluster() as cluster:
        cluster.make_topic("tasks", 1)
        log = KafkaLog.connect(cluster.bootstrap)
        cluster.delay_next(1, mock_cluster.LIST_OFFSETS, LATE_MS)
        member = Member(log)
        producer = log.producer()
        sent = [b"%d" % number for number in range(60)]
        try:
            seen: list[bytes] = []
            deadline = time.monotonic() + 30
            while not member.began and time.monotonic() < deadline:
                seen += member.poll()
            for value in sent:
                producer.send(OutRecord("tasks", 0, b"k", value, ()), lambda _: None)
                until = time.monotonic() + 0.05
                while time.monotonic() < until:
                    seen += member.poll()
            while len(seen) < len(sent) and time.monotonic() < deadline:
                seen += member.poll()
        finally:
            member.source.close()
            producer.close()
            log.close()
    assert seen == sent
