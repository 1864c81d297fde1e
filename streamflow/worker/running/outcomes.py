"""What an exception that leaves activity code means: a failure, a cancellation that was asked for, a timeout."""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path

import structlog

from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.activity.log_adapter import logger as activity_logger
from streamflow.converter import DataConverter
from streamflow.engine.decide.interruption import PAUSE_FAILURE, RESET_FAILURE
from streamflow.exceptions import (
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    TimeoutError,
    TimeoutType,
)
from streamflow.model.commands import ActivityOutcome
from streamflow.model.failure import TIMEOUT_WORDS, Failure, FailureKind, TimeoutKind
from streamflow.model.tasks import ActivityTask
from streamflow.observability import get_logger
from streamflow.worker.running.attempt import Attempt, Outcome

_log = get_logger("worker")
_HERE = str(Path(__file__).parent)


async def failed(
    error: BaseException,
    task: ActivityTask,
    cancellation: ActivityCancellationDetails | None,
    converter: DataConverter,
) -> Outcome:
    """The outcome of an attempt whose code raised."""
    _leave_out_our_frames(error)
    if isinstance(error, asyncio.CancelledError | CancelledError):
        if cancellation is not None:
            return await _cancelled(error, cancellation, converter)
        # Nobody asked: for whoever awaits the activity this is a failure like any other.
        reason = ApplicationError(str(error) or "Cancelled", type="CancelledError")
        reason.__cause__ = error.__cause__
        reason.__traceback__ = error.__traceback__
        error = reason
    else:
        _note(error, task)
    return Outcome(ActivityOutcome.FAILED, failure=await _failure(error, converter))


def failed_plainly(error: BaseException, trouble: BaseException) -> Outcome:
    """The outcome where no better one could be made of this error."""
    failure = Failure(
        kind=FailureKind.APPLICATION,
        message=f"Failed building exception result: {type(trouble).__name__}",
        type=type(error).__name__,
    )
    _log.error("activity_outcome_not_made", error_type=failure.type, trouble=type(trouble).__name__)
    return Outcome(ActivityOutcome.FAILED, failure=failure)


def completed_elsewhere(attempt: Attempt) -> Outcome:
    """The outcome of an attempt that leaves its end to someone else."""
    if not attempt.is_local:
        return Outcome(ActivityOutcome.COMPLETED, later=True)
    failure = Failure(
        kind=FailureKind.APPLICATION,
        message="Expected a local activity to end where it runs, found one that is to be completed by someone else; "
        "make it an ordinary activity",
        type="IllegalCompleteAsync",
        non_retryable=True,
    )
    return Outcome(ActivityOutcome.FAILED, failure=failure)


def timed_out(task: ActivityTask, kind: TimeoutKind) -> Outcome:
    """The outcome of an attempt that ran past its start-to-close timeout, or was silent past its heartbeat timeout."""
    _log.warning(
        "activity_timed_out",
        activity_type=task.activity_type,
        workflow_id=task.workflow_id,
        attempt=task.attempt,
        timeout=kind.value,
    )
    failure = Failure(
        kind=FailureKind.TIMEOUT,
        message=f"activity {TIMEOUT_WORDS[kind]} timeout",
        timeout_kind=kind,
    )
    return Outcome(ActivityOutcome.FAILED, failure=failure)


def unregistered(task: ActivityTask, names: list[str]) -> Outcome:
    """The outcome of an attempt that no activity here can make; another worker, or a later version, may."""
    offered = ", ".join(names)
    _log.warning(
        "activity_not_registered",
        activity_type=task.activity_type,
        queue=task.queue,
        advice="give it to Worker(activities=[...])",
    )
    failure = Failure(
        kind=FailureKind.APPLICATION,
        message=(
            f"Activity function {task.activity_type} for workflow {task.workflow_id} is not registered on this worker, "
            f"available activities: {offered}"
        ),
        type="NotFoundError",
    )
    return Outcome(ActivityOutcome.FAILED, failure=failure)


async def _cancelled(
    error: BaseException, cancellation: ActivityCancellationDetails, converter: DataConverter
) -> Outcome:
    if cancellation.paused or cancellation.reset or cancellation.worker_shutdown:
        return Outcome(
            ActivityOutcome.FAILED, failure=await _failure(_interrupted(cancellation), converter)
        )
    if cancellation.timed_out:
        late = TimeoutError("Activity timed out", type=TimeoutType.START_TO_CLOSE)
        return Outcome(ActivityOutcome.FAILED, failure=await _failure(late, converter))
    return Outcome(ActivityOutcome.CANCELED, failure=await _failure(error, converter))


def _interrupted(cancellation: ActivityCancellationDetails) -> ApplicationError:
    """Stopped by an operator or by the end of its worker: the activity itself goes on, by another attempt."""
    if cancellation.paused:
        return ApplicationError(
            "Unhandled activity cancel error produced by activity pause", type=PAUSE_FAILURE
        )
    if cancellation.reset:
        return ApplicationError(
            "Unhandled activity cancel error produced by activity reset", type=RESET_FAILURE
        )
    return ApplicationError(
        "Worker is shutting down and this activity did not complete in time", type="WorkerShutdown"
    )


async def _failure(error: BaseException, converter: DataConverter) -> Failure:
    try:
        return await converter.store_failure(error)
    except Exception as trouble:
        # The user's converter or codec is at fault; that must not hide that, and how, the activity failed.
        return Failure(
            kind=FailureKind.APPLICATION,
            message=f"Failed building exception result: {trouble}",
            type=type(error).__name__,
        )


def _leave_out_our_frames(error: BaseException) -> None:
    """The stack as users know it begins in their code; if it never got there, it stays whole."""
    at = error.__traceback__
    while at is not None and at.tb_frame.f_code.co_filename.startswith(_HERE):
        at = at.tb_next
    if at is not None:
        error.__traceback__ = at


def is_benign(error: BaseException) -> bool:
    """Whether it was expected: it is not counted, and hardly logged."""
    return isinstance(error, ApplicationError) and error.category is ApplicationErrorCategory.BENIGN


def _note(error: BaseException, task: ActivityTask) -> None:
    benign = is_benign(error)
    if not structlog.is_configured():
        level = logging.DEBUG if benign else logging.WARNING
        # The mark by which log pipelines that were made for the model tell these lines from others.
        mark = {"__temporal_error_identifier": "ActivityFailure"}
        activity_logger.log(level, "Completing activity as failed", exc_info=error, extra=mark)
        return
    say = _log.debug if benign else _log.warning
    say(
        "activity_failed",
        activity_type=task.activity_type,
        workflow_id=task.workflow_id,
        attempt=task.attempt,
        error=repr(error),
        # As text: a renderer that is given the exception itself may print every local variable.
        exception="".join(traceback.format_exception(error)).rstrip(),
    )
