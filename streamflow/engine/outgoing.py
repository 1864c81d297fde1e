"""What a run's events say to other runs: commands for other inboxes, which leave in the transaction of the event.

Like `effects`, computed just before the event is applied, while what it ends is still to be seen. Replay has none.
"""

from __future__ import annotations

import msgspec

from streamflow.engine.context import Context
from streamflow.engine.relations import began
from streamflow.engine.state import STATUS_OF, Run
from streamflow.model.commands import (
    CancelWorkflow,
    FromRun,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
)
from streamflow.model.events import (
    Event,
    WorkflowCanceled,
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTerminated,
    WorkflowTimedOut,
)
from streamflow.model.failure import Failure, FailureKind, RetryState, TimeoutKind
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.options import Parent
from streamflow.model.priorities import inherited
from streamflow.model.relations import (
    Chain,
    ChildCancellationType,
    ChildCancelRequested,
    ChildInitiated,
    ChildNews,
    ExternalCancelSent,
    ExternalSignalSent,
    ParentClosePolicy,
    ReportChild,
    ReportExternal,
    TargetStart,
)

BY_PARENT = "by parent close policy"

RunCommand = (
    StartWorkflow
    | SignalWorkflow
    | CancelWorkflow
    | TerminateWorkflow
    | ReportChild
    | ReportExternal
)
"""What one run may send to another."""


class SendCommand(msgspec.Struct, frozen=True, gc=False):
    """Puts a command into the inbox of a queue."""

    queue: str
    command: RunCommand


SPEAKING: frozenset[type] = frozenset(
    {
        ChildInitiated,
        ChildCancelRequested,
        ExternalSignalSent,
        ExternalCancelSent,
        WorkflowStarted,
        *STATUS_OF,
    }
)
"""Events that may have something to say to other runs."""


def outgoing(run: Run, event: Event, context: Context) -> list[SendCommand]:
    """What this event of the run, one of `SPEAKING`, sends elsewhere."""
    match event:
        case ChildInitiated():
            return _start_child(run, event, context)
        case ChildCancelRequested():
            return [_cancel_child(run, event, context)]
        case ExternalSignalSent() | ExternalCancelSent():
            return _message(run, event, context)
        case WorkflowStarted():
            return _started(run, event)
        case _:
            return _closed(run, event, context)


def sender(run: Run, op: Op, context: Context) -> Parent:
    """This run and one of its operations, as others are told of them."""
    root_workflow_id, root_run_id = root_of(run)
    return Parent(
        namespace=context.namespace,
        queue=context.queue,
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        op=op,
        root_workflow_id=root_workflow_id,
        root_run_id=root_run_id,
    )


def root_of(run: Run) -> tuple[WorkflowId, RunId]:
    """The workflow and run at the top of the chain of parents: this one, if it has none."""
    parent = run.start.parent
    if parent is None:
        return run.workflow_id, run.run_id
    if parent.root_workflow_id:
        return WorkflowId(parent.root_workflow_id), RunId(parent.root_run_id)
    return WorkflowId(parent.workflow_id), RunId(parent.run_id)


def continuation(run: Run, started: WorkflowStarted, run_id: RunId, backoff_ms: int) -> SendCommand:
    """The start of the next run of the chain on another queue. ``started`` is its first event, were it here."""
    assert started.continued_from is not None, run_id
    chain = Chain(
        run_id=run_id,
        first_run_id=started.first_run_id,
        continued_from=started.continued_from,
        attempt=started.attempt,
        backoff_ms=backoff_ms,
        execution_deadline_ms=started.execution_deadline_ms,
        last_result=started.last_result,
        last_failure=started.last_failure,
        pinned_to=started.pinned_to,
    )
    command = StartWorkflow(
        workflow_id=run.workflow_id,
        workflow_type=started.workflow_type,
        args=started.args,
        retry_policy=started.retry_policy,
        execution_timeout_ms=started.execution_timeout_ms,
        run_timeout_ms=started.run_timeout_ms,
        task_timeout_ms=started.task_timeout_ms,
        cron_schedule=started.cron_schedule,
        memo=started.memo,
        search_attributes=started.search_attributes,
        headers=started.headers,
        static_summary=started.static_summary,
        static_details=started.static_details,
        parent=started.parent,
        identity=started.identity,
        chain=chain,
        priority=started.priority,
        fairness_key=started.fairness_key,
        fairness_weight=started.fairness_weight,
    )
    return SendCommand(started.queue, command)


