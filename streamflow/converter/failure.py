"""Errors to stored failures and back, with their causes, details, types and stack traces."""

from __future__ import annotations

import asyncio
import traceback
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, cast

import msgspec

from streamflow.api.failure.stored import opened, stored
from streamflow.api.failure.v1 import Failure as OpenFailure
from streamflow.converter.payload import PayloadConverter
from streamflow.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    RetryState,
    ServerError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
    WorkflowAlreadyStartedError,
)
from streamflow.model import failure as model
from streamflow.model.failure import CAUSES_MAX, Failure, FailureKind
from streamflow.model.payload import Payloads

STACK_TRACE_CHARS_MAX = 8_000
"""A longer stack trace keeps its two ends, where a recursion began and where it broke."""
MESSAGE_CHARS_MAX = 10_000
_ENCODED_MESSAGE = "Encoded failure"


class FailureConverter(ABC):
    """Turns errors into failures that can be stored, and back."""

    default: ClassVar[FailureConverter]

    @abstractmethod
    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: OpenFailure
    ) -> None:
        """Fills ``failure`` with what the error and its causes say; the error itself stays as it is."""

    @abstractmethod
    def from_failure(
        self, failure: OpenFailure, payload_converter: PayloadConverter
    ) -> BaseException:
        """The error that the failure tells of, with its causes on ``__cause__``; the failure stays as it is."""


def failure_of(
    converter: FailureConverter, exception: BaseException, payload_converter: PayloadConverter
) -> Failure:
    """The error as the engine keeps it, through whatever the converter's class says."""
    if isinstance(converter, DefaultFailureConverter) and not converter._writes_its_own:
        return converter._to_stored(exception, payload_converter, CAUSES_MAX)
    made = OpenFailure()
    converter.to_failure(exception, payload_converter, made)
    return stored(made)


def error_of(
    converter: FailureConverter, failure: Failure, payload_converter: PayloadConverter
) -> BaseException:
    """The error that the engine's failure tells of, through whatever the converter's class says."""
    if isinstance(converter, DefaultFailureConverter) and not converter._reads_its_own:
        return converter._from_stored(failure, payload_converter)
    return converter.from_failure(opened(failure), payload_converter)


class DefaultFailureConverter(FailureConverter):
    """Keeps the class of the library's own errors; any other error becomes an `ApplicationError` of its class's name.

    With ``encode_common_attributes`` message and stack trace become a payload, so that a codec can encrypt them.
    """

    def __init__(self, *, encode_common_attributes: bool = False) -> None:
        self._encode_common_attributes = encode_common_attributes

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: OpenFailure
    ) -> None:
        failure.CopyFrom(opened(self._to_stored(exception, payload_converter, CAUSES_MAX)))

    def from_failure(
        self, failure: OpenFailure, payload_converter: PayloadConverter
    ) -> BaseException:
        return self._from_stored(stored(failure), payload_converter)

    # The engine's own failures are many, and only a subclass needs the form that user code may touch.

    @property
    def _writes_its_own(self) -> bool:
        return type(self).to_failure is not DefaultFailureConverter.to_failure

    @property
    def _reads_its_own(self) -> bool:
        return type(self).from_failure is not DefaultFailureConverter.from_failure

    def _from_stored(self, failure: Failure, payload_converter: PayloadConverter) -> FailureError:
        failure = _with_decoded_attributes(failure, payload_converter)
        error = _error_of(failure, payload_converter)
        error._failure = failure
        if failure.cause is not None:
            error.__cause__ = error_of(self, failure.cause, payload_converter)
        return error

    def _to_stored(
        self, exception: BaseException, converter: PayloadConverter, causes_left: int
    ) -> Failure:
        if isinstance(exception, FailureError) and exception._failure is not None:
            return self._with_encoded_attributes(_kept(exception._failure), converter)
        cause = exception.__cause__
        if cause is None and not exception.__suppress_context__:
            cause = exception.__context__
        failure = msgspec.structs.replace(
            _failure_of(exception, converter),
            stack_trace=_stack_trace(exception),
            cause=None if cause is None else self._cause(cause, converter, causes_left - 1),
        )
        return self._with_encoded_attributes(failure, converter)

    def _cause(
        self, cause: BaseException, converter: PayloadConverter, causes_left: int
    ) -> Failure:
        if causes_left < 1:
            return Failure(
                kind=FailureKind.APPLICATION,
                message=f"Causes beyond {CAUSES_MAX} were left out",
                type="CausesLeftOut",
            )
        if self._writes_its_own:
            return failure_of(self, cause, converter)
        return self._to_stored(cause, converter, causes_left)

    def _with_encoded_attributes(self, failure: Failure, converter: PayloadConverter) -> Failure:
        if not self._encode_common_attributes or failure.encoded_attributes:
            return failure
        hidden = {"message": failure.message, "stack_trace": failure.stack_trace}
        cause = failure.cause
        return msgspec.structs.replace(
            failure,
            message=_ENCODED_MESSAGE,
            stack_trace="",
            encoded_attributes=tuple(converter.to_payloads([hidden])),
            cause=None if cause is None else self._with_encoded_attributes(cause, converter),
        )


