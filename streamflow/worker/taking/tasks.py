"""The tasks in a worker's hand, from their delivery until their reports are durable. See `delivery.Stage` for the way.

A record is finished when its report is durable, its task is not wanted any more, or its start is durable and committed
(*taken*: from then on its timeouts watch over it, not redelivery). Owned by the poll thread, but for what comes from the
event loop. Partitions and their commits are the poller's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.model.answers import Confirmed, HeartbeatAck, Reason, Rejection
from streamflow.model.payload import Payloads
from streamflow.model.tasks import CancelTask
from streamflow.ports import Clock
from streamflow.worker.running.attempt import Attempt, Outcome
from streamflow.worker.running.executor import Executor
from streamflow.worker.taking.asking import Questions
from streamflow.worker.taking.delivery import Delivery, Partition, Stage
from streamflow.worker.taking.limits import PollerOptions
from streamflow.worker.taking.noting import Begun
from streamflow.worker.taking.replies import Reply
from streamflow.worker.taking.sending import Sender, heartbeat_interval_ms
from streamflow.worker.taking.waiting import Waiting

Commit = Callable[[Iterable[Partition]], bool]
"""Whether every one of these partitions is now committed as it is."""
_ASKED_TO = ActivityCancellationDetails(cancel_requested=True)
_NOT_WANTED = ActivityCancellationDetails(not_found=True)


class Tasks:
    """Confirms, announces, hands over, and follows to the end."""

    def __init__(
        self,
        executor: Executor,
        sender: Sender,
        questions: Questions,
        clock: Clock,
        options: PollerOptions,
        *,
        commit: Commit,
        room: Callable[[], None],
    ) -> None:
        """``room`` is called, on the event loop, when a task has ended."""
        self._executor = executor
        self._sender = sender
        self._questions = questions
        self._clock = clock
        self._options = options
        self._commit = commit
        self._tell_room = room
        self._deliveries: dict[Delivery, None] = {}
        """Every task from its delivery until it is finished."""
        self._again: dict[Delivery, None] = {}
        """Confirmed: begun as soon as it is noted of the redelivered ones that they are begun once more."""
        self._once: Waiting[Delivery] = Waiting()
        """May be made once only, and wait for a slot to be announced."""
        self.begun = Begun(self._deliveries, clock, options)
        self._acknowledgements: list[Delivery] = []
        """Announced and acknowledged, to begin as soon as their offsets are committed."""
        self._ended: deque[Delivery] = deque()
        self._durable: deque[Delivery] = deque()
        self._closed = False
        self.draining = False
        """Whether nothing more is announced. Set from any thread."""
        self.in_hand = 0
        """Tasks that take a slot or wait for one."""
        self._unanswered = 0
        """Tasks that are not counted so, for their owners are silent."""

    def __len__(self) -> int:
        return len(self._deliveries)

    @property
    def want_room(self) -> bool:
        """Whether something begins as soon as another task has ended. From any thread."""
        return len(self._once) > 0

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """New tasks: those that may have been made, or be unwanted by now, are asked about; the others may begin."""
        self._deliveries.update(dict.fromkeys(deliveries))
        self.in_hand += len(deliveries)
        fresh: list[Delivery] = []
        doubtful: list[Delivery] = []
        now_ms = self._clock.now_ms()
        for delivery in deliveries:
            is_doubtful = delivery.redelivered or delivery.sure_until_ms < now_ms
            (doubtful if is_doubtful else fresh).append(delivery)
        self._questions.confirm(doubtful, self._clock.monotonic_ms())
        self._hand_over(fresh)

    def leave(self, *, take: bool) -> None:
        """Lets tasks of partitions not owned any more go.

        ``take`` keeps those that run: they end here, and once their starts are durable nobody else is given them.
        """
        leaving = [delivery for delivery in self._deliveries if not delivery.partition.owned]
        now_ms = self._clock.monotonic_ms()
        for delivery in leaving:
            if not self._is_begun(delivery):
                self._drop(delivery)
            elif take and delivery.runs and not delivery.announced:
                self._questions.announce(delivery, delivery.started_ms, now_ms)
        if take and leaving:
            self._sender.flush(self._options.flush_on_revoke_ms)
        self.take_ends()
        self.begun.note(at_once=True)
        for delivery in leaving:
            if take and delivery.taken and delivery in self._deliveries:
                delivery.partition.window.finish(delivery.offset)

    def close(self) -> None:
        """What ends from now on is not reported: its task is someone else's."""
        self._closed = True

    # -- to the executor ------------------------------------------------------------------------------------------

    def _begin_again(self) -> None:
        """What was delivered before begins when it is noted that it does: a task that ends its worker is counted."""
        if not self._again:
            return
        ready: list[Delivery] = []
        doubtful: list[Delivery] = []
        now_ms = self._clock.now_ms()
        for delivery in filter(self._deliveries.__contains__, self._again):
            (doubtful if delivery.sure_until_ms < now_ms else ready).append(delivery)
        self._again = dict.fromkeys(ready)
        self._questions.confirm(doubtful, self._clock.monotonic_ms())
        redelivered = [delivery for delivery in ready if delivery.redelivered]
        for delivery in redelivered:
            delivery.partition.window.begin(delivery.offset, delivery.earlier + 1)
        if not self._commit({delivery.partition: None for delivery in redelivered}):
            return  # the next tick tries again
        self._again = {}
        self._hand_over(ready)

    def _hand_over(self, deliveries: Iterable[Delivery]) -> None:
        """To the executor, in one batch; what may not be repeated is announced first."""
        attempts: list[Attempt] = []
        for delivery in deliveries:
            if delivery.task.retry_policy.maximum_attempts == 1:
                delivery.stage = Stage.WAITING
                self._once.push(delivery)
            else:
                delivery.stage = Stage.HANDED
                delivery.attempt = self._attempt(delivery)
                self.begun.add(delivery)
                attempts.append(delivery.attempt)
        if attempts:
            self._executor.run(attempts)
        self._announce_next()

    def _announce_next(self) -> None:
        """What may be made once only, as far as there are slots: who is told that it began counts its time from then."""
        if not self._once or self.draining:
            return
        busy = sum(d.stage in (Stage.ANNOUNCING, Stage.HANDED) for d in self._deliveries)
        now_ms = self._clock.monotonic_ms()
        while self._once and busy < self._options.slots:
            delivery = self._once.pop()
            if delivery in self._deliveries:
                delivery.stage = Stage.ANNOUNCING
                self._questions.announce(delivery, self._clock.now_ms(), now_ms)
                busy += 1

    def _attempt(self, delivery: Delivery, *, must_run: bool = False) -> Attempt:
        return Attempt(
            delivery.task,
            must_run=must_run,
            earlier=delivery.earlier,
            ended=lambda _, outcome: self._on_ended(delivery, outcome),
            heartbeat=lambda _, details: self._on_heartbeat(delivery, details),
        )

    def _is_begun(self, delivery: Delivery) -> bool:
        """Whether its code has begun or must begin here, its offset being committed; otherwise it never will here."""
        attempt = delivery.attempt
        if attempt is not None and attempt.must_run and delivery.stage is not Stage.ANNOUNCING:
            return True
        return attempt is not None and not attempt.claim()

    def _drop(self, delivery: Delivery) -> None:
        """Nothing more will be done about it here."""
        if delivery in self._deliveries:
            del self._deliveries[delivery]
            self._count_again(delivery)
            if delivery.stage is not Stage.REPORTED:
                self.in_hand -= 1

    def _finish(self, delivery: Delivery) -> None:
        delivery.partition.window.finish(delivery.offset)
        self._drop(delivery)
        delivery.attempt = None  # which knows its delivery: the two would wait for the collector

    # -- from the event loop and the attempts' threads ------------------------------------------------------------

    def _on_ended(self, delivery: Delivery, outcome: Outcome) -> None:
        if self._closed:
            return
        if outcome.later:
            # Its start must be known, for nothing else tells the owner that the attempt is under way.
            self._sender.hand_on(delivery, lambda: self._durable.append(delivery))
            if delivery.unsent_heartbeat is not None:
                self._sender.heartbeat(delivery, delivery.unsent_heartbeat, None)
            self._ended.append(delivery)
            self._tell_room()
            return
        if outcome.failure is not None and delivery.unsent_heartbeat is not None:
            # The next attempt is to find how far this one came.
            self._sender.heartbeat(delivery, delivery.unsent_heartbeat, None)
        self._sender.report(delivery, outcome, lambda: self._durable.append(delivery))
        self._ended.append(delivery)
        self._tell_room()

    def _on_heartbeat(self, delivery: Delivery, details: Payloads) -> None:
        delivery.unsent_heartbeat = details

    # -- what owners say -----------------------------------------------------------------------------------------------------

    def take_answers(self, replies: Iterable[Reply]) -> None:
        """What owners have said since the last time."""
        for request_id, answer, at_ms in replies:
            if isinstance(answer, CancelTask):
                self._cancel_task(answer)
                continue
            deliveries = self._questions.answered(request_id)
            if not deliveries:
                continue  # a copy of an answer, or about what is not in hand any more
            match answer:
                case Confirmed():
                    self._confirmed(deliveries, answer, at_ms)
                case HeartbeatAck():
                    self._acknowledged(deliveries, _stop_of(answer))
                case Rejection(reason=Reason.STALE_TASK | Reason.NOT_FOUND | Reason.ALREADY_CLOSED):
                    self._unwanted(deliveries)
                case _:
                    pass  # not now, says its owner: what waits is asked about again when overdue
        self._begin_again()
        self._begin_acknowledged()

    def take_ends(self) -> None:
        """What has ended, and what is reported, since the last time."""
        while self._ended:
            delivery = self._ended.popleft()
            if delivery in self._deliveries and delivery.stage is not Stage.REPORTED:
                self.in_hand -= 1
            delivery.stage = Stage.REPORTED
        while self._durable:
            self._finish(self._durable.popleft())
        self._announce_next()

    def _confirmed(self, deliveries: Sequence[Delivery], answer: Confirmed, at_ms: int) -> None:
        """Those still pending are to be made, from how far an earlier attempt came; the others were made before."""
        details = answer.heartbeat_details or ((),) * len(answer.pending)
        for delivery, is_pending, latest in zip(deliveries, answer.pending, details, strict=False):
            if not self._is_confirming(delivery):
                continue
            if is_pending:
                self._count_again(delivery)
                delivery.is_wanted(at_ms, self._clock.now_ms(), self._options.sure_for_ms)
                if latest:
                    delivery.task = msgspec.structs.replace(delivery.task, heartbeat_details=latest)
                self._again[delivery] = None
            else:
                self._finish(delivery)
        left = filter(self._is_confirming, deliveries[len(answer.pending) :])
        self._questions.confirm(left, self._clock.monotonic_ms())

    def _is_confirming(self, delivery: Delivery) -> bool:
        """Whether nobody has said yet that it is still wanted: of several answers about a task the first counts."""
        return (
            delivery in self._deliveries
            and delivery.stage is Stage.CONFIRMING
            and delivery not in self._again
        )

    def _acknowledged(
        self, deliveries: Iterable[Delivery], stop: ActivityCancellationDetails | None
    ) -> None:
        for delivery in deliveries:
            if delivery not in self._deliveries:
                continue
            if delivery.stage is Stage.ANNOUNCING and delivery.attempt is None:
                self._acknowledgements.append(delivery)
                delivery.attempt = self._attempt(delivery, must_run=True)
            if stop is not None and delivery.attempt is not None:
                self._executor.cancel(delivery.attempt, stop)

    def _begin_acknowledged(self) -> None:
        """What may be made once only begins when its offset is committed: from then on nobody else is given it."""
        ready = [delivery for delivery in self._acknowledgements if delivery in self._deliveries]
        self._acknowledgements = ready
        if not ready:
            return
        noted = [delivery.partition.window.times_begun(delivery.offset) for delivery in ready]
        for delivery in ready:
            delivery.partition.window.finish(delivery.offset)
        if not self._commit({delivery.partition: None for delivery in ready}):
            for delivery, times in zip(ready, noted, strict=True):
                delivery.partition.window.reopen(delivery.offset, times)
            return  # the next tick tries again, or the partition's next owner
        self._acknowledgements = []
        for delivery in ready:
            delivery.stage = Stage.HANDED
        self._executor.run([d.attempt for d in ready if d.attempt is not None])

    def _unwanted(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            if delivery not in self._deliveries:
                continue
            if delivery.runs and delivery.attempt is not None:
                self._executor.cancel(delivery.attempt, _NOT_WANTED)
            elif not self._is_begun(delivery):
                self._finish(delivery)

    def _cancel_task(self, cancel: CancelTask) -> None:
        asked = (cancel.run_id, cancel.op, cancel.attempt)
        for delivery in self._deliveries:
            task = delivery.task
            if (task.run_id, task.op, task.attempt) == asked and delivery.attempt is not None:
                self._executor.cancel(
                    delivery.attempt, _NOT_WANTED if cancel.not_wanted else _ASKED_TO
                )
                return

    # -- in between -----------------------------------------------------------------------------------------------

    def tick(self, monotonic_ms: int) -> None:
        """What is done once in a while: announce, beat, ask and send again."""
        self._sender.retry()
        now_ms = self._clock.now_ms()
        for delivery in list(self._deliveries):
            if delivery.runs:
                self._keep_known(delivery, now_ms, monotonic_ms)
            elif self._is_confirming(delivery):
                self._make_room(delivery, monotonic_ms)
        self._ask_again(monotonic_ms)
        self._begin_again()
        self._begin_acknowledged()

    def _keep_known(self, delivery: Delivery, now_ms: int, monotonic_ms: int) -> None:
        """Tells the owner of a running task that it runs, and that it lives."""
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

    def _make_room(self, delivery: Delivery, monotonic_ms: int) -> None:
        """Lets others take its room while its owner is silent, which may be long: it is being deployed, or away."""
        asked_ms = delivery.ask_again_ms - delivery.ask_apart_ms
        is_silent = monotonic_ms - asked_ms >= self._options.unanswered_after_ms
        if (
            is_silent
            and not delivery.unanswered
            and self._unanswered < self._options.unanswered_max
        ):
            delivery.unanswered = True
            self._unanswered += 1
            self.in_hand -= 1

    def _count_again(self, delivery: Delivery) -> None:
        if delivery.unanswered:
            delivery.unanswered = False
            self._unanswered -= 1
            self.in_hand += 1

    def _ask_again(self, monotonic_ms: int) -> None:
        overdue = self._questions.overdue(self._deliveries, monotonic_ms)
        self._questions.confirm(filter(self._is_confirming, overdue), monotonic_ms)
        for delivery in overdue:
            if delivery.stage is Stage.ANNOUNCING and delivery.attempt is None:
                self._questions.announce(delivery, self._clock.now_ms(), monotonic_ms)


def _stop_of(ack: HeartbeatAck) -> ActivityCancellationDetails | None:
    """Why the attempt is to stop, as its owner says; ``None`` lets it go on."""
    if not (ack.cancel_requested or ack.paused or ack.reset):
        return None
    return ActivityCancellationDetails(
        cancel_requested=ack.cancel_requested, paused=ack.paused, reset=ack.reset
    )
