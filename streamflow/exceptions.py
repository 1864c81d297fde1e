"""The errors that user code raises, awaits and catches.

    StreamflowError (cause)                      also known as TemporalError
    └── FailureError (message, failure)          an end that is recorded and travels between programs
        ├── ApplicationError                     raised by workflow and activity code: type, details, retry advice
        ├── CancelledError                       stopped on request
        ├── TerminatedError                      stopped by an operator, without running more code
        ├── TimeoutError                         one of the limits was passed: type, last heartbeat
        ├── ServerError                          the engine could not go on
        ├── ActivityError                        an awaited activity ended badly; `cause` says why
        ├── ChildWorkflowError                   an awaited child ended badly; `cause` says why
        ├── WorkflowAlreadyStartedError          the workflow ID is taken
        └── ActivityAlreadyStartedError          the activity ID is taken

A FailureError that leaves a workflow's ``run`` fails the workflow; any other exception leaves the run waiting until its
code is mended. The turning of errors into stored failures and back is `streamflow.converter`'s; errors about
determinism are `streamflow.workflow`'s, and those of calls to a queue are `streamflow.client`'s and `service`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any

from streamflow.absent import NoCounterpartError
from streamflow.api.failure.stored import opened
from streamflow.api.failure.v1 import Failure as OpenFailure
from streamflow.model.failure import Failure

__all__ = [
    "ActivityAlreadyStartedError",
    "ActivityError",
    "ApplicationError",
    "ApplicationErrorCategory",
    "CancelledError",
    "ChildWorkflowError",
    "FailureError",
    "InvalidVersioningOverrideError",
    "NexusOperationAlreadyStartedError",
    "NexusOperationError",
    "NoCounterpartError",
    "RetryState",
    "ServerError",
    "StreamflowError",
    "TemporalError",
    "TerminatedError",
    "TimeoutError",
    "TimeoutType",
    "WorkflowAlreadyStartedError",
    "is_cancelled_exception",
]


class StreamflowError(Exception):
    """Any error of this library."""

    @property
    def cause(self) -> BaseException | None:
        """The error behind this one, as given by ``raise ... from``."""
        return self.__cause__


TemporalError = StreamflowError


class FailureError(StreamflowError):
    """An end that is recorded in a history and can cross from one program to another."""

    def __init__(
        self,
        message: str,
        *,
        failure: OpenFailure | None = None,
        exc_args: tuple[Any, ...] | None = None,
    ) -> None:
        """``exc_args`` are the exception's ``args`` instead of the message."""
        super().__init__(*((message,) if exc_args is None else exc_args))
        self._message = message
        self._failure: Failure | OpenFailure | None = failure

    @property
    def message(self) -> str:
        return self._message

    @property
    def failure(self) -> OpenFailure | None:
        """The stored failure that this error was made from; ``None`` if it was raised here."""
        if isinstance(self._failure, Failure):
            self._failure = opened(self._failure)
        return self._failure


class ApplicationErrorCategory(IntEnum):
    """How much noise an error deserves."""

    UNSPECIFIED = 0
    BENIGN = 1
    """Expected: logged at debug level and not counted as a failure."""


class ApplicationError(FailureError):
    """A failure stated by workflow or activity code.

    Example: ``raise ApplicationError("No such card", type="CardUnknown", non_retryable=True)``
    """

    def __init__(
        self,
        message: str,
        *details: Any,
        type: str | None = None,
        non_retryable: bool = False,
        next_retry_delay: timedelta | None = None,
        category: ApplicationErrorCategory = ApplicationErrorCategory.UNSPECIFIED,
    ) -> None:
        # Its text begins with its type, and is in `args` alone: programs append to it there.
        super().__init__(message, exc_args=(f"{type}: {message}" if type else message,))
        self._details = details
        self._type = type
        self._non_retryable = non_retryable
        self._next_retry_delay = next_retry_delay
        self._category = category

    @property
    def details(self) -> Sequence[Any]:
        """Values that travel with the error."""
        return self._details

    @property
    def type(self) -> str | None:
        """What retry policies name in ``non_retryable_error_types``; for another error, its class's name."""
        return self._type

    @property
    def non_retryable(self) -> bool:
        return self._non_retryable

    @property
    def next_retry_delay(self) -> timedelta | None:
        """The wait before the next attempt, in place of the retry policy's."""
        return self._next_retry_delay

    @property
    def category(self) -> ApplicationErrorCategory:
        return self._category


class CancelledError(FailureError):
    """Work stopped because someone asked for it."""

    def __init__(self, message: str = "Cancelled", *details: Any) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        return self._details


class TerminatedError(FailureError):
    """A run ended by an operator; its code was not asked."""

    def __init__(self, message: str, *details: Any) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        return self._details


class TimeoutType(IntEnum):
    """Which limit of an activity or a run was passed."""

    START_TO_CLOSE = 1
    SCHEDULE_TO_START = 2
    SCHEDULE_TO_CLOSE = 3
    HEARTBEAT = 4


