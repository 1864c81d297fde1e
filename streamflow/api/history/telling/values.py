"""Parts of our events as parts of messages. Each takes the part to fill in; what we have not stays away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from streamflow.api.common.v1 import Payloads, RetryPolicy
from streamflow.api.enums.v1 import RetryState as RetryStateNumber
from streamflow.api.enums.v1 import TaskQueueKind
from streamflow.api.failure.stored import opened
from streamflow.api.failure.v1 import Failure
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.times import Duration
from streamflow.model.failure import Failure as StoredFailure
from streamflow.model.failure import RetryState
from streamflow.model.options import RetryPolicy as StoredRetryPolicy
from streamflow.model.payload import Payload

_LARGEST_INTERVAL = 100
"""Times the initial interval: the bound of intervals that none was given for."""


def fill_payloads(message: Payloads, payloads: Iterable[Payload]) -> None:
    message.payloads.extend(payloads)


def fill_result(message: Payloads, result: Payload | None) -> None:
    if result is not None:
        message.payloads.append(result)


def fill_table(
    fields: dict[str, Payload], found: Mapping[str, Payload], removed: Iterable[str] = ()
) -> None:
    """What was removed is an empty value, as ported code knows it."""
    fields.update(found)
    fields.update({name: null() for name in removed})


def fill_duration(message: Duration, span_ms: int | None) -> None:
    if span_ms is not None:
        message.FromMilliseconds(span_ms)


def fill_queue(message: TaskQueue, name: str) -> None:
    message.name = name
    message.kind = TaskQueueKind.TASK_QUEUE_KIND_NORMAL


def fill_retries(message: RetryPolicy, policy: StoredRetryPolicy | None) -> None:
    if policy is None:
        return
    largest_ms = policy.maximum_interval_ms
    if largest_ms is None:
        largest_ms = _LARGEST_INTERVAL * policy.initial_interval_ms
    message.initial_interval.FromMilliseconds(policy.initial_interval_ms)
    message.backoff_coefficient = policy.backoff_coefficient
    message.maximum_interval.FromMilliseconds(largest_ms)
    message.maximum_attempts = policy.maximum_attempts
    message.non_retryable_error_types.extend(policy.non_retryable_error_types)


def fill_failure(message: Failure, failure: StoredFailure | None) -> None:
    if failure is not None:
        message.CopyFrom(opened(failure))


def retry_state(state: RetryState | None) -> RetryStateNumber:
    return RetryStateNumber(0) if state is None else RetryStateNumber[f"RETRY_STATE_{state.name}"]


def null() -> Payload:
    return Payload(metadata={"encoding": b"binary/null"})


def json_payload(value: Any) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())
