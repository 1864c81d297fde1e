"""Appends outside transactions, idempotent and in order per partition.

A thread of its own serves the deliveries, so that `done` is called promptly whatever the sender does next. Records for
topics not seen before take a way over that thread, which looks again before it refuses: brokers create typing errors.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as Client

from streamflow.kafka.cluster import Cluster
from streamflow.kafka.errors import PURGED, delivery_error, error_of
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.watch import ClientWatch
from streamflow.observability import get_logger
from streamflow.ports import LogError, OutRecord, RecordRefused, Unavailable

_log = get_logger("kafka")

CLOSE_TIMEOUT_S: Final = 5.0
_SLICE_S: Final = 0.05
_RENEWAL_PAUSE_S: Final = 1.0
"""A client that may not do what it is for (a grant is missing) ends as soon as it begins."""

_ENDED: Final = (KafkaException, SystemError)
"""What calls of a client raise that has come to its end; the second where the library forgets to say why."""

Done = Callable[[LogError | None], None]


class KafkaProducer:
    """Implements `streamflow.ports.Producer`. Thread-safe."""

    def __init__(self, options: KafkaOptions, cluster: Cluster) -> None:
        self._options = options
        self._cluster = cluster
        self._doubtful: deque[tuple[OutRecord, Done | None]] = deque()
        self._closing = False
        self._ended_by: KafkaError | None = None
        """What the last client ended by: records that it gave up are told this."""
        self._renewed_at = -_RENEWAL_PAUSE_S
        self._client, self._watch = self._connect()
        self._thread = threading.Thread(target=self._serve, name="streamflow-producer", daemon=True)
        self._thread.start()

    def send(self, record: OutRecord, done: Done | None = None) -> None:
        if self._closing:
            _tell(record, done, Unavailable("Expected an open producer, found one that is closed."))
            return
        # Behind one that waits, so that a partition's order holds.
        if self._doubtful or not self._cluster.has_partition(record.topic, record.partition):
            self._doubtful.append((record, done))
            return
        self._append(record, done)

    def flush(self, wait_ms: int) -> None:
        deadline = time.monotonic() + wait_ms / 1000
        while self._doubtful and time.monotonic() < deadline:
            time.sleep(0.005)
        with contextlib.suppress(*_ENDED):  # its records are told so
            self._client.flush(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        if self._closing:
            return
        self.flush(int(CLOSE_TIMEOUT_S * 1000))
        self._closing = True
        if self._thread is not threading.current_thread():
            self._thread.join()
        _give_up(self._client)

    def _connect(self) -> tuple[Client, ClientWatch]:
        watch = ClientWatch("producer")
        return Client({**self._options.producing(), **watch.settings()}), watch

    def _append(self, record: OutRecord, done: Done | None) -> None:
        try:
            self._client.produce(
                record.topic,
                record.value,
                record.key,
                record.partition,
                on_delivery=partial(self._on_delivery, record, done),
                headers=list(record.headers),
            )
        except BufferError:
            _tell(
                record,
                done,
                Unavailable("Expected room in the send buffer, found it full. Send again later."),
            )
        except KafkaException as error:
            _tell(record, done, delivery_error(self._reason(error_of(error)), record))

    def _on_delivery(
        self, record: OutRecord, done: Done | None, error: KafkaError | None, _message: Any
    ) -> None:
        _tell(record, done, None if error is None else delivery_error(self._reason(error), record))

    def _reason(self, error: KafkaError) -> KafkaError:
        """What ended the client, rather than that it has ended."""
        is_echo = error.code() == KafkaError._FATAL or error.code() in PURGED
        return self._ended_by or error if is_echo else error

    # -- the thread -----------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._closing:
            try:
                self._client.poll(_SLICE_S)
            except _ENDED as error:
                cause = error if isinstance(error, KafkaException) else error.__cause__
                if not isinstance(cause, KafkaException):
                    cause = KafkaException(KafkaError(KafkaError._FATAL, str(error)))
                self._ended_by = self._watch.fatal or error_of(cause)
                time.sleep(_SLICE_S)  # it says so at once, again and again
            if self._doubtful:
                self._look_again()
            self._ended_by = self._watch.fatal or self._ended_by
            if self._ended_by is not None:
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
                self._append(record, done)
            else:
                _tell(record, done, failure or _unknown(record))
            self._doubtful.popleft()

    def _renew(self) -> None:
        """A fatal state of the idempotent producer ends that client, not ours."""
        if time.monotonic() - self._renewed_at < _RENEWAL_PAUSE_S:
            return
        self._renewed_at = time.monotonic()
        _log.warning("producer_renewed", error=str(self._ended_by))
        old = self._client
        self._client, self._watch = self._connect()
        _give_up(old)
        self._ended_by = None


def _give_up(client: Client) -> None:
    """What the client still holds is given up, and the senders are told."""
    client.purge()
    with contextlib.suppress(*_ENDED):
        client.flush(1.0)


def _tell(record: OutRecord, done: Done | None, error: LogError | None) -> None:
    if done is None:
        if error is not None:
            _log.warning(
                "record_not_sent", topic=record.topic, partition=record.partition, error=str(error)
            )
        return
    try:
        done(error)
    except Exception:
        # The sender's own fault must not end the thread that serves every other sender.
        _log.exception("delivery_callback_failed", topic=record.topic)


def _unknown(record: OutRecord) -> RecordRefused:
    return RecordRefused(
        f"Expected a topic {record.topic!r} with a partition {record.partition}, found none. "
        "Create the topic or correct the destination.",
        record,
    )
