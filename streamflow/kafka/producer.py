"""Appends outside transactions, idempotent and in order per partition.

A thread of its own serves the deliveries, so that `done` is called promptly whatever the sender does next. Records for
topics not seen before take a way over that thread, which looks again before it refuses: brokers create typing errors.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

from streamflow.kafka.cluster import Cluster
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.producer_life import Done, ProducerLife, tell
from streamflow.observability import get_logger
from streamflow.ports import LogError, OutRecord, RecordRefused, Unavailable

_log = get_logger("kafka")

CLOSE_TIMEOUT_S: Final = 5.0
_SLICE_S: Final = 0.05
_RENEWAL_PAUSE_S: Final = 1.0
"""A client that may not do what it is for (a grant is missing) ends as soon as it begins."""


class KafkaProducer:
    """Implements `streamflow.ports.Producer`. Thread-safe."""

    def __init__(self, options: KafkaOptions, cluster: Cluster) -> None:
        self._options = options
        self._cluster = cluster
        self._doubtful: deque[tuple[OutRecord, Done | None]] = deque()
        self._closing = False
        self._began_at = time.monotonic()
        self._life = ProducerLife(options.producing())
        self._thread = threading.Thread(target=self._serve, name="streamflow-producer", daemon=True)
        self._thread.start()

    def send(self, record: OutRecord, done: Done | None = None) -> None:
        if self._closing:
            tell(record, done, Unavailable("Expected an open producer, found one that is closed."))
            return
        # Behind one that waits, so that a partition's order holds.
        if self._doubtful or not self._cluster.has_partition(record.topic, record.partition):
            self._doubtful.append((record, done))
            return
        self._life.append(record, done)

    def flush(self, wait_ms: int) -> None:
        deadline = time.monotonic() + wait_ms / 1000
        while self._doubtful and time.monotonic() < deadline:
            time.sleep(0.005)
        self._life.flush(deadline)

    def close(self) -> None:
        if self._closing:
            return
        self.flush(int(CLOSE_TIMEOUT_S * 1000))
        self._closing = True
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._life.give_up()

    # -- the thread -----------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._closing:
            self._life.poll(_SLICE_S)
            if self._doubtful:
                self._look_again()
            if self._life.ended_by() is not None:
                self._renew()

    def _look_again(self) -> None:
        failure: LogError | None = None
        try:
            self._cluster.refresh()
        except LogError as error:
            failure = error
        while self._doubtful:
            record, done = self._doubtful[0]
            if self._cluster.has_partition(record.topic, record.partition):
                self._life.append(record, done)
            else:
                tell(record, done, failure or _unknown(record))
            self._doubtful.popleft()

    def _renew(self) -> None:
        """A fatal state of the idempotent producer ends that client, not ours."""
        old = self._life
        old.give_up()
        if time.monotonic() - self._began_at < _RENEWAL_PAUSE_S:
            return
        self._began_at = time.monotonic()
        _log.warning("producer_renewed", error=str(old.ended_by()))
        self._life = ProducerLife(self._options.producing())


def _unknown(record: OutRecord) -> RecordRefused:
    return RecordRefused(
        f"Expected a topic {record.topic!r} with a partition {record.partition}, found none. "
        "Create the topic or correct the destination.",
        record,
    )
