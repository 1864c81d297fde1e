"""What an exception that leaves activity code means: a failure, a cancellation that was asked for, a timeout."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path

from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.converter import DataConverter
from streamflow.exceptions import (
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    TimeoutError,
    TimeoutType,
)
from streamflow.model.commands import ActivityOutcome
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.tasks import ActivityTask
from streamflow.observability import get_logger
from streamflow.worker.attempt import Outcome

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


def timed_out(task: ActivityTask) -> Outcome:
    """The outcome of an attempt that ran past its start-to-close timeout."""
    _log.warning(
        "activity_timed_out",
        activity_type=task.activity_type,
        workflow_id=task.workflow_id,
        attempt=task.attempt,
        start_to_close_ms=task.timeouts.start_to_close_ms,
    )
    failure = Failure(
        kind=FailureKind.TIMEOUT,
        message=f"Activity {task.activity_type} ran longer than its start-to-close timeout",
        timeout_kind=TimeoutType.START_TO_CLOSE,
    )
    return Outcome(ActivityOutcome.FAILED, failure=failure)


def unregistered(task: ActivityTask, names: list[str]) -> Outcome:
    """The outcome of an attempt that no activity here can make; another worker, or a later version, may."""
    offered = ", ".join(names) if names else "none"
    failure = Failure(
        kind=FailureKind.APPLICATION,
        message=(
            f"Expected activity {task.activity_type!r} on this worker, found: {offered}; register it with "
            f"Worker(activities=[...]) on task queue {task.queue!r}"
        ),
        type="NotFoundError",
    )
    return Outcome(ActivityOutcome.FAILED, failure=failure)


async def _cancelled(
    error: BaseException, cancellation: ActivityCancellationDetails, converter: DataConverter
) -> Outcome:
    if cancellation.timed_out:
        late = TimeoutError("Activity timed out", type=TimeoutType.START_TO_CLOSE)
        return Outcome(ActivityOutcome.FAILED, failure=await _failure(late, converter))
    return Outcome(ActivityOutcome.CANCELED, failure=await _failure(error, converter))


async def _failure(error: BaseException, converter: DataConverter) -> Failure:
    try:
        return await converter.store_failure(error)
    except Exception as trouble:
        # The user's converter or codec is at fault; that must not hide that, and how, the activity failed.
        return Failure(
            kind=FailureKind.APPLICATION,
            message=f"{type(error).__name__}, whose details could not be encoded: {trouble!r}",
            type=type(error).__name__,
        )


def _leave_out_our_frames(error: BaseException) -> None:
    """The stack as users know it begins in their code; if it never got there, it stays whole."""
    at = error.__traceback__
    while at is not None and at.tb_frame.f_code.co_filename.startswith(_HERE):
        at = at.tb_next
    if at is not None:
        error.__traceback__ = at


def _note(error: BaseException, task: ActivityTask) -> None:
    benign = (
        isinstance(error, ApplicationError) and error.category is ApplicationErrorCategory.BENIGN
    )
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
