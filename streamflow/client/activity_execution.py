"""Activities that clients started, as they are seen from outside: `ActivityHandle.describe` and lists. Times are UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from streamflow.client.execution import time_of
from streamflow.client.values import decode_failure, decode_one
from streamflow.common import Priority, RetryPolicy, TypedSearchAttributes
from streamflow.converter import DataConverter, decode_search_attributes
from streamflow.model import standalone
from streamflow.model.answers import Description, ExecutionSummary, PendingActivity
from streamflow.model.events import (
    ActivityCanceled,
    ActivityCompleted,
    ActivityFailed,
    CancelRequested,
    Recorded,
    WorkflowStarted,
)
from streamflow.model.failure import Failure
from streamflow.model.options import Status
from streamflow.model.payload import Payload, Payloads
from streamflow.model.standalone import StandaloneSpec


class ActivityExecutionStatus(Enum):
    """Where an activity stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"
    PAUSED = "paused"


class PendingActivityState(Enum):
    """What happens to an activity that has no end yet."""

    SCHEDULED = "scheduled"
    """It waits: for a worker, or for its next attempt."""
    STARTED = "started"
    CANCEL_REQUESTED = "cancel_requested"
    PAUSED = "paused"
    PAUSE_REQUESTED = "pause_requested"


@dataclass(frozen=True)
class ActivityExecution:
    """An activity that a client started."""

    activity_id: str
    activity_run_id: str | None
    activity_type: str
    close_time: datetime | None
    execution_duration: timedelta | None
    """From its start to its end; ``None`` until then."""
    execution_time: datetime | None
    """When it was first let run: later than ``schedule_time`` by a start delay."""
    namespace: str
    schedule_time: datetime
    status: ActivityExecutionStatus
    task_queue: str
    typed_search_attributes: TypedSearchAttributes


