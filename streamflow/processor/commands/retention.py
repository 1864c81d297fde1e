"""The end of a closed run's retention: a mark, then its events from the last down, the mark last.

Bounded per transaction, so a long history does not hold its partition up; a deletion that was interrupted goes on from the
mark's row. Gap checks pass over marked runs.
"""

from __future__ import annotations

from streamflow.engine.state import Run
from streamflow.model.ids import RunId, WorkflowId
from streamflow.processor.host.archive import Job
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.draft import Draft
from streamflow.processor.steps.recorder import Recorder
from streamflow.processor.steps.runs import Runs, Salvaged
from streamflow.wire.entities import decode_attempt


def retire(runs: Runs, recorder: Recorder) -> None:
    """Begins the deletion of a closed run, if its retention has really ended, and it is in the archive if there is one."""
    run, around = recorder.run, runs.around
    if recorder.changed:
        return  # its end has still to be recorded and told; then it is due again
    limits = around.options.limits
    retention_ms = limits.retention_ms if run.start.retention_ms is None else run.start.retention_ms
    if run.closed_ms + retention_ms > around.clock.now_ms():
        return
    if around.archive is not None and not around.archive.has(run.run_id):
        # Not looked at in each turn meanwhile: whoever gets into the archive is given another turn at once.
        after_ms = around.archive.take(run.run_id, lambda: _archived(runs, recorder))
        recorder.put_off(around.clock.now_ms() + after_ms)
        return
    delete(recorder, around)


def _archived(runs: Runs, recorder: Recorder) -> Job:
    run = recorder.run
    events = [value for _, value in runs.partition.rows.events(run.run_id)]
    return Job(runs.partition.number, run.workflow_id, run.run_id, run.closed_ms, events)


def delete(recorder: Recorder, around: Surroundings) -> None:
    """Begins the deletion of a closed run, of which nothing waits to be recorded."""
    run = recorder.run
    recorder.mark_deleting(run.last_seq)
    left = recorder.tombstone_run(run.last_seq, around.options.tombstones_per_turn_max)
    if left == 0:
        recorder.finish_deleting()
    recorder.retired = True


def delete_broken(runs: Runs, broken: Salvaged) -> None:
    """Begins the deletion of a run whose history cannot be gone on with, open or not, and of what stands beside it."""
    recorder = broken.recorder
    run_id = recorder.run.run_id
    recorder.mark_deleting(broken.last_seq)
    recorder.forget_beside([decode_attempt(raw).op for raw in runs.partition.rows.attempts(run_id)])
    left = recorder.tombstone_run(broken.last_seq, runs.around.options.tombstones_per_turn_max)
    if left == 0:
        recorder.finish_deleting()
    runs.partition.drafts.drop(run_id)


def resume(runs: Runs, run_id: str) -> bool:
    """Goes on with a deletion that is under way; whether there was one."""
    row = runs.partition.rows.run(run_id)
    if row is None or not row.deleting:
        return False
    draft = Draft(Run(WorkflowId(row.workflow_id), RunId(run_id)), last_hash=row.last_hash)
    recorder = Recorder(runs.around, runs.batch, runs.part, draft, runs.partition.waiters)
    left = recorder.tombstone_run(row.last_seq, runs.around.options.tombstones_per_turn_max)
    if left == 0:
        recorder.finish_deleting()
    return True
