"""What runs say to each other through inboxes: reports of children and messages, and what becomes of a message that is
meant for somebody else.

A message of a run is answered to the run that sent it, in the transaction that records it here. A message without a queue
visits the queues that have a live processor, one after the other, until one knows the workflow: it is never in two places.
"""

from __future__ import annotations

import msgspec

from streamflow.engine.decide import Decision
from streamflow.engine.decide.relations import (
    decide_child_report,
    decide_external_report,
    not_delivered,
)
from streamflow.engine.relations import is_own
from streamflow.engine.state import Run
from streamflow.model.answers import Reason, Rejection
from streamflow.model.commands import (
    AwaitResult,
    CancelWorkflow,
    DescribeWorkflow,
    FromRun,
    QueryWorkflow,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
    UpdateWorkflow,
)
from streamflow.model.events import WorkflowContinuedAsNew
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.ids import MessageId, Op, RunId, WorkflowId
from streamflow.model.options import Parent, Status
from streamflow.model.relations import (
    ChildNews,
    ReportChild,
    ReportExternal,
    StartRefusal,
)
from streamflow.processor.state.work import Work
from streamflow.processor.steps.recorder import Recorder
from streamflow.processor.steps.runs import Runs
from streamflow.processor.steps.sending import send_command

RunMessage = SignalWorkflow | CancelWorkflow | TerminateWorkflow
RunQuestion = QueryWorkflow | DescribeWorkflow | AwaitResult | UpdateWorkflow

CANNOT_CONTINUE = "CannotContinue"
"""Type of the failure of a child whose next run found its ID taken on the queue that it moved to."""

QUEUES_TRIED_MAX = 1_000
"""A message that so many queues did not know what to do with is given up."""


def take_report(runs: Runs, report: ReportChild | ReportExternal) -> None:
    """News for a run of this queue. What is a copy, or too late, is dropped in silence."""
    recorder = _addressed(runs, report)
    if recorder is None:
        return
    if isinstance(report, ReportChild):
        decided = decide_child_report(recorder.run, report)
    else:
        decided = decide_external_report(recorder.run, report)
    if isinstance(decided, Decision):
        recorder.take(decided.facts, recorder.context())


def _addressed(runs: Runs, report: ReportChild | ReportExternal) -> Recorder | None:
    """The run that the report names; else the one that a reset made a copy of it, where that is what waits for it."""
    named = runs.addressed(report.workflow_id, report.run_id)
    if named is not None and named.run.open:
        return named
    latest = runs.addressed(report.workflow_id, None)
    if latest is not None and latest.run.open and is_own(latest.run, report.run_id, report.op):
        return latest
    return named


def is_meant(run: Run, origin: FromRun | None) -> bool:
    """Whether a message may go to this run: one for a child only to the run that the sender started."""
    if origin is None or origin.child_op is None:
        return True
    parent = run.start.parent
    return (
        parent is not None
        and parent.run_id == (origin.started_by or origin.sender.run_id)
        and parent.workflow_id == origin.sender.workflow_id
        and parent.op == origin.child_op
    )


def moved_to(run: Run, run_id: RunId | None, queue: str) -> str | None:
    """The queue that the workflow went on to, if it left this one and no run of it is named."""
    closed = run.closed
    if run_id is not None or not isinstance(closed, WorkflowContinuedAsNew):
        return None
    return closed.queue if closed.queue != queue else None


def went_elsewhere(runs: Runs, work: Work, command: RunMessage | RunQuestion) -> bool:
    """Sends what is for a workflow that has moved to another queue after it."""
    recorder = runs.addressed(command.workflow_id, command.run_id)
    if recorder is None or recorder.run.open:
        return False
    queue = moved_to(recorder.run, command.run_id, runs.around.options.queue)
    return queue is not None and _send_on(runs, work, command, queue)


def _send_on(runs: Runs, work: Work, command: RunMessage | RunQuestion, queue: str) -> bool:
    """Hands the command on to another queue, under its own name and with its own reply address."""
    assert work.envelope is not None
    return send_command(
        runs.batch,
        runs.around,
        queue,
        command,
        work.envelope.message_id,
        reply_to=work.envelope.reply_to,
    )


