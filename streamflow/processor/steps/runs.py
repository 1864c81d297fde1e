"""The runs of one partition that a batch touches: found, begun, let run, and sealed."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streamflow.engine.chain import successor
from streamflow.engine.context import Context
from streamflow.engine.decide.messages import not_found
from streamflow.engine.decide.start import Begin
from streamflow.engine.outgoing import continuation
from streamflow.engine.state import Run
from streamflow.model.answers import Reason, Rejection
from streamflow.model.commands import StartWorkflow
from streamflow.model.events import WorkflowStarted
from streamflow.model.ids import RunId, WorkflowId
from streamflow.observability import get_logger
from streamflow.ports import LogError, StoreCorrupted, StoreUnwritable
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.host.watchdog import suspect_of
from streamflow.processor.state.batch import BYTES_MAX, Batch
from streamflow.processor.state.draft import Draft
from streamflow.processor.state.layout import is_open
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.salvage import Salvage, salvage
from streamflow.processor.state.work import Work
from streamflow.processor.steps import activate, updates
from streamflow.processor.steps.answering import Answers
from streamflow.processor.steps.recorder import Recorder
from streamflow.processor.steps.sending import message_of, send_command

log = get_logger("processor")


class Salvaged(NamedTuple):
    """A run that is left alone, for an operator who goes on from before its break, or takes it away."""

    recorder: Recorder
    saved: Salvage
    last_seq: int
    """The highest number of an event that is there, sound or not."""


class Runs:
    def __init__(self, around: Surroundings, partition: Partition, batch: Batch) -> None:
        self.around = around
        self.partition = partition
        self.batch = batch
        self.part = batch.part(partition.number)
        if batch.began_ms is None:
            batch.began_ms = around.clock.monotonic_ms()
        self._stop_ms = batch.began_ms + around.options.batch_ms_max
        self.answers = Answers(around, partition, batch)
        self._recorders: dict[str, Recorder] = {}
        self._were_open: dict[str, bool] = {}
        """Whether runs were open before this batch, of those that it was asked of."""
        self._of_workflow: dict[str, list[Recorder]] = {}

    def addressed(self, workflow_id: WorkflowId, run_id: RunId | None) -> Recorder | None:
        """The run that a command means: the one it names, else the workflow's latest."""
        found = run_id or self.partition.latest_run(self.part, workflow_id)
        recorder = self.find(found) if found else None
        return recorder if recorder and recorder.run.workflow_id == workflow_id else None

    def missing(self, workflow_id: WorkflowId, run_id: RunId | None) -> Rejection:
        """Why `addressed` found nothing."""
        found = run_id or self.partition.latest_run(self.part, workflow_id)
        row = self.partition.rows.run(found) if found else None
        if row is None or row.deleting or not row.gap or row.workflow_id != workflow_id:
            return not_found(workflow_id, run_id)
        return Rejection(
            reason=Reason.QUARANTINED,
            message=(
                f"Expected an unbroken history of workflow {workflow_id!r}, found a gap or a fork in that of run {found}: "
                "it is left unread. `streamflow doctor --verify` says where, and how to go on from before it"
            ),
            run_id=RunId(found) if found else None,
        )

    def salvaged(self, workflow_id: WorkflowId, run_id: RunId | None) -> Salvaged | None:
        """The run that a command means, if it cannot be gone on with: as far as its history is sound, and never sealed."""
        found = run_id or self.partition.latest_run(self.part, workflow_id)
        row = self.partition.rows.run(found) if found else None
        if found is None or row is None or row.deleting or row.workflow_id != workflow_id:
            return None
        if not row.gap:
            try:
                self.find(found)
            except (LogError, StoreCorrupted, StoreUnwritable):
                raise
            except Exception as error:  # its events do not fold: it is as lost as one with a gap
                log.warning("run_salvaged", run_id=found, reason=f"{type(error).__name__}: {error}")
            else:
                return None
        saved = salvage(self.partition.rows, workflow_id, found, self.around.options.limits)
        draft = Draft(saved.run, last_hash=row.last_hash)
        recorder = Recorder(self.around, self.batch, self.part, draft, self.partition.waiters)
        return Salvaged(recorder, saved, row.last_seq)

    def find(self, run_id: str) -> Recorder | None:
        recorder = self._recorders.get(run_id)
        if recorder is None:
            draft = self.partition.draft(self.part, run_id)
            if draft is None:
                return None
            recorder = self._record(draft)
        return recorder

    def begin(self, workflow_id: WorkflowId, run_id: RunId) -> Recorder:
        """A run that was not there before; its first event is still to come."""
        draft = Draft(Run(workflow_id, run_id))
        self.part.drafts[run_id] = draft
        self.part.latest[workflow_id] = run_id
        self.part.begun += 1
        self.partition.drafts.put(draft)
        return self._record(draft)

    def start(
        self, work: Work, command: StartWorkflow, begin: Begin, last: RunId | None, context: Context
    ) -> Recorder | None:
        """The run that a start was granted, recorded and remembered. ``None`` if the one before it cannot be ended."""
        if begin.terminate is not None and last is not None:
            ending = self.find(last)
            if ending is None:
                self.answers.refuse(work, self.missing(command.workflow_id, last))
                return None
            ending.take((begin.terminate,), ending.context())
        recorder = self.begin(command.workflow_id, begin.run_id)
        recorder.take(begin.facts, context)
        self.answers.remember(work, command.workflow_id, begin.answer)
        return recorder

    def activate(self, recorder: Recorder, *, to_rest: bool = False) -> None:
        """Lets the code run as far as it goes, and that of the runs that follow, as long as the batch has room."""
        if suspect_of(recorder.run.workflow_id) in self.part.released:
            return  # forgiven only once that is committed
        follower: Recorder | None = recorder
        while follower is not None:
            activate.activate(follower, self.around, self.partition.rows, to_rest=to_rest)
            updates.settle(self, follower)
            follower = self.follow_up(follower)
            if self._full:
                return

    def up_to_date(self, recorder: Recorder, run_id: RunId | None) -> Recorder:
        """The run after its code has seen everything before the question; its follower, if the question named no run."""
        self.activate(recorder, to_rest=True)
        return self.addressed(recorder.run.workflow_id, run_id) or recorder

    def activate_all(self, workflow_id: str) -> None:
        """Lets all its code run; in a batch that is large or late already, in a later one: its runs are then due at once."""
        if self._full:
            return
        for recorder in list(self._of_workflow.get(workflow_id, ())):
            self.activate(recorder)

    @property
    def _full(self) -> bool:
        """Whether the batch is so large, or so late, that no further code is to run in it."""
        late = self.around.clock.monotonic_ms() > self._stop_ms
        return late or self.batch.size_bytes >= BYTES_MAX

    def follow_up(self, recorder: Recorder) -> Recorder | None:
        """Begins the run that follows one that has just closed, in the same batch; its code has not run yet.

        ``None`` if none follows, or it follows on another queue: then its start is on the way there.
        """
        following = recorder.run.successor_id
        if following is None or following in self._recorders or not recorder.changed:
            return None
        # As of the close, so that what was decided with it still holds.
        context = msgspec.structs.replace(recorder.context(), now_ms=recorder.run.closed_ms)
        started = successor(recorder.run, context)
        if started.queue != self.around.options.queue:
            self._move(recorder, started, following)
            return None
        if started.workflow_type != recorder.run.start.workflow_type:
            kept_ms = self.around.options.retention_ms.get(started.workflow_type)
            started = msgspec.structs.replace(started, retention_ms=kept_ms)
        fresh = self.begin(recorder.run.workflow_id, following)
        fresh.take((started,), context)
        return fresh

    def _move(self, recorder: Recorder, started: WorkflowStarted, following: RunId) -> None:
        if recorder.moved:
            return
        recorder.moved = True
        run = recorder.run
        backoff_ms = max(0, started.not_before_ms - run.closed_ms)
        sent = continuation(run, started, following, backoff_ms)
        message_id = message_of(run.run_id, run.last_seq, 0)
        send_command(self.batch, self.around, sent.queue, sent.command, message_id)

    def drop(self, workflow_id: str) -> None:
        """Forgets what the batch wanted of this workflow."""
        for recorder in self._of_workflow.pop(workflow_id, ()):
            run_id = recorder.run.run_id
            del self._recorders[run_id]
            self.part.drafts.pop(run_id, None)
            self.partition.drafts.drop(run_id)
        self.batch.forget(self.partition.number, workflow_id)

    def open_now(self) -> int:
        """The partition's open runs, with what this batch has begun and ended so far."""
        for run_id in self._recorders.keys() - self._were_open.keys():
            self._were_open[run_id] = is_open(self.partition.rows.run(run_id))
        before = sum(self._were_open[run_id] for run_id in self._recorders)
        after = sum(recorder.run.open for recorder in self._recorders.values())
        return self.partition.open_runs + after - before

    def workflow_ids(self) -> list[str]:
        return list(self._of_workflow)

    def seal(self, workflow_id: str) -> None:
        """Turns what was recorded into history entries; called once, after all steps."""
        self.batch.mark(self.partition.number, workflow_id)
        for recorder in self._of_workflow.get(workflow_id, ()):
            recorder.seal()
            recorder.draft.loaded = []

    def _record(self, draft: Draft) -> Recorder:
        recorder = Recorder(self.around, self.batch, self.part, draft, self.partition.waiters)
        self._recorders[draft.run.run_id] = recorder
        self._of_workflow.setdefault(draft.run.workflow_id, []).append(recorder)
        return recorder
