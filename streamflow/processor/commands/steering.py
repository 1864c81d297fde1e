"""An operator's hand on a run: paused, let go on, deleted.

A quarantined run is let go on by the same word as a paused one. Nothing is held against it any more once that is committed,
and its code runs in a later transaction: should it end the process again, that is counted, and this word is not said again.

A pause is a trouble without a time to try again: inputs wait, timers fire and activities go on, but the code does not run.
Deleting is the end of retention, now.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from streamflow.engine.sizes import beginning
from streamflow.engine.state import Run
from streamflow.model.answers import Done, Reason, Rejection, Trouble
from streamflow.model.control import PAUSED, ControlWorkflow, WorkflowControl
from streamflow.processor.commands import retention
from streamflow.processor.host.watchdog import suspect_of
from streamflow.processor.state.work import Work
from streamflow.processor.steps.answering import Answers
from streamflow.processor.steps.recorder import QUARANTINED, Recorder
from streamflow.processor.steps.runs import Runs


def take_control(runs: Runs, answers: Answers, work: Work, command: ControlWorkflow) -> None:
    """A copy of one is answered like the first, and does nothing."""
    outcome = answers.outcome_of_copy(work, command.workflow_id)
    if outcome is not None:
        answers.answer(work, outcome, recorded=False)
        return
    if command.control is WorkflowControl.DELETE:
        broken = runs.salvaged(command.workflow_id, command.run_id)
        if broken is not None:
            retention.delete_broken(runs, broken)
            answers.answer(work, Done(run_id=broken.recorder.run.run_id), recorded=True)
            return
    recorder = runs.addressed(command.workflow_id, command.run_id)
    if recorder is None:
        answers.refuse(work, runs.missing(command.workflow_id, command.run_id))
        return
    refusal = _refusal(recorder, command)
    if refusal is not None:
        answers.refuse(work, refusal)
        return
    done = Done(run_id=recorder.run.run_id, first_run_id=recorder.run.start.first_run_id)
    match command.control:
        case WorkflowControl.PAUSE:
            _pause(recorder, command)
        case WorkflowControl.UNPAUSE:
            if _paused(recorder.run):
                recorder.set_trouble(None)
            else:
                _release(runs, recorder)
        case WorkflowControl.DELETE:
            # Nothing is remembered of the message: its run is going.
            retention.delete(recorder, runs.around)
            runs.partition.drafts.drop(recorder.run.run_id)
            answers.answer(work, done, recorded=True)
            return
        case _:
            assert_never(command.control)
    answers.remember(work, command.workflow_id, done, recorder.draft)
    answers.answer(work, done, recorded=True)


def _pause(recorder: Recorder, command: ControlWorkflow) -> None:
    """Whatever trouble it is in is over: it comes back by itself when the run goes on."""
    by = f" by {command.identity}" if command.identity else ""
    because = f": {command.reason}" if command.reason else ""
    recorder.set_trouble(
        Trouble(
            kind=PAUSED,
            message=beginning(f"paused{by}{because}"),
            advice="Let it go on with: streamflow workflow unpause",
            since_ms=recorder.context_ms(),
        )
    )


def _release(runs: Runs, recorder: Recorder) -> None:
    suspect = suspect_of(recorder.run.workflow_id)
    condemned = runs.around.condemns(suspect)
    before = recorder.run.trouble
    if not condemned and (before is None or before.kind != QUARANTINED):
        return
    runs.part.released.append(suspect)
    next_try_ms = recorder.context_ms() + 1
    recorder.set_trouble(
        msgspec.structs.replace(
            before or Trouble(kind=QUARANTINED, message="its steps ended the process"),
            advice="It was let go on, and is tried again at once.",
            next_try_ms=next_try_ms,
        )
    )


def _refusal(recorder: Recorder, command: ControlWorkflow) -> Rejection | None:
    run = recorder.run
    if command.control is WorkflowControl.DELETE:
        if run.open:
            return Rejection(
                reason=Reason.NOT_DUE,
                message=f"Expected run {run.run_id} of workflow {run.workflow_id!r} to be closed, found it open: terminate "
                "it first",
                run_id=run.run_id,
            )
        if recorder.changed:
            return Rejection(
                reason=Reason.UNAVAILABLE,
                message=f"Expected the close of run {run.run_id} to be recorded, found it under way: try again",
                run_id=run.run_id,
            )
        return None
    if run.open:
        return None
    return Rejection(
        reason=Reason.ALREADY_CLOSED,
        message=f"Expected run {run.run_id} of workflow {run.workflow_id!r} to be open, found it {run.status.value}",
        run_id=run.run_id,
    )


def _paused(run: Run) -> bool:
    return run.trouble is not None and run.trouble.kind == PAUSED
