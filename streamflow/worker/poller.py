"""Takes a queue's activity tasks, hands them to the executor, and commits which are done. A `Machine`.

    turn:  begin reading --> news (answers, ends, durable reports) --> tick (announce, beat, ask again, commit)
           --> poll --> tasks: confirm the redelivered, announce the unrepeatable, hand over the rest

A record is finished when its report is durable, its task is not wanted any more, or its start is durable and committed
(*taken*: from then on its timeouts watch over it, not redelivery). Partitions that are taken away hand their waiting
tasks back and take their running ones; on a loss nothing is committed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.model.answers import Confirmed, HeartbeatAck, Reason, Rejection
from streamflow.model.payload import Payloads
from streamflow.model.tasks import CancelTask
from streamflow.observability import get_logger
from streamflow.ports import (
    Committed,
    Fenced,
    Log,
    Reader,
    Record,
    Source,
    TopicPartition,
    Unavailable,
)
from streamflow.topology import activities_topic, activity_group, dead_letters_topic
from streamflow.wire.entities import decode_task
from streamflow.wire.errors import Undecodable
from streamflow.wire.inbox import dead_letter
from streamflow.worker.asking import Questions
from streamflow.worker.attempt import Attempt, Outcome
from streamflow.worker.delivery import Delivery, Partition, Stage
from streamflow.worker.executor import Executor
from streamflow.worker.replies import Replies
from streamflow.worker.sending import (
    HEARTBEAT_MS_DEFAULT,
    HEARTBEAT_MS_MAX,
    Sender,
    heartbeat_interval_ms,
)

_log = get_logger("worker")


class PollerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds and times of one worker's part in a queue's activities."""

    namespace: str
    queue: str
    name: str
    """The instance's stable name in the group."""
    identity: str
    slots: int = 100
    """Activities running at once."""
    prefetch: int = 100
    """Tasks held beyond those that run, so that a slot that becomes free is filled without a round trip."""
    records_per_poll_max: int = 500
    tick_ms: int = 100
    """How often windows are committed, heartbeats sent and starts announced."""
    announce_after_ms: int = 1_000
    """A task running longer than this is announced; until then a redelivery covers for it."""
    idle_poll_ms: int = 250
    flush_on_revoke_ms: int = 3_000
    heartbeat_ms_max: int = HEARTBEAT_MS_MAX
    heartbeat_ms_default: int = HEARTBEAT_MS_DEFAULT


