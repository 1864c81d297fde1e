"""Takes commands to their runs: decides, lets the code run, and leaves everything in the batch.

    group of commands of one workflow ID, in order
        each: dedup -> decide -> record -> answer
        then, as long as inputs wait: activate -> intents -> record

One bad run never stops its partition: what goes wrong in it ends here, as its own trouble or as a dead letter.
"""

from __future__ import annotations

from itertools import islice
from typing import assert_never

import msgspec

from streamflow.engine.context import Context
from streamflow.engine.decide import Decision
from streamflow.engine.decide.activities import (
    decide_heartbeat,
    decide_local_end,
    decide_report,
    decide_started,
    pending_task,
)
from streamflow.engine.decide.due import decide_due
from streamflow.engine.decide.messages import (
    decide_cancel,
    decide_signal,
    decide_terminate,
    not_found,
)
from streamflow.engine.decide.start import Begin, decide_start, successor
from streamflow.engine.describe import describe, result_of
from streamflow.engine.state import Run
from streamflow.model.answers import (
    Answer,
    Confirmed,
    DedupEntry,
    Done,
    Located,
    Reason,
    Rejection,
    Trouble,
)
from streamflow.model.commands import (
    AwaitResult,
    CancelWorkflow,
    Command,
    ConfirmTasks,
    DescribeWorkflow,
    Envelope,
    FetchHistory,
    FireDue,
    HeartbeatActivity,
    LocalActivityEnded,
    Locate,
    QueryWorkflow,
    ReportActivity,
    SignalWorkflow,
    StartActivity,
    StartWorkflow,
    TerminateWorkflow,
    WaitFor,
)
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.observability import get_logger
from streamflow.ports import OutRecord, Record
from streamflow.processor import activate, retention
from streamflow.processor.batch import Batch, PartitionBatch
from streamflow.processor.draft import Draft
from streamflow.processor.partition import Partition
from streamflow.processor.recorder import Recorder
from streamflow.processor.rows import Entry
from streamflow.processor.surroundings import Surroundings
from streamflow.wire import keys
from streamflow.wire.entities import decode_dedup, encode
from streamflow.wire.header import SF, EntryHeader, pack
from streamflow.wire.inbox import dead_letter, reply_record
from streamflow.wire.keys import EntityKind

log = get_logger("processor")


class Work:
    """A command on its way: from an inbox record, or said by the processor itself (without record and envelope)."""

    __slots__ = ("command", "envelope", "record")

    def __init__(
        self,
        command: Command | FireDue | LocalActivityEnded,
        envelope: Envelope | None = None,
        record: Record | None = None,
    ) -> None:
        self.command = command
        self.envelope = envelope
        self.record = record


