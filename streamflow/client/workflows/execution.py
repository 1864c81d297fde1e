"""What can be said of a run: `WorkflowExecution`, and with what it waits for, `WorkflowExecutionDescription`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from streamflow.api.workflow.v1 import WorkflowExecutionInfo
from streamflow.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from streamflow.client.calls.failed_attempts import FailedAttempts, failed_attempts_of
from streamflow.client.calls.values import NOT_GIVEN, NotGiven, decode_failure, decode_one, time_of
from streamflow.client.status import WorkflowExecutionStatus
from streamflow.client.workflows.messages import description_of, info_of
from streamflow.common import TypedSearchAttributes
from streamflow.converter import DataConverter, decode_search_attributes
from streamflow.converter.search_attributes import untyped
from streamflow.model.answers import (
    Description,
    ExecutionSummary,
    PendingChild,
    PendingTimer,
    Trouble,
)
from streamflow.model.answers import PendingActivity as PendingActivityFacts


@dataclass(frozen=True)
class PendingActivity:
    """An activity that has no end yet."""

    activity_id: str
    activity_type: str
    task_queue: str
    state: str
    """``undispatched``, ``scheduled``, ``started``, ``backing_off``, ``cancel_requested``, ``paused``, or ``pause_requested``
    while an attempt goes on."""
    attempt: int
    maximum_attempts: int
    """0 is without limit."""
    scheduled_time: datetime | None
    last_started_time: datetime | None
    last_heartbeat_time: datetime | None
    next_retry_time: datetime | None
    expiration_time: datetime | None
    last_failure: BaseException | None
    last_worker_identity: str
    heartbeat_details: Sequence[Any]
    is_local: bool
    hint: str
    """What an operator should know, such as that nothing serves the activity's queue."""
    is_paused: bool = False
    pause_reason: str = ""
    failed_attempts: Sequence[FailedAttempts] = ()
    """The latest ten, oldest first. Empty where more than a hundred activities are pending."""


@dataclass
class WorkflowExecution:
    """A run as the engine sees it, without running its code. Times are UTC."""

    id: str
    run_id: str
    namespace: str
    task_queue: str
    workflow_type: str
    status: WorkflowExecutionStatus
    start_time: datetime
    execution_time: datetime | None
    """When the code may first run: later than ``start_time`` by a start delay."""
    close_time: datetime | None
    history_length: int
    parent_id: str | None
    parent_run_id: str | None
    root_id: str | None
    root_run_id: str | None
    typed_search_attributes: TypedSearchAttributes
    facts: Description
    """The engine's own record of the run."""
    data_converter: DataConverter

    @property
    def raw_info(self) -> WorkflowExecutionInfo:
        """The same in the shape of a server's message, made anew at each use."""
        return info_of(self.facts)

    @property
    def search_attributes(self) -> Mapping[str, Any]:
        """Deprecated: lists of values by name; `typed_search_attributes` has their types too."""
        return untyped(self.typed_search_attributes)

    async def memo(self) -> Mapping[str, Any]:
        """Notes given at the start, decoded without type hints."""
        return {
            key: await decode_one(self.data_converter, payload, None)
            for key, payload in self.facts.memo.items()
        }

    async def memo_value(
        self, key: str, default: Any = NOT_GIVEN, *, type_hint: type | None = None
    ) -> Any:
        """One note. Raises KeyError when it is missing and no default is given."""
        payload = self.facts.memo.get(key)
        if payload is not None:
            return await decode_one(self.data_converter, payload, type_hint)
        if isinstance(default, NotGiven):
            raise KeyError(f"Expected a memo value {key!r}, found {sorted(self.facts.memo)}")
        return default