class Poller:
    """Everything runs on the driver's thread, but what says otherwise."""

    def __init__(self, log: Log, executor: Executor, options: PollerOptions) -> None:
        self._log = log
        self._executor = executor
        self._options = options
        self._replies = Replies(log, options.namespace, options.name)
        self._partitions: dict[TopicPartition, Partition] = {}
        self._assigned: dict[TopicPartition, None] = {}
        """Not yet read."""
        self._deliveries: dict[Delivery, None] = {}
        """Every task from its delivery until it is finished."""
        self._acknowledgements: list[Delivery] = []
        """Announced and acknowledged, to begin as soon as their offsets are committed."""
        self._ended: deque[Delivery] = deque()
        self._durable: deque[Delivery] = deque()
        self._in_hand = 0
        """Tasks that take a slot or wait for one."""
        self._paused = False
        self._draining = False
        self._closed = False
        self._next_tick_ms = 0
        self._source: Source | None = None
        self._reader: Reader | None = None
        self._sender: Sender | None = None
        self._questions: Questions | None = None

    # -- machine --------------------------------------------------------------------------------------------------

    def open(self) -> None:
        options = self._options
        self._sender = Sender(self._log.producer(), options.identity)
        self._questions = Questions(self._sender, self._replies)
        self._reader = self._log.reader()
        self._source = self._log.source(
            group=activity_group(options.namespace, options.queue),
            topics=[activities_topic(options.namespace, options.queue)],
            listener=self,
            instance=options.name,
        )
        self._replies.open(self._source.wake)

    def turn(self) -> int | None:
        source = self._source
        assert source is not None
        try:
            self._begin_reading()
            self._take_news()
            self._tick_if_due()
            room = self._room()
            self._pause_or_resume(room)
            records = source.poll(
                max(1, min(room, self._options.records_per_poll_max)), self._wait_ms()
            )
            if records:
                self._take_records(records)
                return 0
        except Unavailable as error:
            # The log is away for now; what was under way is kept and tried again.
            _log.warning("log_unavailable", error=str(error))
            if self._log.threaded:
                threading.Event().wait(self._options.tick_ms / 1_000)
            return self._options.tick_ms
        return None if self._idle else self._options.tick_ms

    def close(self) -> None:
        """Reports what has ended and commits. What still runs could not report any more, so others are given it."""
        source, sender = self._source, self._sender
        if source is not None and sender is not None:
            try:
                sender.flush(self._options.flush_on_revoke_ms)
                self._give_up(list(self._partitions), commit=True, take=False)
            finally:
                self._closed = True
                sender.close()
                self._replies.close()
                source.close(leave=True)
                if self._reader is not None:
                    self._reader.close()

    def wake(self) -> None:
        """Ends a waiting turn. From any thread."""
        if self._source is not None:
            self._source.wake()

    def drain(self) -> None:
        """Takes no more tasks and begins none of those that wait; what runs goes on. From any thread."""
        self._draining = True
        self.wake()

    @property
    def _idle(self) -> bool:
        return not self._deliveries and not self._assigned and not self._uncommitted

    @property
    def _uncommitted(self) -> bool:
        return any(partition.due_commit() is not None for partition in self._partitions.values())

    def _wait_ms(self) -> int:
        return self._options.idle_poll_ms if self._idle else self._options.tick_ms

    # -- partitions come and go -----------------------------------------------------------------------------------

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self._assigned.update(dict.fromkeys(partitions))

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self._give_up(partitions, commit=True, take=True)

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._give_up(partitions, commit=False, take=False)

    def _begin_reading(self) -> None:
        """From the committed mark; what was there before us is asked about before it runs."""
        if not self._assigned:
            return
        source, reader = self._source, self._reader
        assert source is not None
        assert reader is not None
        names = list(self._assigned)
        committed = source.committed(names)
        for name in names:
            found = committed.get(name)
            start = reader.start_offset(name)
            offset, metadata = found if found and found.offset >= start else Committed(start)
            partition = Partition(name, offset, metadata, reader.end_offset(name))
            self._partitions[name] = partition
            source.start_reading({name: offset})
            del self._assigned[name]
        if self._paused:
            source.pause(names)
        _log.info("activity_partitions_assigned", queue=self._options.queue, partitions=len(names))

    def _give_up(self, names: Sequence[TopicPartition], *, commit: bool, take: bool) -> None:
        """Lets partitions go. ``take`` keeps their running tasks: these end here, and nobody else is given them."""
        assert self._questions is not None
        assert self._sender is not None
        for name in names:
            self._assigned.pop(name, None)
        given_up = [p for name in names if (p := self._partitions.pop(name, None)) is not None]
        if not given_up:
            return
        for partition in given_up:
            partition.owned = False
        leaving = [delivery for delivery in self._deliveries if not delivery.partition.owned]
        now_ms = self._log.clock.monotonic_ms()
        for delivery in leaving:
            if not self._is_begun(delivery):
                self._drop(delivery)
            elif take and delivery.runs and not delivery.announced:
                self._questions.announce(delivery, delivery.started_ms, now_ms)
        if not commit:
            return
        if take and leaving:
            self._sender.flush(self._options.flush_on_revoke_ms)
        self._take_ends()
        for delivery in leaving:
            if take and delivery.taken:
                delivery.partition.window.finish(delivery.offset)
        self._commit(given_up)

    def _is_begun(self, delivery: Delivery) -> bool:
        """Whether its code has begun or must begin here, its offset being committed; otherwise it never will here."""
        attempt = delivery.attempt
        if attempt is not None and attempt.must_run and delivery.stage is not Stage.ANNOUNCING:
            return True
        return attempt is not None and not attempt.claim()

    # -- tasks ----------------------------------------------------------------------------------------------------

    def _room(self) -> int:
        if self._draining:
            return 0
        return self._options.slots + self._options.prefetch - self._in_hand

    def _pause_or_resume(self, room: int) -> None:
        assert self._source is not None
        if self._paused == (room <= 0):
            return
        self._paused = room <= 0
        if self._paused:
            self._source.pause(list(self._partitions))
        else:
            self._source.resume(list(self._partitions))

    def _take_records(self, records: Sequence[Record]) -> None:
        assert self._questions is not None
        redelivered: list[Delivery] = []
        fresh: list[Delivery] = []
        for record in records:
            partition = self._partitions.get(TopicPartition(record.topic, record.partition))
            if partition is None or not partition.window.deliver(record.offset):
                continue
            delivery = self._decoded(partition, record)
            if delivery is None:
                continue
            self._deliveries[delivery] = None
            asked = record.offset < partition.redelivered_below
            (redelivered if asked else fresh).append(delivery)
        if redelivered:
            self._questions.confirm(redelivered, self._log.clock.monotonic_ms())
            self._in_hand += len(redelivered)
        self._in_hand += len(fresh)
        self._hand_over(fresh)

    def _decoded(self, partition: Partition, record: Record) -> Delivery | None:
        """The record's task; one that cannot be read goes to the dead letters."""
        assert self._sender is not None
        try:
            return Delivery(partition, record.offset, decode_task(record.value or b""))
        except Undecodable as error:
            _log.error(
                "task_undecodable",
                partition=record.partition,
                offset=record.offset,
                error=str(error),
            )
            topic = dead_letters_topic(self._options.namespace)
            letter = dead_letter(record, topic=topic, stage="VALUE_CONVERTER", message=str(error))
            self._sender.send(letter, lambda _: partition.window.finish(record.offset))
            return None

    def _hand_over(self, deliveries: Iterable[Delivery]) -> None:
        """To the executor, in one batch; what may not be repeated is announced first."""
        assert self._questions is not None
        attempts: list[Attempt] = []
        now_ms = self._log.clock.monotonic_ms()
        for delivery in deliveries:
            if delivery.task.retry_policy.maximum_attempts == 1:
                delivery.stage = Stage.ANNOUNCING
                self._questions.announce(delivery, self._log.clock.now_ms(), now_ms)
            else:
                delivery.stage = Stage.HANDED
                delivery.attempt = self._attempt(delivery)
                attempts.append(delivery.attempt)
        if attempts:
            self._executor.run(attempts)

    def _attempt(self, delivery: Delivery, *, must_run: bool = False) -> Attempt:
        return Attempt(
            delivery.task,
            must_run=must_run,
            ended=lambda _, outcome: self._on_ended(delivery, outcome),
            heartbeat=lambda _, details: self._on_heartbeat(delivery, details),
        )

    def _drop(self, delivery: Delivery) -> None:
        """Nothing more will be done about it here."""
        if delivery in self._deliveries:
            del self._deliveries[delivery]
            if delivery.stage is not Stage.REPORTED:
                self._in_hand -= 1

    def _finish(self, delivery: Delivery) -> None:
        delivery.partition.window.finish(delivery.offset)
        self._drop(delivery)

    # -- from the event loop and the attempts' threads ------------------------------------------------------------

    def _on_ended(self, delivery: Delivery, outcome: Outcome) -> None:
        sender = self._sender
        if sender is None or self._closed:
            return  # abandoned: its task is someone else's by now
        if outcome.failure is not None and delivery.unsent_heartbeat is not None:
            # The next attempt is to find how far this one came.
            sender.heartbeat(delivery, delivery.unsent_heartbeat, None)
        sender.report(delivery, outcome, lambda: self._durable.append(delivery))
        self._ended.append(delivery)
        if self._paused:
            self.wake()

    def _on_heartbeat(self, delivery: Delivery, details: Payloads) -> None:
        delivery.unsent_heartbeat = details

    # -- news -----------------------------------------------------------------------------------------------------

    def _take_news(self) -> None:
        assert self._questions is not None
        self._take_ends()
        confirmed: list[Delivery] = []
        for request_id, answer in self._replies.take():
            if isinstance(answer, CancelTask):
                self._cancel_task(answer)
                continue
            deliveries = self._questions.answered(request_id)
            match answer:
                case Confirmed(pending=pending):
                    confirmed += self._still_pending(deliveries, pending)
                case HeartbeatAck():
                    self._acknowledged(deliveries, cancel_requested=answer.cancel_requested)
                case Rejection(reason=Reason.STALE_TASK | Reason.NOT_FOUND | Reason.ALREADY_CLOSED):
                    self._unwanted(deliveries)
                case _:
                    pass  # not now, says its owner: what waits is asked about again when overdue
        self._hand_over(confirmed)
        self._begin_acknowledged()

    def _take_ends(self) -> None:
        while self._ended:
            delivery = self._ended.popleft()
            if delivery in self._deliveries and delivery.stage is not Stage.REPORTED:
                self._in_hand -= 1
            delivery.stage = Stage.REPORTED
        while self._durable:
            self._finish(self._durable.popleft())

    def _still_pending(
        self, deliveries: Sequence[Delivery], pending: Sequence[bool]
    ) -> list[Delivery]:
        """Those to be made; the others were made before and are done with."""
        wanted: list[Delivery] = []
        for delivery, is_pending in zip(deliveries, pending, strict=True):
            if delivery not in self._deliveries or delivery.stage is not Stage.CONFIRMING:
                continue
            if is_pending:
                wanted.append(delivery)
            else:
                self._finish(delivery)
        return wanted

    def _acknowledged(self, deliveries: Iterable[Delivery], *, cancel_requested: bool) -> None:
        for delivery in deliveries:
            if delivery not in self._deliveries:
                continue
            if delivery.stage is Stage.ANNOUNCING:
                self._acknowledgements.append(delivery)
                delivery.attempt = self._attempt(delivery, must_run=True)
            if cancel_requested and delivery.attempt is not None:
                self._cancel(delivery.attempt, _ASKED_TO)

    def _begin_acknowledged(self) -> None:
        """What may be made once only begins when its offset is committed: from then on nobody else is given it."""
        ready = [delivery for delivery in self._acknowledgements if delivery in self._deliveries]
        self._acknowledgements = ready
        if not ready:
            return
        for delivery in ready:
            delivery.partition.window.finish(delivery.offset)
        if not self._commit({delivery.partition: None for delivery in ready}):
            return  # the next tick tries again
        self._acknowledgements = []
        for delivery in ready:
            delivery.stage = Stage.HANDED
        self._executor.run([d.attempt for d in ready if d.attempt is not None])

    def _unwanted(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            if delivery not in self._deliveries:
                continue
            if delivery.runs and delivery.attempt is not None:
                self._cancel(delivery.attempt, ActivityCancellationDetails(not_found=True))
            elif not self._is_begun(delivery):
                self._finish(delivery)

    def _cancel_task(self, cancel: CancelTask) -> None:
        asked = (cancel.run_id, cancel.op, cancel.attempt)
        for delivery in self._deliveries:
            task = delivery.task
            if (task.run_id, task.op, task.attempt) == asked and delivery.attempt is not None:
                self._cancel(delivery.attempt, _ASKED_TO)
                return

    def _cancel(self, attempt: Attempt, details: ActivityCancellationDetails) -> None:
        self._executor.cancel(attempt, details)

    # -- in between -----------------------------------------------------------------------------------------------

    def _tick_if_due(self) -> None:
        assert self._sender is not None
        clock = self._log.clock
        monotonic_ms = clock.monotonic_ms()
        if monotonic_ms < self._next_tick_ms:
            return
        self._next_tick_ms = monotonic_ms + self._options.tick_ms
        self._sender.retry()
        now_ms = clock.now_ms()
        for delivery in list(self._deliveries):
            if delivery.runs:
                self._keep_known(delivery, now_ms, monotonic_ms)
        self._ask_again(monotonic_ms)
        self._begin_acknowledged()
        self._commit(self._partitions.values())

    def _keep_known(self, delivery: Delivery, now_ms: int, monotonic_ms: int) -> None:
        """Tells the owner of a running task that it runs, and that it lives."""
        assert self._questions is not None
        beats = delivery.unsent_heartbeat is not None and self._beat_is_due(delivery, monotonic_ms)
        is_long = now_ms - delivery.started_ms >= self._options.announce_after_ms
        if not delivery.announced and (beats or is_long):
            self._questions.announce(delivery, delivery.started_ms, monotonic_ms)
        if beats:
            self._questions.heartbeat(delivery, monotonic_ms)

    def _beat_is_due(self, delivery: Delivery, monotonic_ms: int) -> bool:
        if delivery.heartbeat_sent_ms is None:
            return True
        apart_ms = heartbeat_interval_ms(
            delivery.task.timeouts.heartbeat_ms,
            longest_ms=self._options.heartbeat_ms_max,
            default_ms=self._options.heartbeat_ms_default,
        )
        return monotonic_ms - delivery.heartbeat_sent_ms >= apart_ms

    def _ask_again(self, monotonic_ms: int) -> None:
        assert self._questions is not None
        confirming: list[Delivery] = []
        for delivery in self._questions.overdue(monotonic_ms):
            if delivery not in self._deliveries:
                continue
            if delivery.stage is Stage.CONFIRMING:
                confirming.append(delivery)
            elif delivery.stage is Stage.ANNOUNCING and delivery.attempt is None:
                self._questions.announce(delivery, self._log.clock.now_ms(), monotonic_ms)
        self._questions.confirm(confirming, monotonic_ms)

    def _commit(self, partitions: Iterable[Partition]) -> bool:
        """Whether every one of them is committed as it is now."""
        assert self._source is not None
        due = [(p, position) for p in partitions if (position := p.due_commit()) is not None]
        if not due:
            return True
        try:
            self._source.commit({partition.name: position for partition, position in due})
        except (Fenced, Unavailable) as error:
            # Fenced: the partitions are someone else's by now, and we are about to be told. Else the next tick tries.
            _log.info("window_not_committed", queue=self._options.queue, error=str(error))
            return False
        for partition, position in due:
            partition.committed = position
        return True


_ASKED_TO = ActivityCancellationDetails(cancel_requested=True)
