"""How a refusal, a silence or a run's end becomes the exception that a caller catches.

StreamflowError
├── WorkflowFailureError             the run ended without a result; `cause` says how
├── WorkflowContinuedAsNewError      the run was followed by another, and the caller does not follow
├── WorkflowQueryFailedError         the query's code raised
├── WorkflowQueryRejectedError       the run's status is one the caller did not want to query
├── ActivityFailureError             an activity that a client started ended without a result; `cause` says how
├── AsyncActivityCancelledError      an activity that is completed from outside is to stop
├── WorkflowUpdateFailedError        the update was refused, or its handler failed; `cause` says how
└── RPCError (service)               anything else, with a status code
    ├── NamespaceNotFoundError       a Worker's namespace is not there
    └── RPCTimeoutOrCancelledError   no answer in time
        └── WorkflowUpdateRPCTimeoutOrCancelledError   the same, of a call about an update
"""

from __future__ import annotations

from typing import NoReturn

from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.client.status import WorkflowExecutionStatus
from streamflow.exceptions import StreamflowError
from streamflow.model.answers import Reason, Rejection
from streamflow.service import RPCError, RPCStatusCode

STATUS_OF_REASON: dict[Reason, RPCStatusCode] = {
    Reason.NOT_FOUND: RPCStatusCode.NOT_FOUND,
    Reason.ALREADY_STARTED: RPCStatusCode.ALREADY_EXISTS,
    # A run that is closed takes no more messages: for a sender it is not there any more.
    Reason.ALREADY_CLOSED: RPCStatusCode.NOT_FOUND,
    Reason.INVALID_ARGUMENT: RPCStatusCode.INVALID_ARGUMENT,
    Reason.STALE_TASK: RPCStatusCode.NOT_FOUND,
    Reason.LIMIT_EXCEEDED: RPCStatusCode.RESOURCE_EXHAUSTED,
    Reason.QUOTA_EXCEEDED: RPCStatusCode.RESOURCE_EXHAUSTED,
    Reason.QUERY_FAILED: RPCStatusCode.INVALID_ARGUMENT,
    Reason.QUERY_REJECTED: RPCStatusCode.FAILED_PRECONDITION,
    Reason.NOT_DUE: RPCStatusCode.FAILED_PRECONDITION,
    Reason.QUARANTINED: RPCStatusCode.FAILED_PRECONDITION,
    Reason.UNAVAILABLE: RPCStatusCode.UNAVAILABLE,
}


class WorkflowFailureError(StreamflowError):
    """The run ended without a result: failed, cancelled, terminated or timed out. `cause` is what it ended with."""

    def __init__(self, *, cause: BaseException) -> None:
        super().__init__("Workflow execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        assert self.__cause__ is not None
        return self.__cause__


class WorkflowContinuedAsNewError(StreamflowError):
    """The run ended by continuing as another, which the caller had asked not to follow."""

    def __init__(self, new_execution_run_id: str) -> None:
        super().__init__("Workflow continued as new")
        self._new_execution_run_id = new_execution_run_id

    @property
    def new_execution_run_id(self) -> str:
        return self._new_execution_run_id


class WorkflowQueryRejectedError(StreamflowError):
    """The query was not put to the run, as its status is one that the caller did not want."""

    def __init__(self, status: WorkflowExecutionStatus | None) -> None:
        super().__init__(
            f"Query rejected, workflow status: {status.name.lower() if status else 'unknown'}"
        )
        self._status = status

    @property
    def status(self) -> WorkflowExecutionStatus | None:
        return self._status


class WorkflowQueryFailedError(StreamflowError):
    """The query's code raised, or there is no such query."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._message = message

    @property
    def message(self) -> str:
        return self._message


class ActivityFailureError(StreamflowError):
    """The activity ended without a result: failed, cancelled, terminated or timed out. `cause` is what it ended with."""

    def __init__(self, *, cause: BaseException) -> None:
        super().__init__("Activity execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        assert self.__cause__ is not None
        return self.__cause__


class AsyncActivityCancelledError(StreamflowError):
    """The answer to a heartbeat from outside: the activity is to stop."""

    def __init__(self, details: ActivityCancellationDetails | None = None) -> None:
        super().__init__("Activity cancelled")
        self.details = details
        """Why."""


class NamespaceNotFoundError(RPCError, RuntimeError):
    """Nobody made the namespace that a Worker is to serve. A RuntimeError too, as its start raises in the model."""

    def __init__(self, namespace: str) -> None:
        super().__init__(
            f"Worker validation failed: Namespace {namespace} is not found. Expected the connection's own namespace or one "
            f"that was made. Make it with: streamflow namespace create {namespace}, or register_namespace",
            RPCStatusCode.NOT_FOUND,
        )


class RPCTimeoutOrCancelledError(RPCError):
    """No answer came within the call's deadline; the command may still take effect."""

    def __init__(
        self,
        message: str = "Timeout or cancellation of an RPC call",
        status: RPCStatusCode = RPCStatusCode.DEADLINE_EXCEEDED,
    ) -> None:
        super().__init__(message, status)


class WorkflowUpdateFailedError(StreamflowError):
    """The update was refused by its validator, or its handler failed, or the run ended first. `cause` says how."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__("Workflow update failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        assert self.__cause__ is not None
        return self.__cause__


class WorkflowUpdateRPCTimeoutOrCancelledError(RPCTimeoutOrCancelledError):
    """The caller's wait for an update timed out or was cancelled. The update itself goes on."""

    def __init__(self, message: str = "Timeout or cancellation waiting for update") -> None:
        super().__init__(message)


class NotYetError(NotImplementedError):
    """A name of the public API that this release does not carry out."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not in this release yet: see CHANGELOG.md for what is")


def raise_refusal(rejection: Rejection) -> NoReturn:
    """Raises `RPCError` for a refusal that has no class of its own."""
    status = STATUS_OF_REASON[rejection.reason]
    message = _known_as(rejection) + rejection.message
    if status is RPCStatusCode.DEADLINE_EXCEEDED:
        raise RPCTimeoutOrCancelledError(message)
    raise RPCError(message, status)


def _known_as(rejection: Rejection) -> str:
    """Words that programs look for, to stand before our own."""
    match rejection.reason:
        case Reason.ALREADY_CLOSED:
            return "workflow execution already completed: "
        case Reason.NOT_FOUND if rejection.message.startswith("Expected workflow"):
            return "workflow not found: workflow execution not found: "
        case _:
            return ""
