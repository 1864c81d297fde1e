"""Commands that only ask: queries, descriptions, results, histories. Nothing of them is recorded.

Each sees everything that was sent before it, for it lies behind that in the inbox.
"""

from __future__ import annotations

from streamflow.engine.decide.activities import pending_task
from streamflow.engine.decide.messages import not_found
from streamflow.engine.describe import describe, result_of
from streamflow.engine.sizes import payload_bytes
from streamflow.model.answers import Confirmed, Located, Reason, Rejection
from streamflow.model.commands import (
    AwaitResult,
    ConfirmTasks,
    DescribeWorkflow,
    FetchHistory,
    Locate,
    QueryWorkflow,
)
from streamflow.model.options import Status
from streamflow.model.payload import Payloads
from streamflow.processor.commands.relations import moved_to
from streamflow.processor.state.work import Work
from streamflow.processor.steps import activate
from streamflow.processor.steps.answering import Answers
from streamflow.processor.steps.runs import Runs

CONFIRMED_BYTES_MAX = 300_000
"""Heartbeat details in one answer about tasks, beyond those of its first: the record must stay below the log's limit."""

_UNCLEAN = frozenset({Status.FAILED, Status.CANCELED, Status.TERMINATED, Status.TIMED_OUT})


def query(runs: Runs, answers: Answers, work: Work, command: QueryWorkflow) -> None:
    recorder = runs.addressed(command.workflow_id, command.run_id)
    if recorder is None:
        answers.refuse(work, runs.missing(command.workflow_id, command.run_id))
        return
    status = recorder.run.status
    if _rejects(command.reject_condition, status):
        rejection = Rejection(
            reason=Reason.QUERY_REJECTED,
            message=f"Expected a run in another state, found it {status.value}",
            run_id=recorder.run.run_id,
        )
        answers.answer(work, rejection, recorded=False)
        return
    recorder = runs.up_to_date(recorder, command.run_id)
    answer = activate.query(recorder, command, runs.around, runs.partition.rows)
    answers.answer(work, answer, recorded=False)


def describe_run(runs: Runs, answers: Answers, work: Work, command: DescribeWorkflow) -> None:
    recorder = runs.addressed(command.workflow_id, command.run_id)
    if recorder is None:
        answers.refuse(work, runs.missing(command.workflow_id, command.run_id))
        return
    recorder = runs.up_to_date(recorder, command.run_id)
    options = runs.around.options
    description = describe(
        recorder.run,
        namespace=options.namespace,
        queue=options.queue,
        history_bytes=recorder.draft.history_bytes,
    )
    answers.answer(work, description, recorded=False)


def await_result(runs: Runs, answers: Answers, work: Work, command: AwaitResult) -> None:
    """Answered at once for a closed run; otherwise the caller joins those who wait."""
    recorder = runs.addressed(command.workflow_id, command.run_id)
    if recorder is None:
        answers.refuse(work, runs.missing(command.workflow_id, command.run_id))
    elif not recorder.run.open:
        answers.answer(work, result_of(recorder.run), recorded=False)
    elif work.reply_to is not None:
        runs.partition.waiters.add(recorder.run.run_id, work.reply_to)


def fetch_history(runs: Runs, answers: Answers, work: Work, command: FetchHistory) -> None:
    """The page is read from the store once the batch is committed."""
    recorder = runs.addressed(command.workflow_id, command.run_id)
    to = work.reply_to
    if recorder is None:
        answers.refuse(work, runs.missing(command.workflow_id, command.run_id))
    elif to is not None and runs.around.destinations.may_reply(to):
        run_id = recorder.run.run_id
        page = (runs.partition.number, to, run_id, command.after_seq, command.bytes_max)
        runs.batch.histories.append(page)


def locate(runs: Runs, answers: Answers, work: Work, command: Locate) -> None:
    recorder = runs.addressed(command.workflow_id, command.run_id)
    if recorder is None:
        answers.answer(work, not_found(command.workflow_id, command.run_id), recorded=False)
        return
    run = recorder.run
    if moved_to(run, command.run_id, runs.around.options.queue) is not None:
        missing = not_found(command.workflow_id, command.run_id)
        answers.answer(work, missing, recorded=False)
        return
    located = Located(queue=runs.around.options.queue, run_id=run.run_id, status=run.status)
    answers.answer(work, located, recorded=False)


def confirm(runs: Runs, answers: Answers, work: Work, command: ConfirmTasks) -> None:
    pending: list[bool] = []
    details: list[Payloads] = []
    size = 0
    for _, task in command.tasks:
        recorder = runs.find(task.run_id)
        activity = None if recorder is None else pending_task(recorder.run, task)
        latest = () if activity is None else activity.attempt.heartbeat_details
        size += payload_bytes(latest)
        if pending and size > CONFIRMED_BYTES_MAX:
            break
        # What is paused and has not begun is not to be begun: it is sent again when it is let.
        held = activity is not None and activity.attempt.paused and not activity.attempt.started_ms
        pending.append(activity is not None and not held)
        details.append(latest)
    confirmed = Confirmed(
        pending=tuple(pending), heartbeat_details=tuple(details) if any(details) else ()
    )
    answers.answer(work, confirmed, recorded=False)


def _rejects(condition: str, status: Status) -> bool:
    match condition:
        case "not_open":
            return status is not Status.RUNNING
        case "not_completed_cleanly":
            return status in _UNCLEAN
        case _:
            return False
