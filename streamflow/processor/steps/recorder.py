"""One run's part of a batch: what is recorded of it, in order, until it is sealed into history entries.

    take(step) ...  facts applied to the draft as they are decided, what must leave gathered
    seal()          bytes: entities first, then events, all with the run's next due time

Nothing leaves from here: everything goes into the batch, and the batch into one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streamflow.engine import deadlines
from streamflow.engine.activation import ready
from streamflow.engine.apply import apply, apply_attempt, apply_trouble
from streamflow.engine.context import Context
from streamflow.engine.decide import Send, Step
from streamflow.engine.decide.updates import abandoned, outcome_of
from streamflow.engine.describe import current_step, result_of, summarize
from streamflow.engine.effects import (
    CancelLocal,
    Effect,
    ForgetAttempt,
    PushCancel,
    effects_of_cancel,
    effects_of_close,
    effects_of_end,
    task_of,
)
from streamflow.engine.outgoing import SPEAKING, outgoing
from streamflow.engine.state import STATUS_OF
from streamflow.model.answers import Trouble, UpdateOutcome
from streamflow.model.commands import ReplyTo
from streamflow.model.events import (
    ActivityCanceled,
    ActivityCancelRequested,
    ActivityCompleted,
    ActivityFailed,
    Event,
    MemoUpserted,
    PatchMarked,
    Recorded,
    SearchAttributesUpserted,
    UpdateCompleted,
)
from streamflow.model.ids import Op, Seq
from streamflow.model.tasks import Attempt, Deleting
from streamflow.ports import OutRecord
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.batch import Batch, PartitionBatch
from streamflow.processor.state.draft import Draft
from streamflow.processor.state.layout import Entry
from streamflow.processor.state.waiters import Waiters, waiters_key
from streamflow.processor.steps.sending import message_of, send_command
from streamflow.topology import partition_for
from streamflow.wire import keys
from streamflow.wire.entities import encode
from streamflow.wire.events import encode_event, event_code
from streamflow.wire.header import SF, EntryHeader, entry_hash, pack
from streamflow.wire.inbox import reply_record
from streamflow.wire.keys import EntityKind

TASKS_TOGETHER = 16
"""Tasks of one queue and transaction that lie on one partition before the next gets some."""

QUARANTINED = "quarantined"
_SHOWN_AT_ONCE = frozenset({MemoUpserted, SearchAttributesUpserted, PatchMarked})
"""What changes the values by which a run is found."""
_OF_ACTIVITIES = {ActivityCompleted, ActivityFailed, ActivityCanceled, ActivityCancelRequested}
_WITH_EFFECTS = frozenset(_OF_ACTIVITIES | STATUS_OF.keys())
"""Events because of which something must leave."""
encode_key = msgspec.json.Encoder().encode


class Recorder:
    def __init__(
        self,
        around: Surroundings,
        batch: Batch,
        part: PartitionBatch,
        draft: Draft,
        waiters: Waiters,
    ) -> None:
        self.draft = draft
        self.run = draft.run
        self._around = around
        self._batch = batch
        self._part = part
        self._waiters = waiters
        self._events: list[Recorded] = []
        self._values: list[bytes] = []
        """The events' bytes: what cannot be encoded is found before it counts."""
        self._attempts: dict[Op, Attempt | None] = {}
        self._trouble: Trouble | None = None
        self._trouble_changed = False
        self._show = False
        self.moved = False
        """Whether the start of the run that follows has been sent to another queue."""
        self.retired = False
        self._put_off = False
        """Whether the run's deletion has begun: there is nothing more to say of it."""

    @property
    def changed(self) -> bool:
        return bool(self._events or self._attempts or self._trouble_changed)

    @property
    def recorded(self) -> list[Recorded]:
        """What this batch has recorded of the run so far: not in the store yet."""
        return self._events

    @property
    def recorded_bytes(self) -> list[int]:
        """The size of each of them."""
        return [len(value) for value in self._values]

    def context(self) -> Context:
        """Surroundings of a decision about this run: its time never goes back, whoever owned it before."""
        return self._around.context(self.context_ms())

    def context_ms(self) -> int:
        return max(self._around.clock.now_ms(), self.run.last_time_ms)

    def take(self, steps: Iterable[Step], context: Context) -> int:
        """Records what was decided, each step applied before the next is asked for; returns how many."""
        count = 0
        for step in steps:
            count += 1
            match step:
                case Send(op=op):
                    self._send(op)
                case Attempt():
                    if step.attempt != self.run.activities[step.op].attempt.attempt:
                        self._show = True  # it failed: who looks for trouble finds it in lists
                    self._attempts[step.op] = step
                    apply_attempt(self.run, step, context.limits)
                case Trouble():
                    self.set_trouble(step)
                case _:
                    self._event(step, context)
        return count

    def copy(self, events: Iterable[Event], context: Context) -> None:
        """Records what another run has done, as done: nothing leaves because of it."""
        for event in events:
            self._event(event, context, quietly=True)

    def set_trouble(self, trouble: Trouble | None) -> None:
        if trouble is None and self.run.trouble is None:
            return
        apply_trouble(self.run, trouble)
        self._trouble = trouble
        self._trouble_changed = True
        self._show = True

    def end_idle_trouble(self) -> None:
        """A trouble whose time to try again has come ends when there is nothing to try: it was over an update that its
        caller gave up, or sends again."""
        run = self.run
        trouble = run.trouble
        if trouble is None or run.waiting or run.goes_on or self.draft.updates or not run.open:
            return
        if 0 < trouble.next_try_ms <= self.context_ms():
            self.set_trouble(None)

    def put_off(self, due_ms: int) -> None:
        """The run is looked at again then, and not before, for what is due already."""
        self._put_off = True
        self._part.due_corrections[self.run.run_id] = due_ms

    def seal(self) -> None:
        """Puts everything recorded into the batch, as bytes."""
        if self.retired or (self._put_off and not self.changed):
            return
        due_ms = self._next_due_ms()
        if not self.changed:
            still_due = 0 < due_ms <= self._around.clock.now_ms()
            if still_due or due_ms != self.draft.due_ms:
                self._part.due_corrections[self.run.run_id] = due_ms
                self.draft.due_ms = due_ms
            return
        self.draft.due_ms = due_ms
        for op, attempt in self._attempts.items():
            self._seal_attempt(op, attempt, due_ms)
        if self._trouble_changed:
            self._seal_trouble(due_ms)
        for recorded, value in zip(self._events, self._values, strict=True):
            self._seal_event(recorded, value, due_ms)
        self._summarize()
        if not self.run.open:
            self._answer_waiters()
            self._part.closed.append(self.run.run_id)

    def tombstone_run(self, last_seq: int, count: int) -> int:
        """Deletes the last ``count`` events of a closed run whose retention ended; returns the last left."""
        run, stop = self.run, max(0, last_seq - count)
        for seq in range(last_seq, stop, -1):
            header = self._header(EntityKind.EVENT, seq=seq, due_ms=1)
            self._put(header, None, keys.event_key(run.workflow_id, run.run_id, seq))
        return stop

    def mark_deleting(self, last_seq: int) -> None:
        """The first word of a run's deletion: from now on its gaps are no alarm."""
        header = self._header(EntityKind.DELETING, seq=last_seq, due_ms=1)
        value = encode(Deleting(last_seq=last_seq, last_hash=self.draft.last_hash))
        self._put(header, value, keys.deleting_key(self.run.workflow_id, self.run.run_id))

    def forget_beside(self, ops: Iterable[Op]) -> None:
        """Deletes what stands beside the events of a run that ends without a closing event."""
        for op in ops:
            self._seal_attempt(op, None, due_ms=1)
        self._trouble = None
        self._seal_trouble(due_ms=1)

    def finish_deleting(self) -> None:
        """The last word: the mark itself goes, and the run's row in the executions feed."""
        run = self.run
        header = self._header(EntityKind.DELETING)
        self._put(header, None, keys.deleting_key(run.workflow_id, run.run_id))
        self._put_summary(None)

    def _event(self, event: Event, context: Context, *, quietly: bool = False) -> None:
        run, kind = self.run, type(event)
        if not quietly:
            if kind in _WITH_EFFECTS:
                for effect in self._effects(event):
                    self._effect(effect)
            if kind in SPEAKING:
                self._send_elsewhere(event, context)
        if run.trouble is not None and kind in STATUS_OF:
            self.set_trouble(None)  # a closed run is in no trouble, and its record goes
        recorded = Recorded(Seq(run.last_seq + 1), run.step, context.now_ms, event)
        apply(run, recorded, context.limits)
        if run.step != recorded.step:  # an activation counts itself
            recorded = Recorded(recorded.seq, run.step, recorded.time_ms, event)
        value = encode_event(
            run.workflow_id, run.run_id, recorded.seq, recorded.step, recorded.time_ms, event
        )
        self._events.append(recorded)
        self._values.append(value)
        # At once, for the code may run again before the batch is sealed, and replay counts every event before a step.
        self.draft.history_bytes += len(value)
        self._batch.sealed_later(len(value))
        if run.last_seq == 1 or not run.open or type(event) in _SHOWN_AT_ONCE:
            self._show = True
        if type(event) is UpdateCompleted:
            self._tell(event.update_id, outcome_of(run, event))

    def _send_elsewhere(self, event: Event, context: Context) -> None:
        run = self.run
        for number, sent in enumerate(outgoing(run, event, context)):
            message_id = message_of(run.run_id, run.last_seq + 1, number)
            send_command(self._batch, self._around, sent.queue, sent.command, message_id)

    def _effects(self, event: Event) -> list[Effect]:
        match event:
            case ActivityCompleted() | ActivityFailed() | ActivityCanceled():
                return effects_of_end(self.run, event)
            case ActivityCancelRequested():
                return effects_of_cancel(self.run, event)
            case _:
                assert type(event) in STATUS_OF, event
                return effects_of_close(self.run)

    def _effect(self, effect: Effect) -> None:
        match effect:
            case ForgetAttempt(op=op):
                self._attempts[op] = None
            case PushCancel(to=to, task=task):
                self._reply(to, task)
            case CancelLocal(op=op):
                self._batch.locals_canceled.append((self.run.run_id, op))

    def _send(self, op: Op) -> None:
        around, run = self._around, self.run
        task = task_of(run, op, inbox_topic=around.inbox_topic, inbox_partition=self._part.number)
        if run.activities[op].scheduled.local:
            self._batch.locals_begun.append(task)
            return
        # Tasks have no order. A few go together, for each partition that a transaction touches costs the broker a
        # marker; a fan-out is spread, so that it does not sit on one partition.
        around.counters.tasks += 1
        turn = around.counters.transactions + self._batch.count_task(task.queue) // TASKS_TOGETHER
        queues = around.destinations.activity_queues
        key = encode_key((task.workflow_id, task.activity_id))
        record = OutRecord(queues.topic(task.queue), turn % queues[task.queue], key, encode(task))
        self._batch.append(record)

    def _reply(self, to: ReplyTo, answer: object) -> None:
        if self._around.destinations.may_reply(to):
            self._batch.append(reply_record(to, answer))  # type: ignore[arg-type]  # an Answer or a CancelTask
        else:
            self._around.counters.replies_dropped += 1

    def _tell(self, update_id: str, outcome: UpdateOutcome) -> None:
        """Those who wait for this update."""
        key = waiters_key(self.run.run_id, update_id)
        waiting = self._waiters.of(key)
        if waiting:
            for to in waiting:
                self._reply(to, outcome)
            self._part.told.append(key)

    def _answer_waiters(self) -> None:
        if self.run.updates_at_work:
            for update_id, update in self.run.updates.items():
                if not update.completed_seq:
                    self._tell(update_id, abandoned(self.run, update_id))
        waiting = self._waiters.of(self.run.run_id)
        if waiting:
            result = result_of(self.run)
            for to in waiting:
                self._reply(to, result)

    def _next_due_ms(self) -> int:
        run, limits = self.run, self._around.options.limits
        if run.open:
            if ready(run, self.context_ms(), messages=bool(self.draft.updates)):
                self._part.unfinished.append(run.run_id)
                return run.last_time_ms  # its code has still to run, in a later batch
            due_ms = deadlines.next_due_ms(run, limits)
            trouble = run.trouble
            if due_ms and trouble is not None and trouble.kind == QUARANTINED:
                # Whatever is due may be just what put the run aside: not again at once.
                due_ms = max(due_ms, trouble.next_try_ms)
            return due_ms
        retention_ms = run.start.retention_ms
        return run.closed_ms + (limits.retention_ms if retention_ms is None else retention_ms)

    # -- bytes ----------------------------------------------------------------------------------------------------

    def _seal_event(self, recorded: Recorded, value: bytes, due_ms: int) -> None:
        run, draft = self.run, self.draft
        header = EntryHeader(
            EntityKind.EVENT,
            event_code(recorded.event),
            run.run_id,
            recorded.seq,
            recorded.step,
            recorded.time_ms,
            due_ms,
            0,
            draft.last_hash,
        )
        packed = self._put(header, value, keys.event_key(run.workflow_id, run.run_id, recorded.seq))
        draft.last_hash = entry_hash(packed, value)
        self._around.counters.events += 1

    def _seal_attempt(self, op: Op, attempt: Attempt | None, due_ms: int) -> None:
        header = self._header(EntityKind.ATTEMPT, due_ms=due_ms)
        key = keys.attempt_key(self.run.workflow_id, self.run.run_id, op)
        self._put(header, None if attempt is None else encode(attempt), key, number=op)

    def _seal_trouble(self, due_ms: int) -> None:
        header = self._header(EntityKind.TROUBLE, due_ms=due_ms)
        key = keys.trouble_key(self.run.workflow_id, self.run.run_id)
        self._put(header, None if self._trouble is None else encode(self._trouble), key)

    def _header(self, kind: EntityKind, *, seq: int = 0, due_ms: int = 0) -> EntryHeader:
        run = self.run
        return EntryHeader(kind, 0, run.run_id, seq, run.step, run.last_time_ms, due_ms)

    def _put(
        self, header: EntryHeader, value: bytes | None, key: bytes, *, number: int = 0
    ) -> bytes:
        packed = pack(header)
        self._part.entries.append(
            Entry(header.kind, self.run.workflow_id, header, packed, value, number)
        )
        topic = self._around.history_topic
        self._batch.append(OutRecord(topic, self._part.number, key, value, ((SF, packed),)))
        return packed

    def _summarize(self) -> None:
        now_ms = self.run.last_time_ms
        step = current_step(self.run)
        # A run that only waits may do so for days, so its row says what for.
        waits = not self.run.activities and step != self.draft.summarized_step
        late = now_ms - self.draft.summarized_ms >= self._around.options.summary_ms
        if self._show or waits or late:
            self.draft.summarized_ms, self.draft.summarized_step = now_ms, step
            options = self._around.options
            summary = summarize(
                self.run,
                namespace=options.namespace,
                queue=options.queue,
                now_ms=now_ms,
                history_bytes=self.draft.history_bytes,
            )
            self._put_summary(encode(summary))

    def _put_summary(self, value: bytes | None) -> None:
        around, run = self._around, self.run
        count = around.destinations.partitions(around.executions_topic)
        if count:
            key = keys.summary_key(around.options.queue, run.workflow_id, run.run_id)
            partition = partition_for(run.workflow_id, count)
            self._batch.append(OutRecord(around.executions_topic, partition, key, value))
