"""Signals, cancellation and termination of an open run."""

from __future__ import annotations

from streamflow.engine.context import Context
from streamflow.engine.decide import Decision, refuse_size, reject
from streamflow.engine.sizes import payload_bytes
from streamflow.engine.state import Run
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.commands import CancelWorkflow, SignalWorkflow, TerminateWorkflow
from streamflow.model.events import CancelRequested, SignalReceived, WorkflowTerminated
from streamflow.model.ids import MessageId, RunId, WorkflowId


def not_found(workflow_id: WorkflowId, run_id: RunId | None) -> Rejection:
    what = f"workflow {workflow_id!r}" + (f" with run {run_id}" if run_id else "")
    return reject(
        Reason.NOT_FOUND,
        f"Expected {what} on this queue, found none: it was never started here, or its retention has ended",
    )


def decide_signal(
    run: Run, command: SignalWorkflow, message_id: MessageId, context: Context
) -> Decision | Rejection:
    if not run.open:
        return _closed(run)
    full = refuse_waiting(run, context)
    if full is not None:
        return full
    too_large = refuse_size("signal", payload_bytes(command.args, command.headers), context.limits)
    if too_large is not None:
        return too_large
    signal = SignalReceived(
        name=command.signal_name,
        args=command.args,
        headers=command.headers,
        message_id=message_id,
        identity=command.identity,
    )
    return Decision((signal,), _done(run))


def refuse_waiting(run: Run, context: Context) -> Rejection | None:
    """Why no further signal may wait for this run, or ``None``; also for one that comes with a start."""
    bound = context.limits.waiting_inputs_max
    if len(run.waiting) < bound:
        return None
    return reject(
        Reason.LIMIT_EXCEEDED,
        f"Expected at most {bound} inputs to wait for run {run.run_id}, found as many: heal its code first, then "
        "signal again",
        run_id=run.run_id,
    )


def decide_cancel(run: Run, command: CancelWorkflow) -> Decision | Rejection:
    """Asking twice is as good as asking once."""
    if not run.open:
        return _closed(run)
    if not _of_chain(run, command.first_run_id):
        return not_found(run.workflow_id, command.first_run_id)
    if run.cancel_requested:
        return Decision((), _done(run))
    return Decision(
        (CancelRequested(reason=command.reason, identity=command.identity),), _done(run)
    )


def decide_terminate(run: Run, command: TerminateWorkflow) -> Decision | Rejection:
    if not run.open:
        return _closed(run)
    if not _of_chain(run, command.first_run_id):
        return not_found(run.workflow_id, command.first_run_id)
    event = WorkflowTerminated(
        reason=command.reason, details=command.details, identity=command.identity
    )
    return Decision((event,), _done(run))


def _of_chain(run: Run, first_run_id: RunId | None) -> bool:
    """Whether the run belongs to the chain that the caller means, if it means one."""
    return first_run_id is None or run.start.first_run_id == first_run_id


def _done(run: Run) -> Done:
    return Done(run_id=run.run_id, first_run_id=run.start.first_run_id)


def _closed(run: Run) -> Rejection:
    return reject(
        Reason.ALREADY_CLOSED,
        f"Expected run {run.run_id} of workflow {run.workflow_id!r} to be open, found it {run.status.value}",
        run_id=run.run_id,
    )
