"""Values inside a history that Temporal wrote as JSON: payloads, failures, durations and times, as the model has them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

from streamflow.model.failure import Failure, FailureKind, RetryState, TimeoutKind
from streamflow.model.options import RetryPolicy
from streamflow.model.payload import Payload, Payloads

Table = Mapping[str, Any]
EnumT = TypeVar("EnumT", RetryState, TimeoutKind)


def table(value: Any, name: str) -> Table:
    """A member that is an object; empty if it is not there."""
    found = cast("Table", value).get(name) if isinstance(value, Mapping) else None
    return cast("Table", found) if isinstance(found, Mapping) else {}


def payload(value: Table) -> Payload:
    metadata = {name: _bytes(data) for name, data in table(value, "metadata").items()}
    return Payload(metadata=metadata, data=_bytes(value.get("data", "")))


def payloads(value: Table, name: str) -> Payloads:
    """Of a member like ``{"payloads": [...]}``."""
    return tuple(payload(one) for one in table(value, name).get("payloads") or ())


def first_payload(value: Table, name: str) -> Payload | None:
    return next(iter(payloads(value, name)), None)


def payload_map(value: Table, name: str, inner: str) -> dict[str, Payload]:
    """Of a member like ``{"fields": {...}}``."""
    return {key: payload(one) for key, one in table(table(value, name), inner).items()}


def milliseconds(value: Any) -> int | None:
    """A duration like ``"1.5s"``; ``None`` if there is none, or it is zero."""
    if not value:
        return None
    return round(float(str(value).removesuffix("s")) * 1_000) or None


def time_ms(value: Any) -> int:
    text = str(value).replace("Z", "+00:00")
    # Nanoseconds are more than the standard library reads.
    head, dot, tail = text.partition(".")
    if dot:
        digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        text = f"{head}.{digits[:6]}{tail[len(digits) :]}"
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def retry_policy(value: Table, name: str = "retryPolicy") -> RetryPolicy | None:
    found = table(value, name)
    if not found:
        return None
    return RetryPolicy(
        initial_interval_ms=milliseconds(found.get("initialInterval")) or 1_000,
        backoff_coefficient=float(found.get("backoffCoefficient") or 2.0),
        maximum_interval_ms=milliseconds(found.get("maximumInterval")),
        maximum_attempts=int(found.get("maximumAttempts") or 0),
        non_retryable_error_types=tuple(found.get("nonRetryableErrorTypes") or ()),
    )


def retry_state(value: Table) -> RetryState:
    return _enum(RetryState, value.get("retryState"), RetryState.RETRY_POLICY_NOT_SET)


def failure(value: Table) -> Failure:
    """Raises `KeyError` for a kind of failure that has no counterpart."""
    cause = table(value, "cause")
    common: dict[str, Any] = {
        "message": value.get("message") or "",
        "stack_trace": value.get("stackTrace") or "",
        "cause": failure(cause) if cause else None,
        "encoded_attributes": (payload(value["encodedAttributes"]),)
        if value.get("encodedAttributes")
        else (),
    }
    for name, make in _FAILURES.items():
        if name in value:
            return make(table(value, name), common)
    return Failure(kind=FailureKind.SERVER, **common)


def _application(info: Table, common: dict[str, Any]) -> Failure:
    return Failure(
        kind=FailureKind.APPLICATION,
        type=info.get("type") or "",
        non_retryable=bool(info.get("nonRetryable")),
        details=payloads(info, "details"),
        next_retry_delay_ms=milliseconds(info.get("nextRetryDelay")),
        **common,
    )


def _timeout(info: Table, common: dict[str, Any]) -> Failure:
    kind = _enum(TimeoutKind, info.get("timeoutType"), TimeoutKind.START_TO_CLOSE)
    details = payloads(info, "lastHeartbeatDetails")
    return Failure(kind=FailureKind.TIMEOUT, timeout_kind=kind, details=details, **common)


def _activity(info: Table, common: dict[str, Any]) -> Failure:
    return Failure(
        kind=FailureKind.ACTIVITY,
        name=table(info, "activityType").get("name") or "",
        activity_id=info.get("activityId") or "",
        identity=info.get("identity") or "",
        retry_state=retry_state(info),
        **common,
    )


def _child(info: Table, common: dict[str, Any]) -> Failure:
    execution = table(info, "workflowExecution")
    return Failure(
        kind=FailureKind.CHILD_WORKFLOW,
        name=table(info, "workflowType").get("name") or "",
        namespace=info.get("namespace") or "",
        workflow_id=execution.get("workflowId") or "",
        run_id=execution.get("runId") or "",
        retry_state=retry_state(info),
        **common,
    )


def _canceled(info: Table, common: dict[str, Any]) -> Failure:
    return Failure(kind=FailureKind.CANCELED, details=payloads(info, "details"), **common)


def _terminated(_: Table, common: dict[str, Any]) -> Failure:
    return Failure(kind=FailureKind.TERMINATED, **common)


def _server(info: Table, common: dict[str, Any]) -> Failure:
    non_retryable = bool(info.get("nonRetryable"))
    return Failure(kind=FailureKind.SERVER, non_retryable=non_retryable, **common)


_FAILURES: Mapping[str, Callable[[Table, dict[str, Any]], Failure]] = {
    "applicationFailureInfo": _application,
    "timeoutFailureInfo": _timeout,
    "canceledFailureInfo": _canceled,
    "terminatedFailureInfo": _terminated,
    "serverFailureInfo": _server,
    "activityFailureInfo": _activity,
    "childWorkflowExecutionFailureInfo": _child,
}


def _enum(cls: type[EnumT], value: Any, default: EnumT) -> EnumT:
    """Of ``RETRY_STATE_TIMEOUT``, or ``Timeout`` as older files have it."""
    text = "".join(part for part in str(value or "").split("_")).lower()
    for member in cls:
        if text.endswith(member.value.replace("_", "")):
            return member
    return default


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
