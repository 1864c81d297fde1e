"""Updates: whether one may be put to the run's code, and what its caller is told.

asked --refused by decide, or by the code's validator--> nothing recorded
  '--accepted--> UpdateAccepted, with the activation that begins the handler
         '--the handler ends--> UpdateCompleted
         '--the run ends before--> completed with `abandoned`, without an event
"""

from __future__ import annotations

from streamflow.engine.context import Context
from streamflow.engine.decide import refuse_size, reject
from streamflow.engine.decide.messages import not_found
from streamflow.engine.sizes import payload_bytes
from streamflow.engine.state import Run
from streamflow.model.answers import Reason, Rejection, UpdateOutcome
from streamflow.model.commands import UpdateWorkflow
from streamflow.model.events import UpdateAccepted, UpdateCompleted
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import MessageId

ABANDONED = "AcceptedUpdateCompletedWorkflow"
"""Type of the failure of an update whose run ended before its handler did."""


def refuse_update(
    run: Run, command: UpdateWorkflow, waiting: int, context: Context
) -> Rejection | None:
    """Why a new update may not be put to the code, or ``None``. ``waiting`` have been asked for and not judged yet."""
    limits = context.limits
    if command.first_run_id and command.first_run_id != run.start.first_run_id:
        return not_found(command.workflow_id, command.first_run_id)
    if not run.open:
        return closed(run)
    if not command.update_id or len(command.update_id.encode()) > limits.id_bytes_max:
        return reject(
            Reason.INVALID_ARGUMENT,
            f"Expected an update ID of 1 to {limits.id_bytes_max} bytes, found {len(command.update_id.encode())}",
            run_id=run.run_id,
        )
    for what, count, bound in (
        ("updates at work", run.updates_at_work + waiting, limits.updates_at_work_max),
        ("updates", len(run.updates) + waiting, limits.updates_per_run_max),
    ):
        if count >= bound:
            return reject(
                Reason.LIMIT_EXCEEDED,
                f"Expected at most {bound} {what} in run {run.run_id}, found as many: await some first, or let the "
                "workflow continue as new",
                run_id=run.run_id,
            )
    return refuse_size("update", payload_bytes(command.args, command.headers), limits)


def closed(run: Run) -> Rejection:
    return reject(
        Reason.ALREADY_CLOSED,
        f"Expected run {run.run_id} of workflow {run.workflow_id!r} to be open, found it {run.status.value}: workflow "
        "execution already completed",
        run_id=run.run_id,
    )


def unknown_update(run: Run, update_id: str) -> Rejection:
    return reject(
        Reason.NOT_FOUND,
        f"Expected update {update_id!r} in run {run.run_id} of workflow {run.workflow_id!r}, found none: it was never "
        "accepted there",
        run_id=run.run_id,
    )


def accepted_event(command: UpdateWorkflow, message_id: MessageId) -> UpdateAccepted:
    """What is recorded if the code does not refuse it."""
    return UpdateAccepted(
        update_id=command.update_id,
        name=command.update_name,
        args=command.args,
        headers=command.headers,
        message_id=message_id,
        identity=command.identity,
    )


def under_way(run: Run, update_id: str, *, started: bool = False) -> UpdateOutcome:
    """The answer to a caller who need not wait for the end."""
    return UpdateOutcome(
        run_id=run.run_id,
        update_id=update_id,
        completed=False,
        first_run_id=run.start.first_run_id,
        started=started,
    )


def outcome_of(run: Run, event: UpdateCompleted, *, started: bool = False) -> UpdateOutcome:
    return UpdateOutcome(
        run_id=run.run_id,
        update_id=event.update_id,
        completed=True,
        first_run_id=run.start.first_run_id,
        started=started,
        result=event.result,
        failure=event.failure,
    )


def refused(run: Run, update_id: str, failure: Failure, *, started: bool = False) -> UpdateOutcome:
    """The answer where the validator raised."""
    completed = UpdateCompleted(update_id=update_id, failure=failure)
    return outcome_of(run, completed, started=started)


def abandoned(run: Run, update_id: str) -> UpdateOutcome:
    """The answer where the run ended first."""
    failure = Failure(
        kind=FailureKind.APPLICATION,
        message="Expected the update to complete before its workflow, found the workflow completed: the update's "
        "handler was abandoned",
        type=ABANDONED,
        non_retryable=True,
    )
    return refused(run, update_id, failure)
