"""Children and messages to other runs: what the code wants becomes events, and so does what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from streamflow.engine.context import Context
from streamflow.engine.decide import Decision, Fact, reject
from streamflow.engine.state import Run
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.relations import (
    CancelChild,
    CancelExternal,
    ChildCancelDelivered,
    ChildCancelRequested,
    ChildClosed,
    ChildInitiated,
    ChildNews,
    ChildStarted,
    ChildStartFailed,
    ExternalAnswered,
    ExternalCancelSent,
    ExternalSignalSent,
    ReportChild,
    ReportExternal,
    SignalExternal,
    StartChild,
    StartRefusal,
)

RelationIntent = StartChild | CancelChild | SignalExternal | CancelExternal

NOT_FOUND = "ExternalWorkflowExecutionNotFound"
"""Type of the failure that says that there is no such workflow."""
NO_SUCH_QUEUE = "TaskQueueNotFound"


def decide_relation(run: Run, intent: RelationIntent, context: Context) -> Iterator[Fact]:
    """The intent's event; where its queue does not exist, that it came to nothing as well."""
    match intent:
        case StartChild():
            yield from _start_child(intent, context)
        case CancelChild(op=op):
            if op in run.children:
                yield ChildCancelRequested(op=op, reason=intent.reason)
        case SignalExternal():
            yield ExternalSignalSent(
                op=intent.op,
                target=intent.target,
                signal_name=intent.signal_name,
                args=intent.args,
                headers=intent.headers,
                start=intent.start,
                place=intent.place,
            )
            yield from _refuse_queue(intent, context)
        case CancelExternal():
            yield ExternalCancelSent(
                op=intent.op, target=intent.target, reason=intent.reason, place=intent.place
            )
            yield from _refuse_queue(intent, context)
        case _:
            assert_never(intent)


def decide_child_report(run: Run, report: ReportChild) -> Decision | Rejection:
    """News of a child that is still pending; anything else is a copy, or too late."""
    child = run.children.get(report.op)
    if not run.open or child is None:
        return reject(
            Reason.STALE_TASK,
            f"Expected a pending child {report.op} in run {run.run_id}, found none",
            run_id=run.run_id,
        )
    fact: Fact | None = None
    match report.news:
        case ChildNews.STARTED:
            if child.run_id is None and report.child_run_id is not None:
                fact = ChildStarted(op=report.op, child_run_id=report.child_run_id)
        case ChildNews.REFUSED:
            if child.run_id is None:
                fact = ChildStartFailed(
                    op=report.op,
                    refusal=report.refusal or StartRefusal.INVALID,
                    message=report.message,
                    taken_by=report.child_run_id,
                )
        case ChildNews.CANCEL_DELIVERED:
            if child.cancel_requested and not child.cancel_delivered:
                fact = ChildCancelDelivered(op=report.op)
        case ChildNews.CLOSED:
            if report.status is not None and report.child_run_id is not None:
                fact = ChildClosed(
                    op=report.op,
                    child_run_id=report.child_run_id,
                    status=report.status,
                    result=report.result,
                    failure=report.failure,
                    retry_state=report.retry_state,
                )
        case _:
            assert_never(report.news)
    return Decision(() if fact is None else (fact,), Done(run_id=run.run_id))


def decide_external_report(run: Run, report: ReportExternal) -> Decision | Rejection:
    if not run.open or report.op not in run.messages:
        return reject(
            Reason.STALE_TASK,
            f"Expected a message {report.op} of run {run.run_id} to be under way, found none",
            run_id=run.run_id,
        )
    answered = ExternalAnswered(
        op=report.op, failure=report.failure, target_run_id=report.target_run_id
    )
    return Decision((answered,), Done(run_id=run.run_id))


def not_delivered(*, cancelling: bool, type: str = NOT_FOUND, detail: str = "") -> Failure:
    """Why a message reached nobody, as the sender's code is told."""
    verb, reason = ("cancel", "not found") if cancelling else ("signal", "it was not found")
    message = f"Unable to {verb} external workflow because {reason}"
    return Failure(
        kind=FailureKind.APPLICATION,
        message=f"{message}: {detail}" if detail else message,
        type=type,
    )


def _start_child(intent: StartChild, context: Context) -> Iterator[Fact]:
    queue = intent.queue or context.queue
    yield ChildInitiated(
        op=intent.op,
        child_workflow_id=intent.workflow_id,
        workflow_type=intent.workflow_type,
        queue=queue,
        args=intent.args,
        headers=intent.headers,
        options=intent.options,
        place=intent.place,
    )
    if queue not in context.workflow_queues:
        message = (
            f"Expected task queue {queue!r} to exist for child workflow {intent.workflow_id!r}, found no such queue: "
            f"run 'streamflow topology apply --queue {queue}'"
        )
        yield ChildStartFailed(op=intent.op, refusal=StartRefusal.NO_SUCH_QUEUE, message=message)


def _refuse_queue(intent: SignalExternal | CancelExternal, context: Context) -> Iterator[Fact]:
    queue = intent.target.queue
    if queue and queue not in context.workflow_queues:
        failure = not_delivered(
            cancelling=isinstance(intent, CancelExternal),
            type=NO_SUCH_QUEUE,
            detail=f"expected task queue {queue!r} to exist, found no such queue",
        )
        yield ExternalAnswered(op=intent.op, failure=failure)