class DefaultFailureConverterWithEncodedAttributes(DefaultFailureConverter):
    """The default with ``encode_common_attributes`` on."""

    def __init__(self) -> None:
        super().__init__(encode_common_attributes=True)


FailureConverter.default = DefaultFailureConverter()


# -- to a failure -------------------------------------------------------------------------------------------------


def _failure_of(exception: BaseException, converter: PayloadConverter) -> Failure:
    """The failure without its stack and causes."""
    match exception:
        case ApplicationError():
            delay = exception.next_retry_delay
            return Failure(
                kind=FailureKind.APPLICATION,
                message=_message(exception.message),
                type=exception.type or "",
                details=_payloads(exception.details, converter),
                non_retryable=exception.non_retryable,
                next_retry_delay_ms=None if delay is None else delay // timedelta(milliseconds=1),
                category=(
                    ""
                    if exception.category is ApplicationErrorCategory.UNSPECIFIED
                    else exception.category.name.lower()
                ),
            )
        case TimeoutError():
            return Failure(
                kind=FailureKind.TIMEOUT,
                message=_message(exception.message),
                timeout_kind=None
                if exception.type is None
                else model.TimeoutKind[exception.type.name],
                details=_payloads(exception.last_heartbeat_details, converter),
            )
        case CancelledError():
            return Failure(
                kind=FailureKind.CANCELED,
                message=_message(exception.message),
                details=_payloads(exception.details, converter),
            )
        case asyncio.CancelledError():
            return Failure(
                kind=FailureKind.CANCELED, message=_message(str(exception) or "Cancelled")
            )
        case TerminatedError():
            return Failure(
                kind=FailureKind.TERMINATED,
                message=_message(exception.message),
                details=_payloads(exception.details, converter),
            )
        case ServerError():
            return Failure(
                kind=FailureKind.SERVER,
                message=_message(exception.message),
                non_retryable=exception.non_retryable,
            )
        case ActivityError() | ChildWorkflowError():
            return _failure_of_operation(exception)
        case WorkflowAlreadyStartedError():
            return Failure(
                kind=FailureKind.APPLICATION,
                message=exception.message,
                type="WorkflowAlreadyStartedError",
                name=exception.workflow_type,
                workflow_id=exception.workflow_id,
                run_id=exception.run_id or "",
            )
        case FailureError():
            message = exception.message
        case _:
            message = _text(exception)
    return Failure(
        kind=FailureKind.APPLICATION, message=_message(message), type=type(exception).__name__
    )


def _failure_of_operation(exception: ActivityError | ChildWorkflowError) -> Failure:
    if isinstance(exception, ActivityError):
        return Failure(
            kind=FailureKind.ACTIVITY,
            message=_message(exception.message),
            name=exception.activity_type,
            activity_id=exception.activity_id,
            identity=exception.identity,
            scheduled_seq=exception.scheduled_event_id,
            started_seq=exception.started_event_id,
            retry_state=_kept_state(exception.retry_state),
        )
    return Failure(
        kind=FailureKind.CHILD_WORKFLOW,
        message=_message(exception.message),
        name=exception.workflow_type,
        namespace=exception.namespace,
        workflow_id=exception.workflow_id,
        run_id=exception.run_id,
        scheduled_seq=exception.initiated_event_id,
        started_seq=exception.started_event_id,
        retry_state=_kept_state(exception.retry_state),
    )


def _kept_state(state: RetryState | None) -> model.RetryState | None:
    """Of the enum of `streamflow.api`, too: programs give either, and their numbers are the same."""
    return model.RetryState[RetryState(int(state)).name] if state else None


def _kept(failure: Failure | OpenFailure) -> Failure:
    return failure if isinstance(failure, Failure) else stored(failure)


