"""Activities that clients started, as they are seen from outside: `ActivityHandle.describe` and lists. Times are UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from streamflow.client.calls.failed_attempts import FailedAttempts, failed_attempts_of
from streamflow.client.calls.values import decode_failure, decode_one, time_of
from streamflow.common import Priority, RetryPolicy, TypedSearchAttributes
from streamflow.converter import DataConverter, decode_search_attributes
from streamflow.model import standalone
from streamflow.model.activity_options import ActivityOptions
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


class ActivityExecutionStatus(IntEnum):
    """Where an activity stands."""

    UNSPECIFIED = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    TIMED_OUT = 6
    PAUSED = 7


class PendingActivityState(IntEnum):
    """What happens to an activity that has no end yet."""

    UNSPECIFIED = 0
    SCHEDULED = 1
    """It waits: for a worker, or for its next attempt."""
    STARTED = 2
    CANCEL_REQUESTED = 3
    PAUSED = 4
    PAUSE_REQUESTED = 5


@dataclass(frozen=True, kw_only=True, eq=False)
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
    raw_info: Description | ExecutionSummary = field(repr=False)
    """Our own record with the same facts."""
    state_transition_count: int | None
    """How often its state has changed; ``None`` in lists while it runs."""

    @property
    def scheduled_time(self) -> datetime:
        """The same as ``schedule_time``."""
        return self.schedule_time


@dataclass(frozen=True, kw_only=True, eq=False)
class ActivityExecutionDescription(ActivityExecution):
    """Everything that can be said of it."""

    attempt: int
    canceled_reason: str | None
    current_retry_interval: timedelta | None
    """From the end of the last attempt to the next one, while it waits for that."""
    failed_attempts: Sequence[FailedAttempts]
    """What its latest attempts failed with, while it is open; those that failed alike in a row are one."""
    eager_execution_requested: bool
    """Never: tasks always go through the log."""
    expiration_time: datetime | None
    heartbeat_timeout: timedelta | None
    last_attempt_complete_time: datetime | None
    """When the last attempt ended that was followed, or will be, by another."""
    last_heartbeat_time: datetime | None
    last_started_time: datetime | None
    last_worker_identity: str
    """Who took its last task; empty before."""
    long_poll_token: bytes | None
    """Lets `ActivityHandle.describe` wait for the next change."""
    next_attempt_schedule_time: datetime | None
    paused: bool
    priority: Priority
    raw_heartbeat_details: Sequence[Payload] = field(repr=False)
    retry_policy: RetryPolicy | None
    run_state: PendingActivityState | None
    """``None`` once it has ended."""
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    start_delay: timedelta | None
    static_summary: str | None
    data_converter: DataConverter = field(repr=False)
    _input: Payloads = field(repr=False)
    _result: Payload | None = field(repr=False)
    _outcome_failure: Failure | None = field(repr=False)
    _last_failure: BaseException | None = field(repr=False)

    def has_heartbeat_details(self) -> bool:
        return bool(self.raw_heartbeat_details)

    async def heartbeat_details(self, type_hints: Sequence[type] | None = None) -> Sequence[Any]:
        """What the last heartbeat said."""
        return await self.data_converter.decode(
            tuple(self.raw_heartbeat_details), None if type_hints is None else [*type_hints]
        )

    def has_last_failure(self) -> bool:
        return self._last_failure is not None

    async def last_failure(self) -> BaseException | None:
        """Why the last attempt that failed did."""
        return self._last_failure

    def has_input(self) -> bool:
        return bool(self._input)

    async def input(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """The arguments."""
        return await self.data_converter.decode(self._input, type_hints) if self._input else None

    def has_result(self) -> bool:
        return self._result is not None

    async def result(self, type_hint: type | None = None) -> Any:
        """What it returned; ``None`` before."""
        return await decode_one(self.data_converter, self._result, type_hint)

    def has_outcome_failure(self) -> bool:
        return self._outcome_failure is not None

    async def outcome_failure(self) -> BaseException | None:
        """What it ended with instead of a result."""
        failure = self._outcome_failure
        return None if failure is None else await decode_failure(self.data_converter, failure)


async def described(
    facts: Description, events: Sequence[Recorded], converter: DataConverter
) -> ActivityExecutionDescription:
    """Out of the run's description and its few events."""
    spec, reason, attempt, identity = _spec(events), None, 1, ""
    result: Payload | None = None
    failure: Failure | None = None
    for recorded in events:
        match recorded.event:
            case CancelRequested(reason=said):
                reason = said
            case ActivityCompleted(attempt=attempt, identity=identity, result=result):
                pass
            case ActivityFailed(attempt=attempt, identity=identity, failure=failure):
                pass
            case ActivityCanceled(attempt=attempt, identity=identity, failure=failure):
                pass
            case _:
                pass
    pending = facts.pending_activities[0] if facts.pending_activities else None
    closed_ms = facts.closed_ms
    options = pending.options if pending and pending.options else _as_started(spec)
    timeouts = options.timeouts
    first_ms = facts.execution_ms + options.start_delay_ms
    last_failure = pending.last_failure if pending else failure
    waits_ms = pending.next_retry_ms if pending else 0
    policy = RetryPolicy._from_model(options.retry_policy)
    interval = (
        _interval(policy, pending.attempt) if pending and waits_ms and pending.attempt > 1 else None
    )
    changes = _changes(facts, pending, attempt)
    return ActivityExecutionDescription(
        activity_id=spec.activity_id,
        activity_run_id=facts.run_id,
        activity_type=spec.activity_type,
        close_time=time_of(closed_ms),
        execution_duration=_duration(closed_ms - facts.started_ms) if closed_ms else None,
        execution_time=time_of(first_ms),
        namespace=facts.namespace,
        schedule_time=_moment(facts.started_ms),
        status=_status(facts.status, pending),
        task_queue=options.queue,
        typed_search_attributes=_users(decode_search_attributes(facts.search_attributes)),
        attempt=pending.attempt if pending else attempt,
        canceled_reason=reason,
        expiration_time=time_of(pending.expires_ms) if pending else None,
        heartbeat_timeout=_duration(timeouts.heartbeat_ms),
        last_heartbeat_time=time_of(pending.last_heartbeat_ms) if pending else None,
        last_started_time=time_of(pending.last_started_ms) if pending else None,
        last_worker_identity=pending.last_identity if pending else identity,
        next_attempt_schedule_time=time_of(pending.next_retry_ms)
        if pending and pending.attempt > 1
        else None,
        priority=Priority._from_model(options),
        retry_policy=policy,
        run_state=_state(facts, pending),
        schedule_to_close_timeout=_duration(timeouts.schedule_to_close_ms),
        schedule_to_start_timeout=_duration(timeouts.schedule_to_start_ms),
        start_to_close_timeout=_duration(timeouts.start_to_close_ms),
        start_delay=_duration(max(0, first_ms - facts.started_ms) or None),
        static_summary=spec.summary or None,
        raw_info=facts,
        state_transition_count=changes,
        current_retry_interval=interval,
        failed_attempts=[
            await failed_attempts_of(failed, converter)
            for failed in (pending.failed_attempts if pending else ())
        ],
        eager_execution_requested=False,
        last_attempt_complete_time=(
            _moment(waits_ms) - interval if interval is not None else time_of(closed_ms)
        ),
        _last_failure=(
            None if last_failure is None else await decode_failure(converter, last_failure)
        ),
        long_poll_token=f"{facts.run_id}:{changes}".encode(),
        paused=bool(pending and pending.paused),
        raw_heartbeat_details=pending.heartbeat_details if pending else (),
        data_converter=converter,
        _input=spec.args,
        _result=result,
        _outcome_failure=failure,
    )


