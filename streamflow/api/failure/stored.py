"""Between the failure that user code may touch and the one that is stored."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from streamflow.api.enums.v1 import RetryState as RetryStateNumber
from streamflow.api.enums.v1 import TimeoutType as TimeoutNumber
from streamflow.api.failure.v1 import Failure as Open
from streamflow.model.failure import Failure as Stored
from streamflow.model.failure import FailureKind, RetryState, TimeoutKind

_BENIGN = 1


def opened(stored: Stored) -> Open:
    """The failure as user code sees it; a changed one is `stored` again."""
    made = Open(message=stored.message, stack_trace=stored.stack_trace)
    if stored.encoded_attributes:
        made.encoded_attributes.CopyFrom(stored.encoded_attributes[0])
    if stored.cause is not None:
        made.cause.CopyFrom(opened(stored.cause))
    _open_kind(stored, made)
    return made


def _open_kind(stored: Stored, made: Open) -> None:
    match stored.kind:
        case FailureKind.APPLICATION:
            application = made.application_failure_info
            application.SetInParent()
            application.type = stored.type
            application.non_retryable = stored.non_retryable
            application.details.payloads.extend(stored.details)
            if stored.next_retry_delay_ms is not None:
                delay = timedelta(milliseconds=stored.next_retry_delay_ms)
                application.next_retry_delay.FromTimedelta(delay)
            application.category = _BENIGN if stored.category else 0
        case FailureKind.CANCELED:
            made.canceled_failure_info.SetInParent()
            made.canceled_failure_info.details.payloads.extend(stored.details)
        case FailureKind.TERMINATED:
            made.terminated_failure_info.SetInParent()
        case FailureKind.TIMEOUT:
            timeout = made.timeout_failure_info
            timeout.SetInParent()
            timeout.timeout_type = _timeout_number(stored.timeout_kind)
            timeout.last_heartbeat_details.payloads.extend(stored.details)
        case FailureKind.SERVER:
            made.server_failure_info.SetInParent()
            made.server_failure_info.non_retryable = stored.non_retryable
        case FailureKind.ACTIVITY:
            activity = made.activity_failure_info
            activity.SetInParent()
            activity.scheduled_event_id = stored.scheduled_seq
            activity.started_event_id = stored.started_seq
            activity.identity = stored.identity
            activity.activity_type.name = stored.name
            activity.activity_id = stored.activity_id
            activity.retry_state = _retry_number(stored.retry_state)
        case FailureKind.CHILD_WORKFLOW:
            child = made.child_workflow_execution_failure_info
            child.SetInParent()
            child.namespace = stored.namespace
            child.workflow_execution.workflow_id = stored.workflow_id
            child.workflow_execution.run_id = stored.run_id
            child.workflow_type.name = stored.name
            child.initiated_event_id = stored.scheduled_seq
            child.started_event_id = stored.started_seq
            child.retry_state = _retry_number(stored.retry_state)


def stored(open_: Open) -> Stored:
    """The failure as it is kept; one of no kind is an application's without a type."""
    return msgspec.structs.replace(
        _stored_kind(open_),
        message=open_.message,
        stack_trace=open_.stack_trace,
        encoded_attributes=(
            (open_.encoded_attributes,) if open_.HasField("encoded_attributes") else ()
        ),
        cause=stored(open_.cause) if open_.HasField("cause") else None,
    )


def _stored_kind(open_: Open) -> Stored:
    match open_.WhichOneof("failure_info"):
        case "canceled_failure_info":
            details = tuple(open_.canceled_failure_info.details.payloads)
            return Stored(kind=FailureKind.CANCELED, details=details)
        case "terminated_failure_info":
            return Stored(kind=FailureKind.TERMINATED)
        case "timeout_failure_info":
            timeout = open_.timeout_failure_info
            return Stored(
                kind=FailureKind.TIMEOUT,
                timeout_kind=_timeout_kind(timeout.timeout_type),
                details=tuple(timeout.last_heartbeat_details.payloads),
            )
        case "server_failure_info":
            non_retryable = open_.server_failure_info.non_retryable
            return Stored(kind=FailureKind.SERVER, non_retryable=non_retryable)
        case "activity_failure_info":
            activity = open_.activity_failure_info
            return Stored(
                kind=FailureKind.ACTIVITY,
                name=activity.activity_type.name,
                activity_id=activity.activity_id,
                identity=activity.identity,
                scheduled_seq=activity.scheduled_event_id,
                started_seq=activity.started_event_id,
                retry_state=_retry_state(activity.retry_state),
            )
        case "child_workflow_execution_failure_info":
            child = open_.child_workflow_execution_failure_info
            return Stored(
                kind=FailureKind.CHILD_WORKFLOW,
                namespace=child.namespace,
                workflow_id=child.workflow_execution.workflow_id,
                run_id=child.workflow_execution.run_id,
                name=child.workflow_type.name,
                scheduled_seq=child.initiated_event_id,
                started_seq=child.started_event_id,
                retry_state=_retry_state(child.retry_state),
            )
        case _:
            return _application(open_)


def _application(open_: Open) -> Stored:
    info = open_.application_failure_info
    delayed = info.HasField("next_retry_delay")
    return Stored(
        kind=FailureKind.APPLICATION,
        type=info.type,
        non_retryable=info.non_retryable,
        details=tuple(info.details.payloads),
        next_retry_delay_ms=info.next_retry_delay.ToMilliseconds() if delayed else None,
        category="benign" if info.category == _BENIGN else "",
    )


def _timeout_number(kind: TimeoutKind | None) -> int:
    return 0 if kind is None else TimeoutNumber.Value(f"TIMEOUT_TYPE_{kind.name}")


def _timeout_kind(number: int) -> TimeoutKind | None:
    return TimeoutKind[TimeoutNumber.Name(number).removeprefix("TIMEOUT_TYPE_")] if number else None


def _retry_number(state: RetryState | None) -> int:
    return 0 if state is None else RetryStateNumber.Value(f"RETRY_STATE_{state.name}")


def _retry_state(number: int) -> RetryState | None:
    return (
        RetryState[RetryStateNumber.Name(number).removeprefix("RETRY_STATE_")] if number else None
    )