def _payloads(values: Sequence[Any], converter: PayloadConverter) -> Payloads:
    return tuple(converter.to_payloads(values)) if values else ()


def _text(exception: BaseException) -> str:
    try:
        return str(exception)
    except (
        Exception
    ) as error:  # the class of a user: its fault must not hide the one being reported
        return f"<{type(exception).__name__} whose text failed with {type(error).__name__}>"


def _message(text: str) -> str:
    return text if len(text) <= MESSAGE_CHARS_MAX else f"{text[:MESSAGE_CHARS_MAX]}..."


def _stack_trace(exception: BaseException) -> str:
    if exception.__traceback__ is None:
        return ""
    text = "".join(traceback.format_tb(exception.__traceback__))
    if len(text) <= STACK_TRACE_CHARS_MAX:
        return text
    half = STACK_TRACE_CHARS_MAX // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n... {left_out} characters left out ...\n{text[-half:]}"


# -- from a failure -----------------------------------------------------------------------------------------------


def _error_of(failure: Failure, converter: PayloadConverter) -> FailureError:
    """The error without its cause."""
    match failure.kind:
        case FailureKind.APPLICATION if (
            failure.type == "WorkflowAlreadyStartedError" and failure.workflow_id
        ):
            return WorkflowAlreadyStartedError(
                failure.workflow_id, failure.name, run_id=failure.run_id or None
            )
        case FailureKind.APPLICATION:
            return _application_error(failure, converter)
        case FailureKind.CANCELED:
            return CancelledError(failure.message or "Cancelled", *_values(failure, converter))
        case FailureKind.TERMINATED:
            return TerminatedError(failure.message or "Terminated", *_values(failure, converter))
        case FailureKind.TIMEOUT:
            return TimeoutError(
                failure.message or "Timed out",
                type=None
                if failure.timeout_kind is None
                else TimeoutType[failure.timeout_kind.name],
                last_heartbeat_details=_values(failure, converter),
            )
        case FailureKind.SERVER:
            return ServerError(
                failure.message or "Server error", non_retryable=failure.non_retryable
            )
        case FailureKind.ACTIVITY:
            return ActivityError(
                failure.message or "Activity error",
                scheduled_event_id=failure.scheduled_seq,
                started_event_id=failure.started_seq,
                identity=failure.identity,
                activity_type=failure.name,
                activity_id=failure.activity_id,
                retry_state=_state(failure.retry_state),
            )
        case FailureKind.CHILD_WORKFLOW:
            return ChildWorkflowError(
                failure.message or "Child workflow error",
                namespace=failure.namespace,
                workflow_id=failure.workflow_id,
                run_id=failure.run_id,
                workflow_type=failure.name,
                initiated_event_id=failure.scheduled_seq,
                started_event_id=failure.started_seq,
                retry_state=_state(failure.retry_state),
            )


def _application_error(failure: Failure, converter: PayloadConverter) -> ApplicationError:
    delay_ms = failure.next_retry_delay_ms
    return ApplicationError(
        failure.message or "Application error",
        *_values(failure, converter),
        type=failure.type or None,
        non_retryable=failure.non_retryable,
        next_retry_delay=None if delay_ms is None else timedelta(milliseconds=delay_ms),
        category=(
            ApplicationErrorCategory.BENIGN
            if failure.category == ApplicationErrorCategory.BENIGN.name.lower()
            else ApplicationErrorCategory.UNSPECIFIED
        ),
    )


def _state(state: model.RetryState | None) -> RetryState | None:
    return None if state is None else RetryState[state.name]


def _values(failure: Failure, converter: PayloadConverter) -> list[Any]:
    return converter.from_payloads(failure.details) if failure.details else []


def _with_decoded_attributes(failure: Failure, converter: PayloadConverter) -> Failure:
    """Message and stack trace taken out of their payload again, if that is readable here."""
    if not failure.encoded_attributes:
        return failure
    try:
        hidden = converter.from_payloads(failure.encoded_attributes)[0]
    except (KeyError, TypeError, ValueError):
        return failure  # encrypted for others: the failure itself is still worth more than an error about it
    if not isinstance(hidden, dict):
        return failure
    attributes = cast("dict[str, Any]", hidden)
    return msgspec.structs.replace(
        failure,
        message=str(attributes.get("message", failure.message)),
        stack_trace=str(attributes.get("stack_trace", failure.stack_trace)),
        encoded_attributes=(),
    )