def _as_started(spec: StandaloneSpec) -> ActivityOptions:
    return ActivityOptions(
        queue=spec.queue,
        timeouts=spec.timeouts,
        retry_policy=spec.retry_policy,
        priority=spec.priority,
        fairness_key=spec.fairness_key,
        fairness_weight=spec.fairness_weight,
        start_delay_ms=spec.start_delay_ms,
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
        status=ActivityExecutionStatus[summary.status.name],
        task_queue=str(said.get(standalone.TASK_QUEUE, "")),
        typed_search_attributes=_users(attributes),
        raw_info=summary,
        state_transition_count=None,
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
    return ActivityExecutionStatus[status.name]


def _state(facts: Description, pending: PendingActivity | None) -> PendingActivityState | None:
    if facts.status is not Status.RUNNING:
        return None
    name = pending.state.upper() if pending else ""
    # Else it is backing off, or not sent yet.
    found = PendingActivityState.__members__.get(name, PendingActivityState.SCHEDULED)
    return PendingActivityState(found)


def _changes(facts: Description, pending: PendingActivity | None, attempt: int) -> int:
    """Scheduled and started for each attempt, a request to stop, and an end."""
    if pending is None:
        return 2 * attempt + 1 if facts.closed_ms else 1
    started = pending.state in ("started", "cancel_requested", "pause_requested")
    made = 2 * pending.attempt - (0 if started else 1)
    return made + pending.paused + facts.cancel_requested


def _interval(policy: RetryPolicy, attempt: int) -> timedelta:
    """How long the policy waits before the attempt of this number."""
    made = policy.initial_interval * policy.backoff_coefficient ** max(0, attempt - 2)
    return min(made, policy.maximum_interval or policy.initial_interval * 100)


def _moment(milliseconds: int) -> datetime:
    found = time_of(milliseconds)
    assert found is not None
    return found


def _duration(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)
