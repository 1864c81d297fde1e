"""One client of a producer, from its connection until it is given up, and the records that it took.

An idempotent client of librdkafka ends for good at some errors, among them a grant that is missing. Then its calls only say
that it has ended, in the thread that asks first; a record that it gave up is said to be purged, or nothing is said of it at
all. So what a client took is kept here until the sender was told, and the rest is told when the client is given up, with
what it ended by.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as Client

from streamflow.kafka.errors import PURGED, delivery_error, error_of
from streamflow.kafka.watch import ENDED, ClientWatch
from streamflow.observability import get_logger
from streamflow.ports import LogError, OutRecord, Unavailable

_log = get_logger("kafka")

Done = Callable[[LogError | None], None]

_REASON_WAIT_S: Final = 1.0
"""What a client ended by may be heard so long after the first record that it gave up."""
_LOOK_S: Final = 0.005


class ProducerLife:
    """Thread-safe. Each record is told once: by its delivery, or by `give_up`."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._watch = ClientWatch("producer")
        self._client = Client({**settings, **self._watch.settings()})
        self._numbers = itertools.count()
        self._untold: dict[int, tuple[OutRecord, Done | None]] = {}
        self._telling: set[int] = set()
        self._raised: KafkaError | None = None
        self._echo: tuple[float, KafkaError] | None = None
        """The first record that was given up for a reason not heard yet: when, and what was said of it."""
        self._over = False

    def ended_by(self) -> KafkaError | None:
        """``None`` as long as the client is of use."""
        reason = self._watch.fatal_said or self._watch.fatal or self._raised
        if reason is None and self._echo is not None:
            since, echo = self._echo
            return echo if time.monotonic() - since > _REASON_WAIT_S else None
        return reason

    def append(self, record: OutRecord, done: Done | None) -> None:
        number = next(self._numbers)
        self._untold[number] = record, done
        try:
            self._client.produce(
                record.topic,
                record.value,
                record.key,
                record.partition,
                on_delivery=partial(self._on_delivery, number),
                headers=list(record.headers),
            )
        except BufferError:
            full = Unavailable("Expected room in the send buffer, found it full. Send again later.")
            self._tell(number, lambda _: full)
        except KafkaException as error:
            self._fail(number, error_of(error))
        if self._over:
            self._tell_rest()

    def poll(self, seconds: float) -> None:
        try:
            self._client.poll(seconds)
        except ENDED as error:
            self._note(error)
            time.sleep(seconds)  # it says so at once, again and again

    def flush(self, deadline: float) -> None:
        """Until every record was told, or ``deadline`` on the monotonic clock."""
        try:
            self._client.flush(max(0.0, deadline - time.monotonic()))
        except ENDED as error:  # another thread gives it up
            self._note(error)
        while (self._untold or self._telling) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)

    def give_up(self) -> None:
        """What the client still holds is given up, and every sender is told. Whoever comes later is told at once."""
        if self._over:
            return
        self._client.purge()
        with contextlib.suppress(*ENDED):
            self._client.flush(1.0)
        self._over = True
        self._tell_rest()

    def _note(self, raised: BaseException) -> None:
        self._raised = self._raised or self._watch.reason_of(raised)

    def _on_delivery(self, number: int, error: KafkaError | None, _message: Any) -> None:
        if error is None:
            self._tell(number, None)
        else:
            self._fail(number, error)

    def _fail(self, number: int, error: KafkaError) -> None:
        if error.code() == KafkaError._FATAL or error.code() in PURGED:
            reason = self.ended_by()
            if reason is None:
                self._echo = self._echo or (time.monotonic(), error)
                return
            error = reason
        self._tell(number, partial(delivery_error, error))

    def _tell_rest(self) -> None:
        purged = KafkaError(KafkaError._PURGE_QUEUE)
        reason = self.ended_by() or (self._echo[1] if self._echo else purged)
        for number in list(self._untold):
            self._tell(number, partial(delivery_error, reason))

    def _tell(self, number: int, failure: Callable[[OutRecord], LogError] | None) -> None:
        # Before it is no longer untold: `flush` sees it in one of them.
        self._telling.add(number)
        kept = self._untold.pop(number, None)
        if kept is not None:
            record, done = kept
            tell(record, done, failure and failure(record))
        self._telling.discard(number)


def tell(record: OutRecord, done: Done | None, error: LogError | None) -> None:
    """Calls ``done``, or logs the error where nobody waits. A fault of the sender stays his own."""
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