def _start_child(run: Run, event: ChildInitiated, context: Context) -> list[SendCommand]:
    if event.queue not in context.workflow_queues:
        return []  # decide says next that it came to nothing
    options = event.options
    command = StartWorkflow(
        workflow_id=event.child_workflow_id,
        workflow_type=event.workflow_type,
        args=event.args,
        headers=event.headers,
        id_reuse_policy=options.id_reuse_policy,
        retry_policy=options.retry_policy,
        execution_timeout_ms=options.execution_timeout_ms,
        run_timeout_ms=options.run_timeout_ms,
        task_timeout_ms=options.task_timeout_ms,
        cron_schedule=options.cron_schedule,
        memo=options.memo,
        search_attributes=options.search_attributes,
        static_summary=options.static_summary,
        static_details=options.static_details,
        **inherited(options, run.start),
        last_result=options.last_result,
        last_failure=options.last_failure,
        parent=sender(run, event.op, context),
    )
    return [SendCommand(event.queue, command)]


def _cancel_child(run: Run, event: ChildCancelRequested, context: Context) -> SendCommand:
    child = run.children[event.op].initiated
    waits = child.options.cancellation_type is ChildCancellationType.WAIT_CANCELLATION_REQUESTED
    return SendCommand(
        child.queue,
        CancelWorkflow(
            workflow_id=child.child_workflow_id,
            reason=event.reason,
            origin=FromRun(
                sender=sender(run, event.op, context),
                answers=waits,
                child_op=event.op,
                started_by=_starter(run, event.op),
            ),
        ),
    )


def _message(
    run: Run, event: ExternalSignalSent | ExternalCancelSent, context: Context
) -> list[SendCommand]:
    target = event.target
    if target.queue and target.queue not in context.workflow_queues:
        return []  # decide says next that it came to nothing
    origin = FromRun(
        sender=sender(run, event.op, context),
        child_op=target.child_op,
        started_by="" if target.child_op is None else _starter(run, target.child_op),
        seeks=not target.queue,
    )
    command: SignalWorkflow | CancelWorkflow | StartWorkflow
    if isinstance(event, ExternalSignalSent) and event.start is not None:
        command = _start_signalled(run, event, event.start, origin)
    elif isinstance(event, ExternalSignalSent):
        command = SignalWorkflow(
            workflow_id=target.workflow_id,
            run_id=target.run_id,
            signal_name=event.signal_name,
            args=event.args,
            headers=event.headers,
            origin=origin,
        )
    else:
        command = CancelWorkflow(
            workflow_id=target.workflow_id,
            run_id=target.run_id,
            reason=event.reason,
            origin=origin,
        )
    return [SendCommand(target.queue or context.queue, command)]


def _start_signalled(
    run: Run, event: ExternalSignalSent, start: TargetStart, origin: FromRun
) -> StartWorkflow:
    options = start.options
    return StartWorkflow(
        workflow_id=event.target.workflow_id,
        workflow_type=start.workflow_type,
        args=start.args,
        headers=event.headers,
        id_reuse_policy=options.id_reuse_policy,
        id_conflict_policy=start.id_conflict_policy,
        retry_policy=options.retry_policy,
        execution_timeout_ms=options.execution_timeout_ms,
        run_timeout_ms=options.run_timeout_ms,
        task_timeout_ms=options.task_timeout_ms,
        start_delay_ms=start.start_delay_ms,
        cron_schedule=options.cron_schedule,
        memo=options.memo,
        search_attributes=options.search_attributes,
        static_summary=options.static_summary,
        static_details=options.static_details,
        **inherited(options, run.start),
        signal_name=event.signal_name,
        signal_args=event.args,
        origin=origin,
    )


