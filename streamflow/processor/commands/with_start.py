"""An update together with the start of its workflow: one command, so that no other start comes between."""

from __future__ import annotations

from streamflow.engine.decide import Decision
from streamflow.engine.decide.start import Begin, LastRun, decide_start
from streamflow.model.answers import Done, Rejection, UpdateOutcome
from streamflow.model.commands import UpdateWithStart
from streamflow.processor.commands import quotas
from streamflow.processor.state.work import Work
from streamflow.processor.steps import updates
from streamflow.processor.steps.recorder import Recorder
from streamflow.processor.steps.runs import Runs


def update_with_start(runs: Runs, work: Work, command: UpdateWithStart) -> None:
    """An update that the latest run knows by its ID is joined, whatever the start's policies say."""
    assert work.envelope is not None
    outcome = runs.answers.outcome_of_copy(work, command.workflow_id)
    match outcome:
        case None:
            pass
        case Done(run_id=run_id):
            recorder = runs.addressed(command.workflow_id, run_id)
            if recorder is None:
                runs.answers.refuse(work, runs.missing(command.workflow_id, run_id))
            else:
                _put(runs, recorder, work, command)
            return
        case Rejection() | UpdateOutcome():
            runs.answers.answer(work, outcome, recorded=False)
            return
    last = runs.partition.last_run(runs.part, command.workflow_id)
    known = _known(runs, last, command.update.update_id)
    if known is not None:
        _put(runs, known, work, command)
        return
    context = runs.around.context(runs.around.clock.now_ms())
    decided = decide_start(last, command.start, work.envelope.message_id, context)
    if isinstance(decided, Begin):
        decided = quotas.refuse_over_quota(runs, command.start, decided) or decided
    match decided:
        case Rejection() if quotas.keep_unheard(runs.answers, work, decided):
            pass
        case Rejection():
            runs.answers.remember(work, command.workflow_id, decided)
            runs.answers.answer(work, decided, recorded=True)
        case Begin():
            former = last.run_id if last else None
            recorder = runs.start(work, command.start, decided, former, context)
            if recorder is not None:
                updates.admit(runs, recorder, work, command.update, started=True)
        case Decision():
            assert last is not None
            recorder = runs.find(last.run_id)
            if recorder is None:
                runs.answers.refuse(work, runs.missing(command.workflow_id, last.run_id))
            else:
                updates.admit(runs, recorder, work, command.update)


def _known(runs: Runs, last: LastRun | None, update_id: str) -> Recorder | None:
    """The latest run if it has this update: completed, or under way in a run that is open."""
    recorder = runs.find(last.run_id) if last is not None else None
    if recorder is None:
        return None
    run = recorder.run
    update = run.updates.get(update_id)
    if update is not None and (run.open or update.completed_seq):
        return recorder
    waiting = any(one.event.update_id == update_id for one in recorder.draft.updates)
    return recorder if waiting and run.open else None


def _put(runs: Runs, recorder: Recorder, work: Work, command: UpdateWithStart) -> None:
    update = command.update
    if not updates.attach(runs, recorder, work, update.update_id, update.wait_for):
        updates.admit(runs, recorder, work, update)