def seek_elsewhere(runs: Runs, work: Work, command: RunMessage, refusal: Rejection) -> bool:
    """Sends a message that this queue knows no open workflow for on to the next one that may."""
    origin = command.origin
    if origin is None or not origin.seeks or len(origin.tried) >= QUEUES_TRIED_MAX:
        return False
    if refusal.reason not in (Reason.NOT_FOUND, Reason.ALREADY_CLOSED):
        return False
    here = runs.around.options.queue
    tried = (*origin.tried, here)
    following = runs.around.neighbours.next_queue(tried)
    if following is None:
        return False
    went_on = msgspec.structs.replace(origin, tried=tried)
    return _send_on(runs, work, msgspec.structs.replace(command, origin=went_on), following)


def tell_sender(runs: Runs, command: RunMessage, refusal: Rejection | None) -> None:
    """The outcome, for the run that sent the message, if it wants to know."""
    origin = command.origin
    if origin is None or not origin.answers:
        return
    sender = origin.sender
    if isinstance(command, CancelWorkflow) and origin.child_op is not None:
        _tell_parent(runs, sender, ChildNews.CANCEL_DELIVERED)
        return
    failure = None
    if refusal is not None:
        cancelling = isinstance(command, CancelWorkflow)
        if refusal.reason in (Reason.NOT_FOUND, Reason.ALREADY_CLOSED):
            failure = not_delivered(cancelling=cancelling)
        else:
            failure = not_delivered(
                cancelling=cancelling, type=refusal.reason.name, detail=refusal.message
            )
    report = ReportExternal(
        workflow_id=WorkflowId(sender.workflow_id),
        run_id=RunId(sender.run_id),
        op=Op(sender.op),
        failure=failure,
    )
    message_id = MessageId(f"{sender.run_id}/{sender.op}/answered")
    send_command(runs.batch, runs.around, sender.queue, report, message_id)


def tell_starter(
    runs: Runs, command: StartWorkflow, run_id: RunId | None, refusal: Rejection | None
) -> None:
    """The outcome of a signal that came with a start, for the run that sent it."""
    if command.origin is None:
        return
    sender, failure = command.origin.sender, None
    if refusal is not None:
        taken = refusal.reason is Reason.ALREADY_STARTED
        failure = Failure(
            kind=FailureKind.APPLICATION,
            message=refusal.message,
            type="WorkflowAlreadyStartedError" if taken else refusal.reason.name,
            name=command.workflow_type if taken else "",
            workflow_id=command.workflow_id if taken else "",
            run_id=(refusal.run_id or "") if taken else "",
            non_retryable=True,
        )
    report = ReportExternal(
        workflow_id=WorkflowId(sender.workflow_id),
        run_id=RunId(sender.run_id),
        op=Op(sender.op),
        failure=failure,
        target_run_id=run_id,
    )
    message_id = MessageId(f"{sender.run_id}/{sender.op}/answered")
    send_command(runs.batch, runs.around, sender.queue, report, message_id)


def tell_refused_start(runs: Runs, command: StartWorkflow, refusal: Rejection) -> None:
    """A parent hears that there will be no child; a chain that cannot go on here ends, for its parent as well."""
    parent = command.parent
    if parent is None:
        return
    news = ReportChild(
        workflow_id=WorkflowId(parent.workflow_id),
        run_id=RunId(parent.run_id),
        op=Op(parent.op),
        news=ChildNews.REFUSED,
        refusal=(
            StartRefusal.ALREADY_STARTED
            if refusal.reason is Reason.ALREADY_STARTED
            else StartRefusal.INVALID
        ),
        message=refusal.message,
        child_run_id=refusal.run_id,
    )
    if command.chain is not None:
        failure = Failure(
            kind=FailureKind.APPLICATION, message=refusal.message, type=CANNOT_CONTINUE
        )
        news = ReportChild(
            workflow_id=news.workflow_id,
            run_id=news.run_id,
            op=news.op,
            news=ChildNews.CLOSED,
            child_run_id=command.chain.continued_from,
            status=Status.FAILED,
            failure=failure,
            retry_state=RetryState.NON_RETRYABLE_FAILURE,
        )
    message_id = MessageId(f"{parent.run_id}/{parent.op}/refused")
    send_command(runs.batch, runs.around, parent.queue, news, message_id)


def _tell_parent(runs: Runs, parent: Parent, news: ChildNews) -> None:
    report = ReportChild(
        workflow_id=WorkflowId(parent.workflow_id),
        run_id=RunId(parent.run_id),
        op=Op(parent.op),
        news=news,
    )
    message_id = MessageId(f"{parent.run_id}/{parent.op}/{news.value}")
    send_command(runs.batch, runs.around, parent.queue, report, message_id)
