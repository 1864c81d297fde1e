"""Takes commands to their runs: decides, lets the code run, and leaves everything in the batch.

    group of commands of one workflow ID, in order
        each: copy? -> decide -> record -> answer
        then, as long as inputs wait: activate -> intents -> record

One bad run never stops its partition: what goes wrong in it ends here, as its own trouble or as a dead letter.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from streamflow.engine.context import Context
from streamflow.engine.decide import Decision
from streamflow.engine.decide.due import decide_due
from streamflow.engine.decide.messages import (
    decide_cancel,
    decide_signal,
    decide_terminate,
    not_found,
    refuse_waiting,
)
from streamflow.engine.decide.start import Begin, LastRun, decide_start
from streamflow.engine.state import Run
from streamflow.model.answers import Done, Reason, Rejection, Trouble
from streamflow.model.commands import (
    AwaitResult,
    AwaitUpdate,
    CancelWorkflow,
    ConfirmTasks,
    ControlActivity,
    DescribeWorkflow,
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
    UpdateWithStart,
    UpdateWorkflow,
    WaitFor,
)
from streamflow.model.control import PAUSED, ControlWorkflow, ResetWorkflow
from streamflow.model.ids import RunId
from streamflow.model.options import Status
from streamflow.model.relations import ReportChild, ReportExternal
from streamflow.observability import get_logger
from streamflow.ports import LogError, Record, StoreCorrupted, StoreUnwritable
from streamflow.processor.commands import (
    attempts,
    quotas,
    reading,
    relations,
    resetting,
    retention,
    steering,
    with_start,
)
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.batch import Batch, Stray
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.work import Work, runs_no_code
from streamflow.processor.steps import updates
from streamflow.processor.steps.recorder import QUARANTINED
from streamflow.processor.steps.runs import Runs

log = get_logger("processor")

ASIDE_RETRY_MS = 60_000
"""How soon a run that was put aside is tried again, for the first time."""


class Stepper:
    """Works on one partition within one batch."""

    def __init__(self, around: Surroundings, partition: Partition, batch: Batch) -> None:
        self._around = around
        self._partition = partition
        self._batch = batch
        self._taken: dict[str, list[Work]] = {}
        """What this batch has taken so far, by workflow."""
        self._runs = Runs(around, partition, batch)
        self._answers = self._runs.answers

    def step(self, workflow_id: str, works: list[Work]) -> None:
        """Takes one workflow's commands, in order, as far as they go."""
        self._taken.setdefault(workflow_id, []).extend(works)
        self._batch.mark(self._partition.number, workflow_id)
        try:
            for work in works:
                self._command(work)
            if not all(runs_no_code(work.command) for work in works):
                self._runs.activate_all(workflow_id)
        except (LogError, StoreCorrupted, StoreUnwritable):
            raise  # the world's fault, not the run's: the batch is dropped
        except Exception as error:  # our own fault: the run is put aside, its partition goes on
            self._quarantine(workflow_id, error)

    def step_local(self, ended: LocalActivityEnded) -> None:
        """A local activity ended while its batch was waiting for it."""
        self._batch.locals_used.append(ended)
        self.step(ended.workflow_id, [Work(ended)])

    def seal(self) -> None:
        """Turns what was recorded into history entries; called once, after all steps."""
        for workflow_id in self._runs.workflow_ids():
            try:
                self._runs.seal(workflow_id)
            except Exception as error:  # our own fault, as above
                self._quarantine(workflow_id, error)
                self._runs.seal(workflow_id)

    def _quarantine(self, workflow_id: str, error: Exception) -> None:
        log.exception("run_quarantined", workflow_id=workflow_id)
        taken = self._taken.get(workflow_id, [])
        self.put_aside(workflow_id, taken, f"{type(error).__name__}: {error}")

    def put_aside(
        self, workflow_id: str, works: list[Work], message: str, *, times: int = 1
    ) -> None:
        """Drops what the batch wanted of this workflow, keeps its commands as dead letters, and marks its run.

        ``times`` is how often the log refused a transaction for its sake: the second time letters and answers are left
        out, the third time even the mark is kept in the store only.
        """
        self._around.counters.quarantined += 1
        self._runs.drop(workflow_id)
        self._batch.mark(self._partition.number, workflow_id)
        for work in works:
            if work.record is not None:
                self._give_up(work, work.record, message, quietly=times > 1)
        for run_id in self._affected(workflow_id, works):
            if times > 2:
                self._leave_alone(run_id)
            else:
                self._mark(run_id, message)

    def _give_up(self, work: Work, record: Record, message: str, *, quietly: bool) -> None:
        """Its sender is told in any case; quietly, nothing of it goes into the transaction."""
        if quietly:
            self._batch.passed_over.append(Stray(record.partition, record.offset))
        else:
            self._answers.dead_letter(record, "engine", message)
        rejection = Rejection(reason=Reason.QUARANTINED, message=message)
        self._answers.answer(work, rejection, recorded=not quietly)

    def _affected(self, workflow_id: str, works: list[Work]) -> list[str]:
        """The workflow's latest run, and those that were due."""
        latest = self._partition.rows.latest_run(workflow_id)
        due = [work.command.run_id for work in works if isinstance(work.command, FireDue)]
        return list(dict.fromkeys([latest, *due] if latest else due))

    def _mark(self, run_id: str, message: str) -> None:
        """The run is tried again later, ever less often; if even that is too much, its store row looks away."""
        now_ms = self._around.clock.now_ms()
        retry_ms_max = self._around.options.stuck_retry_ms_max
        try:
            marked = self._runs.find(run_id)
        except (LogError, StoreCorrupted, StoreUnwritable):
            raise
        except Exception:  # it is just its history that cannot be folded
            log.exception("run_not_loaded", run_id=run_id)
            self._leave_alone(run_id)
            return
        if marked is None or not marked.run.open:
            self._leave_alone(run_id)
            return
        before = marked.run.trouble
        count = before.count + 1 if before else 1
        marked.set_trouble(
            Trouble(
                kind=QUARANTINED,
                message=message,
                advice="streamflow itself could not go on with this run; its last commands are in the "
                "dead-letter topic.",
                count=count,
                since_ms=before.since_ms if before else now_ms,
                next_try_ms=now_ms + min(ASIDE_RETRY_MS * 2 ** min(count - 1, 20), retry_ms_max),
            )
        )

    def _leave_alone(self, run_id: str) -> None:
        """For a while, as far as this store is concerned: nothing is recorded."""
        now_ms, wait_ms = self._around.clock.now_ms(), self._around.options.stuck_retry_ms_max
        self._runs.part.due_corrections[run_id] = now_ms + wait_ms

    # -- commands -------------------------------------------------------------------------------------------------

    def _command(self, work: Work) -> None:
        self._around.counters.commands += 1
        command = work.command
        match command:
            case ReportActivity() | StartActivity() | HeartbeatActivity():
                attempts.take_news(self._runs, self._answers, work, command)
            case ControlActivity():
                attempts.take_control(self._runs, self._answers, work, command)
            case ControlWorkflow():
                steering.take_control(self._runs, self._answers, work, command)
            case ResetWorkflow():
                resetting.reset(self._runs, self._answers, work, command)
            case StartWorkflow():
                if not self._answered_before(work, command):
                    self._start(work, command)
            case SignalWorkflow() | CancelWorkflow() | TerminateWorkflow():
                if not self._answered_before(work, command):
                    self._message(work, command)
            case ReportChild() | ReportExternal():
                relations.take_report(self._runs, command)
            case UpdateWorkflow() | QueryWorkflow() | DescribeWorkflow() | AwaitResult() if (
                relations.went_elsewhere(self._runs, work, command)
            ):
                pass
            case UpdateWorkflow():
                updates.update(self._runs, work, command)
            case UpdateWithStart():
                with_start.update_with_start(self._runs, work, command)
            case AwaitUpdate():
                updates.await_update(self._runs, work, command)
            case FireDue():
                self._fire_due(command)
            case LocalActivityEnded():
                attempts.take_local_end(self._runs, command)
            case QueryWorkflow():
                reading.query(self._runs, self._answers, work, command)
            case DescribeWorkflow():
                reading.describe_run(self._runs, self._answers, work, command)
            case AwaitResult():
                reading.await_result(self._runs, self._answers, work, command)
            case FetchHistory():
                reading.fetch_history(self._runs, self._answers, work, command)
            case Locate():
                reading.locate(self._runs, self._answers, work, command)
            case ConfirmTasks():
                reading.confirm(self._runs, self._answers, work, command)
            case _:
                assert_never(command)

    def _answered_before(
        self,
        work: Work,
        command: StartWorkflow | SignalWorkflow | CancelWorkflow | TerminateWorkflow,
    ) -> bool:
        """Answers a copy from its first one's outcome; a start that waits for a result waits on."""
        outcome = self._answers.outcome_of_copy(work, command.workflow_id)
        if outcome is None:
            return False
        if isinstance(command, StartWorkflow) and isinstance(outcome, Done):
            self._answer_copy(work, command, outcome)
        else:
            self._answers.answer(work, outcome, recorded=False)
        return True

    def _answer_copy(self, work: Work, command: StartWorkflow, outcome: Done) -> None:
        if command.wait_for is WaitFor.RESULT:
            again = AwaitResult(workflow_id=command.workflow_id, run_id=outcome.run_id)
            reading.await_result(self._runs, self._answers, work, again)
        else:
            self._answers.answer(work, outcome, recorded=False)

    def _began(self, work: Work, last: LastRun) -> bool:
        """Whether this start began the open run: known as long as that is open, when messages are long forgotten."""
        if last.status is not Status.RUNNING:
            return False
        assert work.envelope is not None
        recorder = self._runs.find(last.run_id)
        return recorder is not None and recorder.run.start.message_id == work.envelope.message_id

    def _start(self, work: Work, command: StartWorkflow) -> None:
        assert work.envelope is not None
        last = self._partition.last_run(self._runs.part, command.workflow_id)
        if last is not None and self._began(work, last):
            self._answer_copy(work, command, Done(run_id=last.run_id))
            return
        context = self._around.context(self._around.clock.now_ms())
        decided = decide_start(last, command, work.envelope.message_id, context)
        if isinstance(decided, Begin):
            decided = quotas.refuse_over_quota(self._runs, command, decided) or decided
        match decided:
            case Rejection():
                self._refuse_start(work, command, decided)
            case Begin():
                self._begin(work, command, decided, last.run_id if last else None, context)
            case Decision(facts=facts, answer=answer):
                assert last is not None
                assert isinstance(answer, Done)
                recorder = self._runs.find(last.run_id)
                if recorder is None:
                    self._answers.refuse(work, self._runs.missing(command.workflow_id, last.run_id))
                    return
                full = refuse_waiting(recorder.run, context) if facts else None
                if full is not None:
                    self._answers.refuse(work, full)
                    return
                recorder.take(facts, recorder.context())
                self._answers.remember(work, command.workflow_id, answer, recorder.draft)
                self._accepted(work, command, recorder.run, answer)

    def _begin(
        self, work: Work, command: StartWorkflow, begin: Begin, last: RunId | None, context: Context
    ) -> None:
        recorder = self._runs.start(work, command, begin, last, context)
        if recorder is not None:
            self._accepted(work, command, recorder.run, begin.answer)

    def _refuse_start(self, work: Work, command: StartWorkflow, refusal: Rejection) -> None:
        if quotas.keep_unheard(self._answers, work, refusal):
            return
        self._answers.remember(work, command.workflow_id, refusal)
        relations.tell_refused_start(self._runs, command, refusal)
        relations.tell_starter(self._runs, command, None, refusal)
        if command.chain is not None and work.record is not None:
            self._answers.dead_letter(work.record, "address", refusal.message)
        self._answers.answer(work, refusal, recorded=True)

    def _accepted(self, work: Work, command: StartWorkflow, run: Run, answer: Done) -> None:
        """The caller is told of the start, or, if it asked for that, only of the run's end."""
        relations.tell_starter(self._runs, command, answer.run_id, None)
        if command.wait_for is WaitFor.RESULT and work.reply_to is not None and run.open:
            self._partition.waiters.add(run.run_id, work.reply_to)
            return
        self._answers.answer(work, answer, recorded=True)

    def _message(
        self, work: Work, command: SignalWorkflow | CancelWorkflow | TerminateWorkflow
    ) -> None:
        assert work.envelope is not None
        recorder = self._runs.addressed(command.workflow_id, command.run_id)
        if recorder is None:
            missing = self._runs.missing(command.workflow_id, command.run_id)
            self._refuse_message(work, command, missing)
            return
        if not relations.is_meant(recorder.run, command.origin):
            missing = not_found(command.workflow_id, command.run_id)
            self._refuse_message(work, command, missing)
            return
        if relations.went_elsewhere(self._runs, work, command):
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
                self._refuse_message(work, command, decided)
            case Decision(facts=facts, answer=answer):
                recorder.take(facts, context)
                assert isinstance(answer, Done)
                self._answers.remember(work, command.workflow_id, answer, recorder.draft)
                self._answers.answer(work, answer, recorded=True)
                relations.tell_sender(self._runs, command, None)

    def _refuse_message(
        self,
        work: Work,
        command: SignalWorkflow | CancelWorkflow | TerminateWorkflow,
        refusal: Rejection,
    ) -> None:
        if command.origin is None:
            self._answers.refuse(work, refusal)
        elif not relations.seek_elsewhere(self._runs, work, command, refusal):
            relations.tell_sender(self._runs, command, refusal)

    def _fire_due(self, command: FireDue) -> None:
        runs = self._runs
        recorder = runs.find(command.run_id)
        if recorder is None:
            if not retention.resume(runs, command.run_id):
                runs.part.due_corrections[command.run_id] = 0
            return
        if not recorder.run.open:
            retention.retire(runs, recorder)
            if recorder.retired:
                self._partition.drafts.drop(command.run_id)
            return
        trouble = recorder.run.trouble
        if command.retry and trouble is not None and trouble.kind != PAUSED:
            recorder.run.trouble = msgspec.structs.replace(trouble, next_try_ms=1)
        self._around.destinations.look_for_awaited()
        context = recorder.context()
        recorder.take(decide_due(recorder.run, context), context)
        recorder.end_idle_trouble()
        runs.follow_up(recorder)
