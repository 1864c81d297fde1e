"""One transactional producer: a transaction on it either ends as known, or ends the lane.

    begin -> append all, offsets -> settle (every append acknowledged) -> commit -> look back for doubt
                    |                      |                                |
                    +------- abort <-------+                        unknown: drop the lane

`settle` waits for every acknowledgement before the commit is asked for, so that whatever fails up to there is known
not to have happened. After it, only a clean answer counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import TopicPartition as ClientPartition

from streamflow.kafka.aside import Aside
from streamflow.kafka.errors import (
    PURGED,
    REFUSED,
    UNGRANTED,
    Call,
    CallFailed,
    Needed,
    Verdict,
    after_deadline,
    error_of,
    judge,
)
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.watch import ENDED, ClientWatch
from streamflow.observability import get_logger
from streamflow.ports import OutRecord

_log = get_logger("kafka")

# A retriable error that comes back at once must not spin.
_RETRY_PAUSE_S: Final = 0.005
_BUFFER_FULL_WAIT_S: Final = 0.05
_REFUSED_WITHIN_S: Final = 1.0
_LATE_S: Final = 0.5
"""A call that honours its time returns so soon after it."""
_TAKE_S: Final = (0.02, 0.25)
"""The library lets half a second pass after each try at an ID, as while the last transaction still ends, unless it is asked
again meanwhile: after so long at first, and at last. It never has two requests under way, which would fence its own."""


class Lane:
    """A transactional ID and the producer that holds it."""

    def __init__(self, options: KafkaOptions, transactional_id: str) -> None:
        self.id = transactional_id
        self._group = ""
        """Whose offsets the transaction under way carries."""
        self._dropped = False
        self._aside = Aside(f"streamflow-offsets {transactional_id}")
        self._failures: list[tuple[KafkaError, Any]] = []
        self._watch = ClientWatch(f"transactor {transactional_id}")
        self._producer = Producer(
            {
                **options.transactional(transactional_id),
                **self._watch.settings(),
                "on_delivery": self._on_failed_delivery,
            }
        )

    def open(self, deadline: float) -> None:
        """Takes the ID: whoever held it is fenced, and its transaction has ended when this returns."""
        ask_again_s, ask_again_s_max = _TAKE_S
        while time.monotonic() + ask_again_s < deadline:
            try:
                self._producer.init_transactions(ask_again_s)
            except KafkaException as error:
                if error_of(error).fatal():
                    break  # the call below says what it is
            else:
                return
            ask_again_s = min(2 * ask_again_s, ask_again_s_max)
        self._call(Call.INIT, self._producer.init_transactions, deadline=deadline)

    def doubtful(self) -> bool:
        """Whether a connection broke while nothing was under way: a second break would go unnoticed in the log.

        Raises:
            CallFailed: Something worse has happened meanwhile.
        """
        self._serve(self._producer.poll, 0)
        return self._watch.troubles > 0

    def commit(
        self,
        records: Sequence[OutRecord],
        offsets: list[ClientPartition],
        group: str,
        group_metadata: Any,
        deadline: float,
    ) -> None:
        """Returns when the transaction is known to be committed.

        Raises:
            CallFailed: With ABORT, REFUSED or UNGRANTED the lane can go on; after any other verdict it must be dropped.
        """
        self._failures.clear()
        self._group = group
        self._call(Call.BEGIN, self._producer.begin_transaction)
        try:
            self._append(records, deadline)
            self._call(Call.OFFSETS, self._send_offsets, offsets, group_metadata, deadline=deadline)
            self._settle(records, deadline)
        except CallFailed as failed:
            if self._aside.left_behind:
                raise  # the library makes one call of a transaction at a time: it cannot be aborted either
            raise self._abort(self._reason(failed, records)) from failed
        self._call(Call.COMMIT, self._producer.commit_transaction, deadline=deadline)
        self._look_back()

    def drop(self) -> None:
        """Lets go of the producer without waiting for anything it still had to do."""
        if self._dropped:
            return
        self._dropped = True
        self._aside.close()
        self._producer.purge(blocking=False)
        # Not `close`, which would first try to abort and to flush on a producer that nobody trusts any more.
        del self._producer

    # -- the stages -----------------------------------------------------------------------------------------------

    def _append(self, records: Sequence[OutRecord], deadline: float) -> None:
        produce = self._producer.produce
        for record in records:
            headers = record.headers
            while True:
                try:
                    if headers:
                        produce(
                            record.topic,
                            record.value,
                            record.key,
                            record.partition,
                            headers=list(headers),
                        )
                    else:
                        produce(record.topic, record.value, record.key, record.partition)
                    break
                except BufferError:
                    self._make_room(record, deadline)
                except KafkaException as error:
                    found = error_of(error)
                    raise CallFailed(
                        Call.APPEND, judge(found, Call.APPEND), found, record
                    ) from error

    def _make_room(self, record: OutRecord, deadline: float) -> None:
        if time.monotonic() > deadline:
            full = KafkaError(KafkaError._QUEUE_FULL, "the send buffer stayed full")
            raise CallFailed(Call.APPEND, Verdict.ABORT, full, record)
        self._serve(self._producer.poll, _BUFFER_FULL_WAIT_S)

    def _send_offsets(
        self, offsets: list[ClientPartition], group_metadata: Any, left_s: float
    ) -> None:
        """Made aside: the library waits for the group's coordinator, be it for ever, whatever time it is given
        (confluentinc/librdkafka#5456)."""
        send = partial(self._producer.send_offsets_to_transaction, offsets, group_metadata, left_s)
        try:
            self._aside.call(send, left_s + _LATE_S)
        except TimeoutError as late:
            _log.warning("transactional_producer_left_behind", id=self.id, late=str(late))
            error = KafkaError(KafkaError._TIMED_OUT, str(late))
            raise CallFailed(Call.OFFSETS, Verdict.UNKNOWN, error) from late

    def _settle(self, records: Sequence[OutRecord], deadline: float) -> None:
        """Waits until each record is acknowledged or given up."""
        left = self._serve(self._producer.flush, max(0.0, deadline - time.monotonic()))
        if left:
            late = KafkaError(
                KafkaError._TIMED_OUT, f"{left} of {len(records)} records not acknowledged"
            )
            raise CallFailed(Call.APPEND, Verdict.ABORT, late)
        if not self._failures:
            return
        for error, message in self._failures:
            if error.code() not in PURGED:
                record = _record_of(message, records)
                raise CallFailed(Call.APPEND, _append_verdict(error), error, record)
        # All were dropped for a reason that only the transaction knows.
        raise self._cause()

    def _reason(self, failed: CallFailed, records: Sequence[OutRecord]) -> CallFailed:
        """The refused record when there is one: later calls only say that something failed before."""
        if _is_about_records(failed.error) and not failed.error.fatal():
            failed = CallFailed(Call.APPEND, _append_verdict(failed.error), failed.error)
        if failed.verdict is not Verdict.ABORT:
            return failed
        failed_before = failed.error.code() == KafkaError._STATE
        try:
            if failed_before:
                # Which record it was is told a little later than that the transaction has failed.
                self._serve(self._producer.flush, _REFUSED_WITHIN_S)
            else:
                self._serve(self._producer.poll, 0)
        except CallFailed as worse:
            return worse
        refused = [(e, m) for e, m in self._failures if e.code() in REFUSED | UNGRANTED]
        if not refused:
            return self._cause() if failed_before else failed
        # A batch is refused as a whole; the largest record is the likely cause.
        error, message = max(refused, key=lambda failure: len(failure[1]))
        verdict = judge(error, Call.APPEND)
        return CallFailed(Call.APPEND, verdict, error, _record_of(message, records))

    def _cause(self) -> CallFailed:
        """Why the transaction failed: asked to commit, it tells at once, and sends nothing."""
        try:
            self._producer.commit_transaction(0.1)
        except KafkaException as error:
            found = error_of(error)
            return CallFailed(Call.APPEND, _append_verdict(found), found)
        raise AssertionError("a transaction that had failed was committed")

    def _abort(self, failed: CallFailed) -> CallFailed:
        """What to raise once the transaction is aborted; if it cannot be, the lane has to be dropped."""
        deadline = time.monotonic() + 5.0
        try:
            self._call(Call.ABORT, self._producer.abort_transaction, deadline=deadline)
        except CallFailed as worse:
            if failed.verdict in (Verdict.FENCED, Verdict.FATAL):
                return failed
            if worse.verdict in (Verdict.FENCED, Verdict.FATAL):
                return worse
            return CallFailed(Call.ABORT, Verdict.UNKNOWN, worse.error)
        return failed

    def _look_back(self) -> None:
        """A success is in doubt when a connection broke or a request timed out meanwhile."""
        try:
            self._serve(self._producer.poll, 0)
        except CallFailed as since:
            # What ended the producer came after the commit, or with it.
            raise CallFailed(Call.COMMIT, Verdict.UNKNOWN, since.error) from since
        if self._watch.troubles:
            broken = KafkaError(
                KafkaError._TRANSPORT, "a connection broke while the transaction ended"
            )
            raise CallFailed(Call.COMMIT, Verdict.UNKNOWN, broken)

    # -- calls ----------------------------------------------------------------------------------------------------

    def _call(
        self, call: Call, function: Callable[..., None], *args: Any, deadline: float | None = None
    ) -> None:
        """Makes the call, again while it may be, until the deadline."""
        while True:
            left_s = () if deadline is None else (max(0.01, deadline - time.monotonic()),)
            try:
                function(*args, *left_s)
            except KafkaException as error:
                found = error_of(error)
                verdict = judge(found, call)
                if verdict is not Verdict.RETRY:
                    needs = self._needs(call, found, args)
                    raise CallFailed(call, verdict, found, needs=needs) from error
                if deadline is None or time.monotonic() >= deadline:
                    raise CallFailed(call, after_deadline(call), found) from error
                time.sleep(_RETRY_PAUSE_S)
            else:
                return

    def _needs(self, call: Call, error: KafkaError, args: tuple[Any, ...]) -> list[Needed]:
        """The grant that it takes, where it is one that is missing."""
        match error.code():
            case KafkaError.GROUP_AUTHORIZATION_FAILED:
                return [Needed("Read", "group", self._group)]
            case KafkaError.TOPIC_AUTHORIZATION_FAILED if call is Call.OFFSETS:
                topics: set[str] = {position.topic for position in args[0]}
                return [Needed("Read", "topic", topic) for topic in sorted(topics)]
            case KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
                # Namespace and queue: the next owner ends transactions of this one, whatever each is called.
                prefix = "".join(f"{part}." for part in self.id.split(".")[:2])
                return [Needed("Write", "transactional-id", prefix, prefixed=True)]
            case _:
                return []

    def _serve(self, function: Callable[[float], int], wait_s: float) -> int:
        """Lets the library call back; a fatal state is raised from here as soon as it is heard of."""
        try:
            return function(wait_s)
        except ENDED as raised:
            found = self._watch.reason_of(raised)
            raise CallFailed(Call.APPEND, judge(found, Call.APPEND), found) from raised

    def _on_failed_delivery(self, error: KafkaError | None, message: Any) -> None:
        if error is not None:
            self._failures.append((error, message))


def _is_about_records(error: KafkaError) -> bool:
    """Whether it is of the partitions that were appended to, though the offsets were sent when it was told. Only the text says so."""
    return any(text in error.str() for text in ("add partition", "ProduceRequest"))


def _append_verdict(error: KafkaError) -> Verdict:
    """A record that was given up ends the transaction, however soon another try might do."""
    verdict = judge(error, Call.APPEND)
    return (
        Verdict.ABORT
        if verdict in (Verdict.RETRY, Verdict.FATAL) and not error.fatal()
        else verdict
    )


def _record_of(message: Any, records: Sequence[OutRecord]) -> OutRecord | None:
    """Which of ours a failed message was."""
    topic, partition, key, value = (
        message.topic(),
        message.partition(),
        message.key(),
        message.value(),
    )
    for record in records:
        if (record.topic, record.partition) == (topic, partition) and (
            record.key,
            record.value,
        ) == (key, value):
            return record
    return None