@dataclass
class WorkflowExecutionDescription(WorkflowExecution):
    """A run with what it waits for."""

    pending_activities: Sequence[PendingActivity]
    pending_timers: Sequence[PendingTimer]
    pending_children: Sequence[PendingChild]
    """Child workflows that have not ended."""
    trouble: Trouble | None
    """Why the run does not move, if its code failed."""
    cancel_requested: bool

    @property
    def raw_description(self) -> DescribeWorkflowExecutionResponse:
        """The same in the shape of a server's message, made anew at each use."""
        return description_of(self.facts, self.data_converter)

    async def static_summary(self) -> str | None:
        return self.facts.static_summary or None

    async def static_details(self) -> str | None:
        return self.facts.static_details or None


async def describe(facts: Description, converter: DataConverter) -> WorkflowExecutionDescription:
    """The user's view of the engine's facts."""
    return WorkflowExecutionDescription(
        **_fields(facts, converter),
        pending_activities=[
            await _pending(activity, converter) for activity in facts.pending_activities
        ],
        pending_timers=facts.pending_timers,
        pending_children=facts.pending_children,
        trouble=facts.trouble,
        cancel_requested=facts.cancel_requested,
    )


def listed(summary: ExecutionSummary, converter: DataConverter) -> WorkflowExecution:
    """The user's view of a row of the feed."""
    facts = Description(
        workflow_id=summary.workflow_id,
        run_id=summary.run_id,
        first_run_id=summary.first_run_id,
        namespace=summary.namespace,
        queue=summary.queue,
        workflow_type=summary.workflow_type,
        status=summary.status,
        started_ms=summary.started_ms,
        execution_ms=summary.execution_ms,
        closed_ms=summary.closed_ms,
        history_length=summary.history_length,
        history_bytes=summary.history_bytes,
        parent_workflow_id=summary.parent_workflow_id,
        parent_run_id=summary.parent_run_id,
        root_workflow_id=summary.root_workflow_id,
        root_run_id=summary.root_run_id,
        memo=summary.memo,
        search_attributes=summary.search_attributes,
        static_summary=summary.static_summary,
        static_details=summary.static_details,
    )
    return WorkflowExecution(**_fields(facts, converter))


def _fields(facts: Description, converter: DataConverter) -> dict[str, Any]:
    started = time_of(facts.started_ms)
    assert started is not None, facts
    return {
        "id": facts.workflow_id,
        "run_id": facts.run_id,
        "namespace": facts.namespace,
        "task_queue": facts.queue,
        "workflow_type": facts.workflow_type,
        "status": WorkflowExecutionStatus[facts.status.name],
        "start_time": started,
        "execution_time": time_of(facts.execution_ms) or started,
        "close_time": time_of(facts.closed_ms),
        "history_length": facts.history_length,
        "parent_id": facts.parent_workflow_id or None,
        "parent_run_id": facts.parent_run_id or None,
        "root_id": facts.root_workflow_id or None,
        "root_run_id": facts.root_run_id or None,
        "typed_search_attributes": decode_search_attributes(facts.search_attributes),
        "facts": facts,
        "data_converter": converter,
    }


async def _pending(facts: PendingActivityFacts, converter: DataConverter) -> PendingActivity:
    failure = facts.last_failure
    return PendingActivity(
        activity_id=facts.activity_id,
        activity_type=facts.activity_type,
        task_queue=facts.queue,
        state=facts.state,
        attempt=facts.attempt,
        maximum_attempts=facts.maximum_attempts,
        scheduled_time=time_of(facts.scheduled_ms),
        last_started_time=time_of(facts.last_started_ms),
        last_heartbeat_time=time_of(facts.last_heartbeat_ms),
        next_retry_time=time_of(facts.next_retry_ms),
        expiration_time=time_of(facts.expires_ms),
        last_failure=None if failure is None else await decode_failure(converter, failure),
        last_worker_identity=facts.last_identity,
        heartbeat_details=[
            await decode_one(converter, payload, None) for payload in facts.heartbeat_details
        ],
        is_local=facts.local,
        hint=facts.hint,
        is_paused=facts.paused,
        pause_reason=facts.pause_reason,
        failed_attempts=[
            await failed_attempts_of(failed, converter) for failed in facts.failed_attempts
        ],
    )
