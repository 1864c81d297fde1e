"""Commands about attempts: what workers and outsiders say of them, and what operators do to them."""

from __future__ import annotations

from typing import assert_never

from streamflow.engine.decide import Decision
from streamflow.engine.decide.activities import (
    decide_heartbeat,
    decide_local_end,
    decide_report,
    decide_started,
)
from streamflow.engine.decide.control import decide_control
from streamflow.engine.decide.messages import not_found
from streamflow.model.answers import Done, Rejection
from streamflow.model.commands import (
    ControlActivity,
    HeartbeatActivity,
    LocalActivityEnded,
    ReportActivity,
    StartActivity,
)
from streamflow.processor.state.work import Work
from streamflow.processor.steps.answering import Answers
from streamflow.processor.steps.runs import Runs


def take_news(
    runs: Runs,
    answers: Answers,
    work: Work,
    command: ReportActivity | StartActivity | HeartbeatActivity,
) -> None:
    """Of an attempt, from its worker. What is stale is dropped in silence, unless the sender wants to know."""
    if isinstance(command, ReportActivity) and work.reply_to is not None:
        # Whoever waits for an answer sends the report again when none comes: the copy is answered like the first.
        outcome = answers.outcome_of_copy(work, command.workflow_id)
        if outcome is not None:
            answers.answer(work, outcome, recorded=False)
            return
    recorder = runs.addressed(command.workflow_id, command.task.run_id or None)
    if recorder is None:
        missing = not_found(command.workflow_id, command.task.run_id or None)
        answers.answer(work, missing, recorded=False)
        return
    run, context = recorder.run, recorder.context()
    match command:
        case ReportActivity():
            decided = decide_report(run, command, context)
        case StartActivity():
            decided = decide_started(run, command, context)
        case HeartbeatActivity():
            decided = decide_heartbeat(run, command, context)
        case _:
            assert_never(command)
    if isinstance(decided, Rejection):
        answers.answer(work, decided, recorded=False)
        return
    recorder.take(decided.facts, context)
    answer = decided.answer or Done(run_id=run.run_id)
    if isinstance(answer, Done) and work.reply_to is not None:
        answers.remember(work, command.workflow_id, answer, recorder.draft)
    answers.answer(work, answer, recorded=True)


def take_control(runs: Runs, answers: Answers, work: Work, command: ControlActivity) -> None:
    """An operator's; a copy of one is answered like the first, and does nothing."""
    outcome = answers.outcome_of_copy(work, command.workflow_id)
    if outcome is not None:
        answers.answer(work, outcome, recorded=False)
        return
    recorder = runs.addressed(command.workflow_id, command.run_id)
    if recorder is None:
        answers.refuse(work, runs.missing(command.workflow_id, command.run_id))
        return
    context = recorder.context()
    decided = decide_control(recorder.run, command, context)
    match decided:
        case Rejection():
            answers.refuse(work, decided)
        case Decision(facts=facts, answer=answer):
            recorder.take(facts, context)
            assert isinstance(answer, Done)
            answers.remember(work, command.workflow_id, answer, recorder.draft)
            answers.answer(work, answer, recorded=True)


def take_local_end(runs: Runs, command: LocalActivityEnded) -> None:
    recorder = runs.addressed(command.workflow_id, command.run_id)
    if recorder is None:
        return
    context = recorder.context()
    decided = decide_local_end(recorder.run, command, context)
    if isinstance(decided, Decision):
        recorder.take(decided.facts, context)