def _started(run: Run, event: WorkflowStarted) -> list[SendCommand]:
    """The parent hears of the first run of a chain only."""
    parent = event.parent
    if parent is None or event.continued_from is not None:
        return []
    report = ReportChild(
        workflow_id=WorkflowId(parent.workflow_id),
        run_id=RunId(parent.run_id),
        op=Op(parent.op),
        news=ChildNews.STARTED,
        child_run_id=run.run_id,
    )
    return [SendCommand(parent.queue, report)]


def _closed(run: Run, event: Event, context: Context) -> list[SendCommand]:
    """Children go the way of their parent close policy; a parent hears of the end of the whole chain."""
    sends: list[SendCommand] = []
    for op, child in run.children.items():
        sends += _leave_child(run, op, child.initiated, context)
    parent = run.start.parent
    if parent is not None and not _goes_on(event):
        sends.append(SendCommand(parent.queue, _end_report(run, parent, event)))
    return sends


def _leave_child(run: Run, op: Op, child: ChildInitiated, context: Context) -> list[SendCommand]:
    origin = FromRun(
        sender=sender(run, op, context),
        answers=False,
        child_op=op,
        started_by=_starter(run, op),
    )
    match child.options.parent_close_policy:
        case ParentClosePolicy.ABANDON:
            return []
        case ParentClosePolicy.REQUEST_CANCEL:
            return [
                SendCommand(
                    child.queue,
                    CancelWorkflow(
                        workflow_id=child.child_workflow_id, reason=BY_PARENT, origin=origin
                    ),
                )
            ]
        case ParentClosePolicy.TERMINATE:
            return [
                SendCommand(
                    child.queue,
                    TerminateWorkflow(
                        workflow_id=child.child_workflow_id, reason=BY_PARENT, origin=origin
                    ),
                )
            ]


def _starter(run: Run, op: Op) -> str:
    """Whom the child takes for its parent, if that is not this run but one that this is a copy of."""
    child = run.children.get(op)
    starter = run.run_id if child is None else began(run, child.seq)
    return "" if starter == run.run_id else starter


def _goes_on(event: Event) -> bool:
    """Whether another run of the chain follows this end."""
    match event:
        case WorkflowContinuedAsNew():
            return True
        case WorkflowCompleted() | WorkflowFailed() | WorkflowTimedOut():
            return event.new_run_id is not None
        case _:
            return False


def _end_report(run: Run, parent: Parent, event: Event) -> ReportChild:
    report = ReportChild(
        workflow_id=WorkflowId(parent.workflow_id),
        run_id=RunId(parent.run_id),
        op=Op(parent.op),
        news=ChildNews.CLOSED,
        child_run_id=run.run_id,
        status=STATUS_OF[type(event)],
    )
    replace = msgspec.structs.replace
    match event:
        case WorkflowCompleted(result=result):
            return replace(report, result=result)
        case WorkflowFailed(failure=failure, retry_state=state):
            return replace(report, failure=failure, retry_state=state)
        case WorkflowCanceled(details=details):
            failure = Failure(
                kind=FailureKind.CANCELED, message="Workflow cancelled", details=details
            )
            return replace(report, failure=failure, retry_state=RetryState.NON_RETRYABLE_FAILURE)
        case WorkflowTerminated():
            failure = Failure(kind=FailureKind.TERMINATED, message="Terminated")
            return replace(report, failure=failure, retry_state=RetryState.NON_RETRYABLE_FAILURE)
        case WorkflowTimedOut(retry_state=state):
            failure = Failure(
                kind=FailureKind.TIMEOUT,
                message="Timed out",
                timeout_kind=TimeoutKind.START_TO_CLOSE,
            )
            return replace(report, failure=failure, retry_state=state)
        case _:
            raise AssertionError(f"Expected the end of a run, found {event!r}")
