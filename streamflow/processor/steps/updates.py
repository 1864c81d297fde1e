"""Updates on their way through a batch: put to the run's code, then accepted, refused or dropped.

    admit()   asked for; known already? -> its outcome, or the wait for it
    join()    with the next activation, behind the inputs that wait; where nothing else waits a refusal costs no step
    settle()  after it: accepted -> remembered, answered or waited for; refused -> remembered, answered

An update that has not been judged is in memory only (`Draft.updates`): with a failing step, or a batch that was full,
it waits there. A caller sends it again, so a takeover or an eviction loses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streamflow.engine.decide import updates as decide
from streamflow.engine.sizes import shortened
from streamflow.model.answers import Done, Rejection, UpdateOutcome
from streamflow.model.commands import AwaitUpdate, UpdateStage, UpdateWorkflow
from streamflow.model.events import Recorded, UpdateAccepted, UpdateCompleted
from streamflow.model.failure import Failure
from streamflow.model.ids import RunId, Seq
from streamflow.model.intents import Activation
from streamflow.processor.payloads.whose import owner_of_run
from streamflow.processor.state.admitted import Admitted, Verdict
from streamflow.processor.state.waiters import waiters_key
from streamflow.processor.state.work import Work
from streamflow.wire.events import decode_event

if TYPE_CHECKING:
    from streamflow.coroutine.instance import Instance
    from streamflow.processor.payloads.codec import PayloadGate
    from streamflow.processor.state.draft import Draft
    from streamflow.processor.steps.recorder import Recorder
    from streamflow.processor.steps.runs import Runs


TRIES_MAX = 5
"""After so many failed steps an update is forgotten: a caller who still waits sends it again."""


# -- asked for ----------------------------------------------------------------------------------------------------


def update(runs: Runs, work: Work, command: UpdateWorkflow) -> None:
    assert work.envelope is not None
    outcome = runs.answers.outcome_of_copy(work, command.workflow_id)
    if isinstance(outcome, Rejection | UpdateOutcome):
        runs.answers.answer(work, outcome, recorded=False)
        return
    run_id = command.run_id if outcome is None else outcome.run_id
    recorder = runs.addressed(command.workflow_id, run_id)
    if recorder is None:
        runs.answers.refuse(work, runs.missing(command.workflow_id, run_id))
        return
    if attach(runs, recorder, work, command.update_id, command.wait_for):
        if outcome is None:
            _remember(runs, recorder, work)
        return
    admit(runs, recorder, work, command)


def await_update(runs: Runs, work: Work, command: AwaitUpdate) -> None:
    recorder = runs.addressed(command.workflow_id, command.run_id)
    if recorder is None:
        runs.answers.refuse(work, runs.missing(command.workflow_id, command.run_id))
    elif not attach(runs, recorder, work, command.update_id, UpdateStage.COMPLETED):
        runs.answers.refuse(work, decide.unknown_update(recorder.run, command.update_id))


def admit(
    runs: Runs, recorder: Recorder, work: Work, command: UpdateWorkflow, *, started: bool = False
) -> None:
    """Puts a new update before the code, which judges it when the commands before it have been seen."""
    assert work.envelope is not None
    run, waiting = recorder.run, recorder.draft.updates
    refusal = decide.refuse_update(run, command, len(waiting), recorder.context())
    if refusal is not None:
        runs.answers.refuse(work, refusal)
        return
    event = decide.accepted_event(command, work.envelope.message_id)
    admitted = Admitted(event, started=started)
    admitted.join(work, command.wait_for)
    waiting.append(admitted)


def attach(runs: Runs, recorder: Recorder, work: Work, update_id: str, stage: UpdateStage) -> bool:
    """Gives a caller the part of an update that is there already. False if the run knows none of this ID."""
    run = recorder.run
    for admitted in recorder.draft.updates:
        if admitted.event.update_id == update_id:
            admitted.join(work, stage)
            return True
    known = run.updates.get(update_id)
    if known is None:
        return False
    if known.completed_seq:
        event = _event(runs, recorder, known.completed_seq)
        runs.answers.answer(work, decide.outcome_of(run, event), recorded=False)
    elif not run.open:
        runs.answers.answer(work, decide.abandoned(run, update_id), recorded=False)
    elif stage is UpdateStage.ACCEPTED:
        runs.answers.answer(work, decide.under_way(run, update_id), recorded=False)
    elif work.reply_to is not None:
        runs.partition.waiters.add(waiters_key(run.run_id, update_id), work.reply_to)
    return True


def _event(runs: Runs, recorder: Recorder, seq: int) -> UpdateCompleted:
    """An outcome, from this batch or from the store."""
    for recorded in recorder.recorded:
        if recorded.seq == seq:
            break
    else:
        [(_, value)] = runs.partition.rows.events(recorder.run.run_id, after_seq=seq - 1, limit=1)
        recorded = decode_event(value)
    assert isinstance(recorded.event, UpdateCompleted), recorded
    return recorded.event


# -- with an activation -------------------------------------------------------------------------------------------


def join(activation: Activation, draft: Draft, instance: Instance, gate: PayloadGate) -> Activation:
    """The activation with the run's updates behind its inputs; without inputs if every one of them was refused.

    Where nothing else waits, the code is asked between steps until it accepts one: so a refused update leaves neither a
    step in the history nor a trace in the code, which replay would not have.
    """
    waiting = list(draft.updates)
    checked = ""
    if not activation.inputs:
        while waiting:
            failure = instance.updates.refusal(
                _decoded(waiting[0], instance, gate), activation.now_ms
            )
            if failure is None:
                checked = waiting[0].event.update_id
                break
            refused = waiting.pop(0)
            draft.updates.remove(refused)
            refused.verdict, refused.failure = Verdict.REFUSED, _encoded(failure, instance, gate)
            draft.judged.append(refused)
    if not waiting:
        return activation
    first = activation.history_length + 1
    inputs = tuple(
        Recorded(Seq(first + index), 0, activation.now_ms, one.event)
        for index, one in enumerate(waiting)
    )
    unchecked = frozenset(one.event.update_id for one in waiting) - {checked}
    return msgspec.structs.replace(
        activation, inputs=(*activation.inputs, *inputs), unchecked=unchecked
    )


def put_off(draft: Draft) -> bool:
    """A step with these updates failed. False if there were none."""
    failed = draft.updates
    for one in failed:
        one.tries += 1
    draft.updates = [one for one in failed if one.tries < TRIES_MAX]
    return bool(failed)


def judge(
    activation: Activation, draft: Draft, instance: Instance, gate: PayloadGate
) -> list[UpdateAccepted]:
    """What a successful step accepted, to be recorded before it; those that it refused get their verdict."""
    accepted: list[UpdateAccepted] = []
    asked = {
        recorded.event.update_id
        for recorded in activation.inputs
        if isinstance(recorded.event, UpdateAccepted)
    }
    for one in draft.updates:
        update_id = one.event.update_id
        if update_id not in asked:
            continue
        failure = instance.updates.verdicts.get(update_id)
        if failure is not None:
            one.verdict, one.failure = Verdict.REFUSED, _encoded(failure, instance, gate)
        elif update_id in instance.updates.verdicts or update_id not in activation.unchecked:
            one.verdict = Verdict.ACCEPTED
            accepted.append(one.event)
    draft.judged += [one for one in draft.updates if one.verdict is not None]
    draft.updates = [one for one in draft.updates if one.verdict is None]
    return accepted


def _decoded(admitted: Admitted, instance: Instance, gate: PayloadGate) -> UpdateAccepted:
    alone = Activation(inputs=(Recorded(Seq(0), 0, 0, admitted.event),), now_ms=0, seed=0)
    [recorded] = gate.activation(instance, alone).inputs
    assert isinstance(recorded.event, UpdateAccepted)
    return recorded.event


def _encoded(failure: Failure, instance: Instance, gate: PayloadGate) -> Failure:
    facts = instance.facts
    owner = owner_of_run(
        facts.namespace, facts.workflow_id, facts.run_id, facts.started.workflow_type
    )
    return gate.failure_out(owner, failure)


# -- after it -----------------------------------------------------------------------------------------------------


def settle(runs: Runs, recorder: Recorder) -> None:
    """Answers and remembers what was judged; what was not, in a run that has ended, is refused."""
    draft, run = recorder.draft, recorder.run
    if not draft.judged and not draft.updates:
        return
    judged, draft.judged = draft.judged, []
    for one in judged:
        if one.verdict is Verdict.ACCEPTED:
            _accepted(runs, recorder, one)
        else:
            _refused(runs, recorder, one)
    if not run.open and draft.updates:
        waiting, draft.updates = draft.updates, []
        for one in waiting:
            for work, _ in one.callers:
                runs.answers.refuse(work, decide.closed(run))


def _accepted(runs: Runs, recorder: Recorder, one: Admitted) -> None:
    run, update_id = recorder.run, one.event.update_id
    completed = run.updates[update_id].completed_seq
    answer = decide.under_way(run, update_id, started=one.started)
    if completed:
        event = _event(runs, recorder, completed)
        answer = decide.outcome_of(run, event, started=one.started)
    elif not run.open:
        answer = decide.abandoned(run, update_id)
    for work, stage in one.callers:
        if not one.started:
            _remember(runs, recorder, work)
        if answer.completed or stage is UpdateStage.ACCEPTED:
            runs.answers.answer(work, answer, recorded=True)
        elif work.reply_to is not None:
            runs.partition.waiters.add(waiters_key(run.run_id, update_id), work.reply_to)


def _refused(runs: Runs, recorder: Recorder, one: Admitted) -> None:
    run = recorder.run
    assert one.failure is not None
    # It is remembered for copies: in a record of its own.
    failure = shortened(one.failure, runs.around.options.limits.payload_bytes_max)
    answer = decide.refused(run, one.event.update_id, failure, started=one.started)
    for work, _ in one.callers:
        if not isinstance(work.command, AwaitUpdate):
            draft = None if one.started else recorder.draft
            runs.answers.remember(work, run.workflow_id, answer, draft)
        runs.answers.answer(work, answer, recorded=True)


def _remember(runs: Runs, recorder: Recorder, work: Work) -> None:
    """A copy of the message is to find this run, whichever is the latest by then."""
    if not isinstance(work.command, AwaitUpdate):
        run = recorder.run
        done = Done(run_id=RunId(run.run_id), first_run_id=run.start.first_run_id)
        runs.answers.remember(work, run.workflow_id, done, recorder.draft)
