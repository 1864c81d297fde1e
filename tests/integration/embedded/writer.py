"""The process that `test_kill` kills: transactions as fast as they go, each told on standard output once it is committed.

Transaction n consumes record n of the inbox and appends n to three partitions. A second thread fills the inbox, and tells
of the records that are durable. It takes up where the folder's log ends.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Sequence

from streamflow.embedded import EmbeddedLog
from streamflow.ports import (
    Committed,
    LogError,
    OutRecord,
    Producer,
    RebalanceListener,
    Source,
    TopicPartition,
    TopicSpec,
)

IN = TopicPartition("in", 0)
OUTS = (TopicPartition("out", 0), TopicPartition("out", 1), TopicPartition("history", 0))
GROUP = "g"
PADDING = b"." * 3_000
"""Large enough that memtables are written out and write-ahead files change while we are killed."""
AHEAD_MAX = 64


class FromCommitted(RebalanceListener):
    source: Source

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        committed = self.source.committed(partitions)
        self.source.start_reading(
            {name: at.offset if at is not None else 0 for name, at in committed.items()}
        )

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        pass

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        pass


def main(folder: str) -> None:
    log = EmbeddedLog.open(folder)
    log.create_topics(
        [
            TopicSpec(name="in", partitions=1),
            TopicSpec(name="out", partitions=2),
            TopicSpec(name="history", partitions=1, config={"cleanup.policy": "compact"}),
        ]
    )
    room = threading.Semaphore(AHEAD_MAX)
    begin = log.reader().end_offset(IN)
    threading.Thread(target=fill, args=(log.producer(), begin, room), daemon=True).start()
    work(log, room)


def fill(producer: Producer, n: int, room: threading.Semaphore) -> None:
    def told(n: int, error: LogError | None) -> None:
        assert error is None
        say(f"sent {n}")

    while True:
        room.acquire()
        producer.send(OutRecord("in", 0, b"%d" % n, b"%d" % n), functools.partial(told, n))
        n += 1


def work(log: EmbeddedLog, room: threading.Semaphore) -> None:
    listener = FromCommitted()
    source = log.source(group=GROUP, topics=["in"], listener=listener, instance="a")
    listener.source = source
    transactor = log.transactor("t")
    transactor.open()
    while True:
        for record in source.poll(10, 1_000):
            n = record.offset
            assert record.value == b"%d" % n, record
            records = [
                OutRecord(at.topic, at.partition, b"%d" % n, b"%d" % n + PADDING) for at in OUTS
            ]
            transactor.commit(records, {IN: Committed(n + 1, f"after {n}")}, source)
            say(f"committed {n}")
            room.release()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