@dataclass(frozen=True)
class ActivityExecutionDescription(ActivityExecution):
    """Everything that can be said of it."""

    attempt: int
    canceled_reason: str | None
    expiration_time: datetime | None
    heartbeat_timeout: timedelta | None
    last_heartbeat_time: datetime | None
    last_started_time: datetime | None
    last_worker_identity: str | None
    next_attempt_schedule_time: datetime | None
    priority: Priority
    retry_policy: RetryPolicy | None
    run_state: PendingActivityState | None
    """``None`` once it has ended."""
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    start_delay: timedelta | None
    static_summary: str | None
    raw_info: Description = field(repr=False)
    data_converter: DataConverter = field(repr=False)
    _input: Payloads = field(repr=False)
    _result: Payload | None = field(repr=False)
    _outcome_failure: Failure | None = field(repr=False)
    _last_failure: Failure | None = field(repr=False)
    _heartbeat_details: Payloads = field(repr=False)

    @property
    def has_heartbeat_details(self) -> bool:
        return bool(self._heartbeat_details)

    async def heartbeat_details(self, type_hints: Sequence[type] | None = None) -> Sequence[Any]:
        """What the last heartbeat said."""
        return await self.data_converter.decode(
            self._heartbeat_details, None if type_hints is None else [*type_hints]
        )

    @property
    def has_last_failure(self) -> bool:
        return self._last_failure is not None

    async def last_failure(self) -> BaseException | None:
        """Why the last attempt that failed did."""
        failure = self._last_failure
        return None if failure is None else await decode_failure(self.data_converter, failure)

    @property
    def has_input(self) -> bool:
        return bool(self._input)

    async def input(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """The arguments."""
        return await self.data_converter.decode(self._input, type_hints) if self._input else None

    @property
    def has_result(self) -> bool:
        return self._result is not None

    async def result(self, type_hint: type | None = None) -> Any:
        """What it returned; ``None`` before."""
        return await decode_one(self.data_converter, self._result, type_hint)

    @property
    def has_outcome_failure(self) -> bool:
        return self._outcome_failure is not None

    async def outcome_failure(self) -> BaseException | None:
        """What it ended with instead of a result."""
        failure = self._outcome_failure
        return None if failure is None else await decode_failure(self.data_converter, failure)


def described(
    facts: Description, events: Sequence[Recorded], converter: DataConverter
) -> ActivityExecutionDescription:
    """Out of the run's description and its few events."""
    spec, reason, attempt = _spec(events), None, 1
    result: Payload | None = None
    failure: Failure | None = None
    for recorded in events:
        match recorded.event:
            case CancelRequested(reason=said):
                reason = said
            case ActivityCompleted(attempt=attempt, result=result):
                pass
            case ActivityFailed(attempt=attempt, failure=failure):
                pass
            case ActivityCanceled(attempt=attempt, failure=failure):
                pass
            case _:
                pass
    pending = facts.pending_activities[0] if facts.pending_activities else None
    closed_ms = facts.closed_ms
    timeouts = spec.timeouts
    return ActivityExecutionDescription(
        activity_id=spec.activity_id,
        activity_run_id=facts.run_id,
        activity_type=spec.activity_type,
        close_time=time_of(closed_ms),
        execution_duration=_duration(closed_ms - facts.started_ms) if closed_ms else None,
        execution_time=time_of(facts.execution_ms),
        namespace=facts.namespace,
        schedule_time=_moment(facts.started_ms),
        status=_status(facts.status, pending),
        task_queue=spec.queue,
        typed_search_attributes=_users(decode_search_attributes(facts.search_attributes)),
        attempt=pending.attempt if pending else attempt,
        canceled_reason=reason,
        expiration_time=time_of(pending.expires_ms) if pending else None,
        heartbeat_timeout=_duration(timeouts.heartbeat_ms),
        last_heartbeat_time=time_of(pending.last_heartbeat_ms) if pending else None,
        last_started_time=time_of(pending.last_started_ms) if pending else None,
        last_worker_identity=(pending.last_identity or None) if pending else None,
        next_attempt_schedule_time=time_of(pending.next_retry_ms) if pending else None,
        priority=Priority._from_model(spec.priority),
        retry_policy=RetryPolicy._from_model(spec.retry_policy),
        run_state=_state(facts, pending),
        schedule_to_close_timeout=_duration(timeouts.schedule_to_close_ms),
        schedule_to_start_timeout=_duration(timeouts.schedule_to_start_ms),
        start_to_close_timeout=_duration(timeouts.start_to_close_ms),
        start_delay=_duration(max(0, facts.execution_ms - facts.started_ms) or None),
        static_summary=spec.summary or None,
        raw_info=facts,
        data_converter=converter,
        _input=spec.args,
        _result=result,
        _outcome_failure=failure,
        _last_failure=pending.last_failure if pending else failure,
        _heartbeat_details=pending.heartbeat_details if pending else (),
    )


def listed_activity(summary: ExecutionSummary) -> ActivityExecution:
    """The user's view of a row of the feed."""
    attributes = decode_search_attributes(summary.search_attributes)
    said = {pair.key.name: pair.value for pair in attributes}
    closed_ms = summary.closed_ms
    return ActivityExecution(
        activity_id=standalone.activity_id_of(summary.workflow_id),
        activity_run_id=summary.run_id,
        activity_type=str(said.get(standalone.ACTIVITY_TYPE, "")),
        close_time=time_of(closed_ms),
        execution_duration=_duration(closed_ms - summary.started_ms) if closed_ms else None,
        execution_time=time_of(summary.execution_ms),
        namespace=summary.namespace,
        schedule_time=_moment(summary.started_ms),
        status=ActivityExecutionStatus(summary.status.value),
        task_queue=str(said.get(standalone.TASK_QUEUE, "")),
        typed_search_attributes=_users(attributes),
    )


def _users(attributes: TypedSearchAttributes) -> TypedSearchAttributes:
    """Without those by which lists find the activity."""
    ours = (standalone.ACTIVITY_ID, standalone.ACTIVITY_TYPE, standalone.TASK_QUEUE)
    return TypedSearchAttributes([pair for pair in attributes if pair.key.name not in ours])


def _spec(events: Sequence[Recorded]) -> StandaloneSpec:
    first = events[0].event
    assert isinstance(first, WorkflowStarted), first
    return standalone.decode_spec(first.args[0])


def _status(status: Status, pending: PendingActivity | None) -> ActivityExecutionStatus:
    if pending is not None and pending.paused:
        return ActivityExecutionStatus.PAUSED
    return ActivityExecutionStatus(status.value)


def _state(facts: Description, pending: PendingActivity | None) -> PendingActivityState | None:
    if facts.status is not Status.RUNNING:
        return None
    try:
        return PendingActivityState(pending.state if pending else "scheduled")
    except ValueError:  # backing off, or not sent yet
        return PendingActivityState.SCHEDULED


def _moment(milliseconds: int) -> datetime:
    found = time_of(milliseconds)
    assert found is not None
    return found


def _duration(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)
