"""Starting runs: reuse of an ID whose run is closed, conflict with one that is open, and a chain's next run."""

from __future__ import annotations

from typing import assert_never

import msgspec

from streamflow.engine.context import Context
from streamflow.engine.decide import Decision, Fact, refuse_size, reject
from streamflow.engine.retry import backoff_ms
from streamflow.engine.sizes import payload_bytes
from streamflow.engine.state import Run
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.commands import StartWorkflow
from streamflow.model.events import (
    SignalReceived,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTerminated,
    WorkflowTimedOut,
)
from streamflow.model.ids import MessageId, RunId
from streamflow.model.options import IdConflictPolicy, IdReusePolicy, Status


class LastRun(msgspec.Struct, frozen=True, gc=False):
    """The latest run of a workflow ID, as far as a start needs to know it."""

    run_id: RunId
    status: Status


class Begin(msgspec.Struct, frozen=True, gc=False):
    """A new run, begun with these facts; the open one, if named, ends first."""

    run_id: RunId
    facts: tuple[Fact, ...]
    answer: Done
    terminate: WorkflowTerminated | None = None


def decide_start(
    last: LastRun | None, command: StartWorkflow, message_id: MessageId, context: Context
) -> Begin | Decision | Rejection:
    """A new run; or a signal to the open one, or nothing but its name, where the policies say so."""
    refusal = _refuse_command(command, context)
    if refusal is not None:
        return refusal
    if last is not None and last.status is Status.RUNNING:
        return _start_beside_open(last, command, message_id, context)
    if last is not None:
        refusal = _refuse_reuse(last, command)
        if refusal is not None:
            return refusal
    return _begin(command, message_id, context, terminate=None)


def successor(run: Run, run_id: RunId, now_ms: int) -> WorkflowStarted:
    """The first event of the run that follows ``run``, which has just closed by continuing or to be retried."""
    start, closed = run.start, run.closed
    match closed:
        case WorkflowContinuedAsNew():
            run_timeout_ms = closed.run_timeout_ms or start.run_timeout_ms
            return msgspec.structs.replace(
                start,
                workflow_type=closed.workflow_type or start.workflow_type,
                queue=closed.queue or start.queue,
                args=closed.args,
                continued_from=run.run_id,
                attempt=1,
                not_before_ms=now_ms + closed.backoff_ms if closed.backoff_ms else 0,
                run_timeout_ms=run_timeout_ms,
                run_deadline_ms=_deadline(now_ms + closed.backoff_ms, run_timeout_ms),
                task_timeout_ms=closed.task_timeout_ms or start.task_timeout_ms,
                retry_policy=closed.retry_policy or start.retry_policy,
                memo=run.memo if closed.memo is None else closed.memo,
                search_attributes=(
                    run.search_attributes
                    if closed.search_attributes is None
                    else closed.search_attributes
                ),
                headers=closed.headers or start.headers,
            )
        case WorkflowFailed() | WorkflowTimedOut():
            wait_ms = retry_wait_ms(run)
            return msgspec.structs.replace(
                start,
                continued_from=run.run_id,
                memo=run.memo,
                search_attributes=run.search_attributes,
                attempt=start.attempt + 1,
                not_before_ms=now_ms + wait_ms,
                run_deadline_ms=_deadline(now_ms + wait_ms, start.run_timeout_ms),
            )
        case _:
            raise AssertionError(
                f"Expected a run that another follows, found {closed!r} of {run_id}"
            )


def retry_wait_ms(run: Run) -> int:
    """How long the next attempt of a failed run waits, under the run's own retry policy."""
    policy = run.start.retry_policy
    if policy is None:
        return 0
    match run.closed:
        case WorkflowFailed(failure=failure) if failure.next_retry_delay_ms is not None:
            return failure.next_retry_delay_ms
        case _:
            return backoff_ms(policy, run.start.attempt)


def _start_beside_open(
    last: LastRun, command: StartWorkflow, message_id: MessageId, context: Context
) -> Begin | Decision | Rejection:
    policy = command.id_conflict_policy
    if command.id_reuse_policy is IdReusePolicy.TERMINATE_IF_RUNNING:
        policy = IdConflictPolicy.TERMINATE_EXISTING
    if policy is IdConflictPolicy.TERMINATE_EXISTING:
        reason = f"Terminated by a new start of {command.workflow_id!r} (TERMINATE_EXISTING)"
        terminate = WorkflowTerminated(reason=reason, identity=command.identity)
        return _begin(command, message_id, context, terminate=terminate)
    if command.signal_name:
        signal = _signal(command, message_id)
        return Decision((signal,), Done(run_id=last.run_id))
    if policy is IdConflictPolicy.USE_EXISTING:
        return Decision((), Done(run_id=last.run_id))
    return reject(
        Reason.ALREADY_STARTED,
        f"Expected no open run of workflow {command.workflow_id!r}, found {last.run_id}: use another ID, "
        "or an id_conflict_policy that allows it",
        run_id=last.run_id,
    )