class TimeoutError(FailureError):
    """One of an activity's or a run's limits was passed."""

    def __init__(
        self, message: str, *, type: TimeoutType | None, last_heartbeat_details: Sequence[Any] = ()
    ) -> None:
        super().__init__(message)
        self._type = type
        self._last_heartbeat_details = last_heartbeat_details

    @property
    def type(self) -> TimeoutType | None:
        return self._type

    @property
    def last_heartbeat_details(self) -> Sequence[Any]:
        """What the last attempt had reported of its progress."""
        return self._last_heartbeat_details


class ServerError(FailureError):
    """The engine could not go on with this run."""

    def __init__(self, message: str, *, non_retryable: bool = False) -> None:
        super().__init__(message)
        self._non_retryable = non_retryable

    @property
    def non_retryable(self) -> bool:
        return self._non_retryable


class RetryState(IntEnum):
    """Why there will be no further attempt."""

    IN_PROGRESS = 1
    NON_RETRYABLE_FAILURE = 2
    TIMEOUT = 3
    MAXIMUM_ATTEMPTS_REACHED = 4
    RETRY_POLICY_NOT_SET = 5
    INTERNAL_SERVER_ERROR = 6
    CANCEL_REQUESTED = 7


class ActivityError(FailureError):
    """An awaited activity ended without a result; `cause` is what its code or its limits said."""

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        started_event_id: int,
        identity: str,
        activity_type: str,
        activity_id: str,
        retry_state: RetryState | None,
    ) -> None:
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._started_event_id = started_event_id
        self._identity = identity
        self._activity_type = activity_type
        self._activity_id = activity_id
        self._retry_state = retry_state

    @property
    def scheduled_event_id(self) -> int:
        """Number of the event that scheduled the activity."""
        return self._scheduled_event_id

    @property
    def started_event_id(self) -> int:
        """Number of the event of its start; 0, as starts of attempts are no events here."""
        return self._started_event_id

    @property
    def identity(self) -> str:
        """The worker that made the last attempt."""
        return self._identity

    @property
    def activity_type(self) -> str:
        return self._activity_type

    @property
    def activity_id(self) -> str:
        return self._activity_id

    @property
    def retry_state(self) -> RetryState | None:
        """Why there was no further attempt."""
        return self._retry_state


class ChildWorkflowError(FailureError):
    """An awaited child workflow ended without a result; `cause` is what it ended with."""

    def __init__(
        self,
        message: str,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str,
        workflow_type: str,
        initiated_event_id: int,
        started_event_id: int,
        retry_state: RetryState | None,
    ) -> None:
        super().__init__(message)
        self._namespace = namespace
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._workflow_type = workflow_type
        self._initiated_event_id = initiated_event_id
        self._started_event_id = started_event_id
        self._retry_state = retry_state

    @property
    def namespace(self) -> str:
        return self._namespace

    @property
    def workflow_id(self) -> str:
        return self._workflow_id

    @property
    def run_id(self) -> str:
        return self._run_id

    @property
    def workflow_type(self) -> str:
        return self._workflow_type

    @property
    def initiated_event_id(self) -> int:
        return self._initiated_event_id

    @property
    def started_event_id(self) -> int:
        return self._started_event_id

    @property
    def retry_state(self) -> RetryState | None:
        return self._retry_state


class WorkflowAlreadyStartedError(FailureError):
    """The workflow ID is in use, or its last run may not be followed by another."""

    def __init__(
        self,
        workflow_id: str,
        workflow_type: str,
        *,
        run_id: str | None = None,
        first_run_id: str | None = None,
    ) -> None:
        super().__init__("Workflow execution already started")
        self.workflow_id = workflow_id
        self.workflow_type = workflow_type
        self.run_id = run_id
        self.first_run_id = first_run_id
        """Of the chain of runs, where it is known."""


class ActivityAlreadyStartedError(FailureError):
    """The ID of a standalone activity is in use."""

    def __init__(self, activity_id: str, activity_type: str, *, run_id: str | None = None) -> None:
        super().__init__("Activity execution already started")
        self.activity_id = activity_id
        self.activity_type = activity_type
        self.run_id = run_id


def is_cancelled_exception(exception: BaseException) -> bool:
    """Whether this is a cancellation, or an activity's or a child's end that was caused by one."""
    match exception:
        case asyncio.CancelledError() | CancelledError():
            return True
        case ActivityError() | ChildWorkflowError():
            return isinstance(exception.cause, CancelledError)
        case _:
            return False


# -- what is not there ------------------------------------------------------------------------------------------------


class NexusOperationError(FailureError):
    """Never raised: there is no Nexus here. The name is there for ``except`` clauses of ported code."""


class NexusOperationAlreadyStartedError(FailureError):
    """Never raised: there is no Nexus here. The name is there for ``except`` clauses of ported code."""


class InvalidVersioningOverrideError(FailureError):
    """Never raised: a child takes no versioning override here. The name is there for ``except`` clauses of ported code."""
