"""What callers are told, and when: with the transaction, after it, or from the first copy's outcome."""

from __future__ import annotations

from streamflow.model.answers import Answer, DedupEntry, Done, Reason, Rejection, UpdateOutcome
from streamflow.model.commands import StartWorkflow, UpdateWithStart
from streamflow.model.ids import WorkflowId
from streamflow.ports import OutRecord, Record
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.batch import Batch
from streamflow.processor.state.draft import Draft
from streamflow.processor.state.layout import Entry, Expired
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.work import Work
from streamflow.wire import keys
from streamflow.wire.entities import decode_dedup, encode
from streamflow.wire.header import SF, EntryHeader, pack
from streamflow.wire.inbox import dead_letter, reply_record
from streamflow.wire.keys import EntityKind

QUOTA_REFUSAL_MS = 60_000
"""For so long a start that was refused for a quota is refused again without being looked at."""


class Answers:
    """The answers of one partition within one batch."""

    def __init__(self, around: Surroundings, partition: Partition, batch: Batch) -> None:
        self._around = around
        self._batch = batch
        self._part = batch.part(partition.number)
        self._rows = partition.rows

    def answer(self, work: Work, answer: Answer, *, recorded: bool) -> None:
        """In the transaction where something was recorded, else after the commit that covers what was read."""
        to = work.reply_to
        if to is None:
            return
        if not self._around.destinations.may_reply(to):
            self._around.counters.replies_dropped += 1
            return
        record = reply_record(to, answer)
        if recorded:
            self._batch.append(record)
        else:
            self._batch.answers.append(record)

    def refuse(self, work: Work, rejection: Rejection) -> None:
        """A caller who waits is told; what nobody waits for is kept as a dead letter."""
        if work.reply_to is not None:
            self.answer(work, rejection, recorded=False)
        elif work.record is not None:
            stage = "quarantined" if rejection.reason is Reason.QUARANTINED else "address"
            self.dead_letter(work.record, stage, rejection.message)

    def dead_letter(self, record: Record, stage: str, message: str) -> None:
        topic = self._around.dead_letters_topic
        self._around.counters.dead_letters += 1
        self._batch.append(dead_letter(record, topic=topic, stage=stage, message=message))

    def outcome_of_copy(
        self, work: Work, workflow_id: str
    ) -> Done | Rejection | UpdateOutcome | None:
        """What became of the first copy of this message; ``None`` if this is the first."""
        assert work.envelope is not None
        message_id = work.envelope.message_id
        raw = self._part.outcomes.get((workflow_id, message_id))
        raw = raw or self._rows.dedup(workflow_id, message_id)
        return None if raw is None else decode_dedup(raw).answer

    def remember(
        self,
        work: Work,
        workflow_id: WorkflowId,
        answer: Done | Rejection | UpdateOutcome,
        draft: Draft | None = None,
    ) -> None:
        """Keeps the outcome, for copies that may come as long as the run could be retained, by its queue's word or its own; a
        refusal for a quota only for copies of the same attempt, for who asks again later under the same name means it.

        Of a run that was there before (``draft``) only so many messages are remembered: the oldest makes room.
        """
        assert work.envelope is not None
        options = self._around.options
        now_ms = self._around.clock.now_ms()
        own_ms = self._own_retention_ms(work, answer, draft)
        keep_ms = max(options.dedup_ms_min, options.limits.retention_ms, own_ms)
        if isinstance(answer, Rejection) and answer.reason is Reason.QUOTA_EXCEEDED:
            keep_ms = QUOTA_REFUSAL_MS
        run_id, ordinal = "", 0
        if draft is not None:
            run_id, ordinal = draft.run.run_id, self._count(workflow_id, draft)
        entry = DedupEntry(
            workflow_id=workflow_id,
            message_id=work.envelope.message_id,
            answer=answer,
            expires_ms=now_ms + keep_ms,
        )
        value = encode(entry)
        header = EntryHeader(EntityKind.DEDUP, 0, run_id, ordinal, 0, now_ms, entry.expires_ms)
        packed = pack(header)
        self._part.outcomes[workflow_id, entry.message_id] = value
        self._part.entries.append(
            Entry(EntityKind.DEDUP, workflow_id, header, packed, value, text=entry.message_id)
        )
        key = keys.dedup_key(workflow_id, entry.message_id)
        history = self._around.history_topic
        self._batch.append(OutRecord(history, self._part.number, key, value, ((SF, packed),)))

    def _own_retention_ms(
        self, work: Work, answer: Done | Rejection | UpdateOutcome, draft: Draft | None
    ) -> int:
        """Of the run that the message was for or began, and of the type that it was to begin; 0 where they have none."""
        retention_ms = self._around.options.retention_ms
        of_type: int | None = None
        match work.command:
            case (
                StartWorkflow(workflow_type=name)
                | UpdateWithStart(start=StartWorkflow(workflow_type=name))
            ):
                of_type = retention_ms.get(name)
            case _:
                draft = draft or self._part.drafts.get(answer.run_id or "")
        of_run = draft.run.start.retention_ms if draft is not None else None
        return max(of_type or 0, of_run or 0)

    def _count(self, workflow_id: WorkflowId, draft: Draft) -> int:
        """Which of the run's remembered messages this one is; the one that it is too many by is forgotten."""
        run_id = draft.run.run_id
        if draft.messages < 0:
            draft.messages = self._rows.messages(run_id)
        draft.messages += 1
        surplus = draft.messages - self._around.options.limits.messages_per_run_max
        former = self._rows.message(run_id, surplus) if surplus > 0 else None
        if former is not None:
            message_id, expires_ms = former
            expired = Expired(workflow_id, message_id, expires_ms, run_id, surplus)
            forget_message(self._batch, self._part.number, expired, self._around)
        return draft.messages


def forget_message(batch: Batch, number: int, message: Expired, around: Surroundings) -> None:
    """The deduplication entry goes: a copy that comes now is taken for a new message."""
    header = EntryHeader(
        EntityKind.DEDUP,
        0,
        message.run_id,
        message.ordinal,
        0,
        around.clock.now_ms(),
        message.expires_ms,
    )
    packed = pack(header)
    workflow_id, message_id = message.workflow_id, message.message_id
    batch.part(number).entries.append(
        Entry(EntityKind.DEDUP, workflow_id, header, packed, None, text=message_id)
    )
    key = keys.dedup_key(workflow_id, message_id)
    batch.append(OutRecord(around.history_topic, number, key, None, ((SF, packed),)))