class Stepper:
    """Works on one partition within one batch."""

    def __init__(self, around: Surroundings, partition: Partition, batch: Batch) -> None:
        self._around = around
        self._partition = partition
        self._batch = batch
        self._part: PartitionBatch = batch.part(partition.number)
        self._recorders: dict[str, Recorder] = {}

    # -- the way in -----------------------------------------------------------------------------------------------

    def step(self, workflow_id: str, works: list[Work]) -> None:
        """Takes one workflow's commands, in order, as far as they go."""
        self._batch.mark(self._partition.number, workflow_id)
        try:
            for work in works:
                self._command(work)
            self._activate_all(workflow_id)
        except Exception as error:  # our own fault: the run is put aside, its partition goes on
            log.exception("run_quarantined", workflow_id=workflow_id)
            self.put_aside(workflow_id, works, f"{type(error).__name__}: {error}")

    def step_local(self, ended: LocalActivityEnded) -> None:
        """A local activity ended while its batch was waiting for it."""
        self._batch.locals_used.append(ended)
        self.step(ended.workflow_id, [Work(ended)])

    def seal(self) -> None:
        """Turns what was recorded into history entries; called once, after all steps."""
        for recorder in self._recorders.values():
            self._batch.mark(self._partition.number, recorder.run.workflow_id)
            recorder.seal()

    # -- commands -------------------------------------------------------------------------------------------------

    def _command(self, work: Work) -> None:
        self._around.counters.commands += 1
        command = work.command
        match command:
            case ReportActivity():
                self._report(work, command)
            case StartWorkflow():
                if not self._answered_before(work, command.workflow_id):
                    self._start(work, command)
            case SignalWorkflow() | CancelWorkflow() | TerminateWorkflow():
                if not self._answered_before(work, command.workflow_id):
                    self._message(work, command)
            case FireDue():
                self._fire_due(command)
            case LocalActivityEnded():
                self._local_ended(command)
            case StartActivity() | HeartbeatActivity():
                self._attempt_news(work, command)
            case QueryWorkflow():
                self._query(work, command)
            case DescribeWorkflow():
                self._describe(work, command)
            case AwaitResult():
                self._await_result(work, command)
            case FetchHistory():
                self._fetch_history(work, command)
            case Locate():
                self._locate(work, command)
            case ConfirmTasks():
                self._confirm(work, command)
            case _:
                assert_never(command)

    def _start(self, work: Work, command: StartWorkflow) -> None:
        assert work.envelope is not None
        last = self._partition.last_run(self._part, command.workflow_id)
        context = self._around.context(self._around.clock.now_ms())
        decided = decide_start(last, command, work.envelope.message_id, context)
        match decided:
            case Rejection():
                self._remember(work, command.workflow_id, decided)
                self._answer(work, decided, recorded=True)
            case Begin():
                self._begin(work, command, decided, last.run_id if last else None, context)
            case Decision(facts=facts, answer=answer):
                assert last is not None
                assert isinstance(answer, Done)
                recorder = self._recorder(last.run_id)
                assert recorder is not None, last
                recorder.take(facts, recorder.context())
                self._remember(work, command.workflow_id, answer)
                self._accepted(work, command, recorder.run, answer)

    def _begin(
        self, work: Work, command: StartWorkflow, begin: Begin, last: RunId | None, context: Context
    ) -> None:
        if begin.terminate is not None and last is not None:
            ending = self._recorder(last)
            assert ending is not None, last
            ending.take((begin.terminate,), ending.context())
        recorder = self._new_run(command.workflow_id, begin.run_id)
        recorder.take(begin.facts, context)
        self._remember(work, command.workflow_id, begin.answer)
        self._accepted(work, command, recorder.run, begin.answer)

    def _accepted(self, work: Work, command: StartWorkflow, run: Run, answer: Done) -> None:
        """The caller is told of the start, or, if it asked for that, only of the run's end."""
        to = work.envelope.reply_to if work.envelope else None
        if command.wait_for is WaitFor.RESULT and to is not None and run.open:
            self._partition.waiters.add(run.run_id, to)
            return
        self._answer(work, answer, recorded=True)

    def _message(
        self, work: Work, command: SignalWorkflow | CancelWorkflow | TerminateWorkflow
    ) -> None:
        assert work.envelope is not None
        recorder = self._addressed(command.workflow_id, command.run_id)
        if recorder is None:
            self._refuse(work, not_found(command.workflow_id, command.run_id))
            return
        context = recorder.context()
        match command:
            case SignalWorkflow():
                decided = decide_signal(recorder.run, command, work.envelope.message_id, context)
            case CancelWorkflow():
                decided = decide_cancel(recorder.run, command)
            case TerminateWorkflow():
                decided = decide_terminate(recorder.run, command)
            case _:
                assert_never(command)
        match decided:
            case Rejection():
                self._refuse(work, decided)
            case Decision(facts=facts, answer=answer):
                recorder.take(facts, context)
                assert isinstance(answer, Done)
                self._remember(work, command.workflow_id, answer)
                self._answer(work, answer, recorded=True)

    def _report(self, work: Work, command: ReportActivity) -> None:
        """A stale report is dropped in silence, unless its worker wants to know."""
        recorder = self._recorder(command.task.run_id)
        if recorder is None:
            self._answer(work, not_found(command.workflow_id, command.task.run_id), recorded=False)
            return
        context = recorder.context()
        decided = decide_report(recorder.run, command, context)
        if isinstance(decided, Decision):
            recorder.take(decided.facts, context)
            self._answer(work, Done(run_id=recorder.run.run_id), recorded=True)
        else:
            self._answer(work, decided, recorded=False)

    def _attempt_news(self, work: Work, command: StartActivity | HeartbeatActivity) -> None:
        recorder = self._recorder(command.task.run_id)
        if recorder is None:
            self._answer(work, not_found(command.workflow_id, command.task.run_id), recorded=False)
            return
        context = recorder.context()
        match command:
            case StartActivity():
                decided = decide_started(recorder.run, command, context)
            case HeartbeatActivity():
                decided = decide_heartbeat(recorder.run, command, context)
            case _:
                assert_never(command)
        if isinstance(decided, Decision):
            recorder.take(decided.facts, context)
            if decided.answer is not None:
                self._answer(work, decided.answer, recorded=True)
        else:
            self._answer(work, decided, recorded=False)

    def _local_ended(self, command: LocalActivityEnded) -> None:
        recorder = self._recorder(command.run_id)
        if recorder is None:
            return
        recorder.draft.local_running.discard(command.op)
        context = recorder.context()
        decided = decide_local_end(recorder.run, command, context)
        if isinstance(decided, Decision):
            recorder.take(decided.facts, context)

    def _fire_due(self, command: FireDue) -> None:
        recorder = self._recorder(command.run_id)
        if recorder is None:
            if retention.resume(
                self._partition, self._part, self._batch, self._around, command.run_id
            ):
                return
            self._part.due_corrections[command.run_id] = 0
            return
        if not recorder.run.open:
            retention.retire(recorder, self._around)
            if recorder.retired:
                self._partition.drafts.drop(command.run_id)
            return
        if command.retry and recorder.run.trouble is not None:
            recorder.run.trouble = msgspec.structs.replace(recorder.run.trouble, next_try_ms=1)
        context = recorder.context()
        bound = self._around.options.limits.dispatch_per_step_max
        recorder.take(islice(decide_due(recorder.run, context), bound), context)
        self._follow_up(recorder)

    # -- reading --------------------------------------------------------------------------------------------------

    def _query(self, work: Work, command: QueryWorkflow) -> None:
        recorder = self._addressed(command.workflow_id, command.run_id)
        if recorder is None:
            self._refuse(work, not_found(command.workflow_id, command.run_id))
            return
        status = recorder.run.status
        rejected = (command.reject_condition == "not_open" and status is not Status.RUNNING) or (
            command.reject_condition == "not_completed_cleanly"
            and status not in (Status.RUNNING, Status.COMPLETED, Status.CONTINUED_AS_NEW)
        )
        if rejected:
            message = f"Query rejected: the run is {status.value}"
            self._answer(work, _rejection(Reason.QUERY_REJECTED, message, recorder), recorded=False)
            return
        self._activate(recorder)
        answer = activate.query(recorder, command, self._around, self._partition.rows)
        self._answer(work, answer, recorded=False)

    def _describe(self, work: Work, command: DescribeWorkflow) -> None:
        recorder = self._addressed(command.workflow_id, command.run_id)
        if recorder is None:
            self._refuse(work, not_found(command.workflow_id, command.run_id))
            return
        self._activate(recorder)
        options = self._around.options
        answer = describe(
            recorder.run,
            namespace=options.namespace,
            queue=options.queue,
            history_bytes=recorder.draft.history_bytes,
        )
        self._answer(work, answer, recorded=False)

    def _await_result(self, work: Work, command: AwaitResult) -> None:
        to = work.envelope.reply_to if work.envelope else None
        recorder = self._addressed(command.workflow_id, command.run_id)
        if recorder is None:
            self._refuse(work, not_found(command.workflow_id, command.run_id))
        elif not recorder.run.open:
            self._answer(work, result_of(recorder.run), recorded=False)
        elif to is not None:
            self._partition.waiters.add(recorder.run.run_id, to)

    def _fetch_history(self, work: Work, command: FetchHistory) -> None:
        run_id = command.run_id or self._partition.latest_run(self._part, command.workflow_id)
        recorder = self._recorder(run_id) if run_id else None
        to = work.envelope.reply_to if work.envelope else None
        if recorder is None or run_id is None:
            self._refuse(work, not_found(command.workflow_id, command.run_id))
        elif to is not None and self._around.destinations.may_reply(to):
            page = (self._partition.number, to, run_id, command.after_seq, command.bytes_max)
            self._batch.histories.append(page)

    def _locate(self, work: Work, command: Locate) -> None:
        recorder = self._addressed(command.workflow_id, command.run_id)
        if recorder is None:
            self._answer(work, not_found(command.workflow_id, command.run_id), recorded=False)
            return
        located = Located(
            queue=self._around.options.queue, run_id=recorder.run.run_id, status=recorder.run.status
        )
        self._answer(work, located, recorded=False)

    def _confirm(self, work: Work, command: ConfirmTasks) -> None:
        pending: list[bool] = []
        for _, task in command.tasks:
            recorder = self._recorder(task.run_id)
            pending.append(recorder is not None and pending_task(recorder.run, task) is not None)
        self._answer(work, Confirmed(pending=tuple(pending)), recorded=False)

    # -- runs -----------------------------------------------------------------------------------------------------

    def _addressed(self, workflow_id: WorkflowId, run_id: RunId | None) -> Recorder | None:
        found = run_id or self._partition.latest_run(self._part, workflow_id)
        recorder = self._recorder(found) if found else None
        return recorder if recorder and recorder.run.workflow_id == workflow_id else None

    def _recorder(self, run_id: str) -> Recorder | None:
        recorder = self._recorders.get(run_id)
        if recorder is None:
            draft = self._partition.draft(self._part, run_id)
            if draft is None:
                return None
            recorder = self._record(draft)
        return recorder

    def _new_run(self, workflow_id: WorkflowId, run_id: RunId) -> Recorder:
        draft = Draft(Run(workflow_id, run_id))
        self._part.drafts[run_id] = draft
        self._part.latest[workflow_id] = run_id
        self._partition.drafts.put(draft)
        return self._record(draft)

    def _record(self, draft: Draft) -> Recorder:
        recorder = Recorder(self._around, self._batch, self._part, draft, self._partition.waiters)
        self._recorders[draft.run.run_id] = recorder
        return recorder

    def _activate_all(self, workflow_id: str) -> None:
        for recorder in list(self._recorders.values()):
            if recorder.run.workflow_id == workflow_id:
                self._activate(recorder)

    def _activate(self, recorder: Recorder) -> None:
        activate.activate(recorder, self._around, self._partition.rows)
        self._follow_up(recorder)

    def _follow_up(self, recorder: Recorder) -> None:
        """Begins the run that follows one that has just closed, in the same batch."""
        following = recorder.run.successor_id
        if following is None or following in self._recorders or not recorder.changed:
            return
        context = recorder.context()
        started = successor(recorder.run, following, context.now_ms)
        fresh = self._new_run(recorder.run.workflow_id, following)
        fresh.take((started,), context)
        self._activate(fresh)

    # -- answers --------------------------------------------------------------------------------------------------

    def _answer(self, work: Work, answer: Answer, *, recorded: bool) -> None:
        """In the transaction where something was recorded, else after the commit that covers what was read."""
        to = work.envelope.reply_to if work.envelope else None
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

    def _refuse(self, work: Work, rejection: Rejection) -> None:
        """A caller who waits is told; what nobody waits for is kept as a dead letter."""
        if work.envelope is not None and work.envelope.reply_to is not None:
            self._answer(work, rejection, recorded=False)
        elif work.record is not None:
            self._dead_letter(work.record, "address", rejection.message)

    def _dead_letter(self, record: Record, stage: str, message: str) -> None:
        topic = self._around.dead_letters_topic
        self._around.counters.dead_letters += 1
        self._batch.append(dead_letter(record, topic=topic, stage=stage, message=message))

    # -- duplicates -----------------------------------------------------------------------------------------------

    def _answered_before(self, work: Work, workflow_id: str) -> bool:
        """Answers a copy from its first one's outcome."""
        assert work.envelope is not None
        message_id = work.envelope.message_id
        raw = self._part.outcomes.get((workflow_id, message_id)) or self._partition.rows.dedup(
            workflow_id, message_id
        )
        if raw is None:
            return False
        outcome = decode_dedup(raw).answer
        command = work.command
        to = work.envelope.reply_to
        if (
            isinstance(command, StartWorkflow)
            and command.wait_for is WaitFor.RESULT
            and isinstance(outcome, Done)
            and to is not None
        ):
            again = AwaitResult(workflow_id=command.workflow_id, run_id=outcome.run_id)
            self._await_result(work, again)
        else:
            self._answer(work, outcome, recorded=False)
        return True

    def _remember(self, work: Work, workflow_id: WorkflowId, answer: Done | Rejection) -> None:
        assert work.envelope is not None
        options = self._around.options
        now_ms = self._around.clock.now_ms()
        keep_ms = max(options.dedup_ms_min, options.limits.retention_ms)
        entry = DedupEntry(
            workflow_id=workflow_id,
            message_id=work.envelope.message_id,
            answer=answer,
            expires_ms=now_ms + keep_ms,
        )
        value = encode(entry)
        header = EntryHeader(EntityKind.DEDUP, 0, "", 0, 0, now_ms, entry.expires_ms)
        packed = pack(header)
        self._part.outcomes[workflow_id, entry.message_id] = value
        self._part.entries.append(
            Entry(EntityKind.DEDUP, workflow_id, header, packed, value, text=entry.message_id)
        )
        key = keys.dedup_key(workflow_id, entry.message_id)
        history = self._around.history_topic
        self._batch.append(OutRecord(history, self._part.number, key, value, ((SF, packed),)))

    # -- our own faults -------------------------------------------------------------------------------------------

    def put_aside(self, workflow_id: str, works: list[Work], message: str) -> None:
        """Drops what the batch wanted of this workflow, keeps its commands as dead letters, and marks its run."""
        self._around.counters.quarantined += 1
        for run_id, recorder in list(self._recorders.items()):
            if recorder.run.workflow_id == workflow_id:
                del self._recorders[run_id]
                self._part.drafts.pop(run_id, None)
                self._partition.drafts.drop(run_id)
        self._batch.forget(self._partition.number, workflow_id)
        self._batch.mark(self._partition.number, workflow_id)
        for work in works:
            if work.record is not None:
                self._dead_letter(work.record, "engine", message)
                self._answer(
                    work, Rejection(reason=Reason.QUARANTINED, message=message), recorded=True
                )
        marked = self._marked(workflow_id)
        if marked is not None and marked.run.open:
            marked.set_trouble(
                Trouble(
                    kind="quarantined",
                    message=message,
                    advice="streamflow itself could not go on with this run; its last commands are in the dead-letter topic.",
                    since_ms=self._around.clock.now_ms(),
                )
            )

    def _marked(self, workflow_id: str) -> Recorder | None:
        """The run to mark, unless it is just its history that cannot be folded: then every command ends here."""
        try:
            latest = self._partition.rows.latest_run(workflow_id)
            return self._recorder(latest) if latest else None
        except AssertionError:
            return None


def _rejection(reason: Reason, message: str, recorder: Recorder) -> Rejection:
    return Rejection(reason=reason, message=message, run_id=recorder.run.run_id)