def _refuse_reuse(last: LastRun, command: StartWorkflow) -> Rejection | None:
    match command.id_reuse_policy:
        case IdReusePolicy.REJECT_DUPLICATE:
            refused = True
        case IdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY:
            refused = last.status in (Status.COMPLETED, Status.CONTINUED_AS_NEW)
        case IdReusePolicy.ALLOW_DUPLICATE | IdReusePolicy.TERMINATE_IF_RUNNING:
            refused = False
        case _:
            assert_never(command.id_reuse_policy)
    if not refused:
        return None
    return reject(
        Reason.ALREADY_STARTED,
        f"Expected workflow ID {command.workflow_id!r} to be free under {command.id_reuse_policy.name}, found "
        f"run {last.run_id}, {last.status.value} and still retained: use another ID or another id_reuse_policy",
        run_id=last.run_id,
    )


def _begin(
    command: StartWorkflow,
    message_id: MessageId,
    context: Context,
    *,
    terminate: WorkflowTerminated | None,
) -> Begin:
    run_id = context.new_run_id()
    begins_ms = context.now_ms + command.start_delay_ms
    started = WorkflowStarted(
        workflow_type=command.workflow_type,
        queue=context.queue,
        args=command.args,
        message_id=message_id,
        first_run_id=run_id,
        parent=command.parent,
        not_before_ms=begins_ms if command.start_delay_ms else 0,
        run_deadline_ms=_deadline(begins_ms, command.run_timeout_ms),
        execution_deadline_ms=_deadline(begins_ms, command.execution_timeout_ms),
        retry_policy=command.retry_policy,
        execution_timeout_ms=command.execution_timeout_ms,
        run_timeout_ms=command.run_timeout_ms,
        task_timeout_ms=command.task_timeout_ms,
        cron_schedule=command.cron_schedule,
        memo=command.memo,
        search_attributes=command.search_attributes,
        headers=command.headers,
        static_summary=command.static_summary,
        static_details=command.static_details,
        identity=command.identity,
        retention_ms=context.retention_ms.get(command.workflow_type),
    )
    facts: tuple[Fact, ...] = (started,)
    if command.signal_name:
        # Signalled at its start, a run does not wait out its delay.
        facts = (msgspec.structs.replace(started, not_before_ms=0), _signal(command, message_id))
    answer = Done(run_id=run_id, first_run_id=run_id, started=True)
    return Begin(run_id, facts, answer, terminate)


def _signal(command: StartWorkflow, message_id: MessageId) -> SignalReceived:
    return SignalReceived(
        name=command.signal_name,
        args=command.signal_args,
        headers=command.headers,
        message_id=message_id,
        identity=command.identity,
    )


def _refuse_command(command: StartWorkflow, context: Context) -> Rejection | None:
    bound = context.limits.id_bytes_max
    if not command.workflow_type:
        return reject(
            Reason.INVALID_ARGUMENT, "Expected a workflow type, found an empty one: name one"
        )
    for what, text in (
        ("workflow ID", command.workflow_id),
        ("workflow type", command.workflow_type),
    ):
        if len(text.encode()) > bound:
            return reject(
                Reason.INVALID_ARGUMENT,
                f"Expected a {what} of at most {bound} bytes, found {len(text.encode())}: shorten it",
            )
    carried = command.signal_args, command.memo, command.search_attributes, command.headers
    too_large = refuse_size("start", payload_bytes(command.args, *carried), context.limits)
    if too_large is not None:
        return too_large
    if command.cron_schedule:
        return reject(
            Reason.INVALID_ARGUMENT,
            "Expected no cron_schedule, for this release has none yet: start the workflow from a scheduler",
        )
    for what, value in (
        ("start_delay", command.start_delay_ms),
        ("run_timeout", command.run_timeout_ms or 0),
        ("execution_timeout", command.execution_timeout_ms or 0),
    ):
        if value < 0:
            return reject(Reason.INVALID_ARGUMENT, f"Expected {what} >= 0, found {value} ms")
    return None


def _deadline(begins_ms: int, timeout_ms: int | None) -> int | None:
    return begins_ms + timeout_ms if timeout_ms else None
