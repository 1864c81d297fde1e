"""Calls about workflows: start, messages, ends, descriptions, histories and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from streamflow.client.history.workflow_history import WorkflowHistoryEventFilterType
from streamflow.common import (
    Priority,
    QueryRejectCondition,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from streamflow.model.payload import Payload


@dataclass
class StartWorkflowInput:
    """`Client.start_workflow`."""

    workflow: str
    args: Sequence[Any]
    id: str
    task_queue: str
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    id_conflict_policy: WorkflowIDConflictPolicy
    retry_policy: RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    start_delay: timedelta | None
    headers: Mapping[str, Payload]
    start_signal: str | None
    start_signal_args: Sequence[Any]
    static_summary: str | None
    static_details: str | None
    ret_type: type | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    request_eager_start: bool
    priority: Priority
    callbacks: Sequence[Any] = ()
    links: Sequence[Any] = ()
    request_id: str | None = None
    versioning_override: Any = None


@dataclass
class CancelWorkflowInput:
    """`WorkflowHandle.cancel`."""

    id: str
    run_id: str | None
    first_execution_run_id: str | None
    reason: str
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    task_queue: str | None = None
    """The queue that the workflow is on, where the caller said it; else it is found."""


@dataclass
class TerminateWorkflowInput:
    """`WorkflowHandle.terminate`."""

    id: str
    run_id: str | None
    first_execution_run_id: str | None
    args: Sequence[Any]
    reason: str | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    task_queue: str | None = None
    """The queue that the workflow is on, where the caller said it; else it is found."""


@dataclass
class DescribeWorkflowInput:
    """`WorkflowHandle.describe`."""

    id: str
    run_id: str | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    task_queue: str | None = None
    """The queue that the workflow is on, where the caller said it; else it is found."""


@dataclass
class FetchWorkflowHistoryEventsInput:
    """`WorkflowHandle.fetch_history_events`, and `fetch_history`."""

    id: str
    run_id: str | None
    page_size: int | None
    next_page_token: bytes | None
    wait_new_event: bool
    event_filter_type: WorkflowHistoryEventFilterType
    skip_archival: bool
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    task_queue: str | None = None
    """The queue that the workflow is on, where the caller said it; else it is found."""


@dataclass
class QueryWorkflowInput:
    """`WorkflowHandle.query`."""

    id: str
    run_id: str | None
    query: str
    args: Sequence[Any]
    reject_condition: QueryRejectCondition | None
    headers: Mapping[str, Payload]
    ret_type: type | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    task_queue: str | None = None
    """The queue that the workflow is on, where the caller said it; else it is found."""


@dataclass
class SignalWorkflowInput:
    """`WorkflowHandle.signal`."""

    id: str
    run_id: str | None
    signal: str
    args: Sequence[Any]
    headers: Mapping[str, Payload]
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    task_queue: str | None = None
    """The queue that the workflow is on, where the caller said it; else it is found."""


@dataclass
class ListWorkflowsInput:
    """`Client.list_workflows`."""

    query: str | None
    page_size: int
    next_page_token: bytes | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    limit: int | None


@dataclass
class CountWorkflowsInput:
    """`Client.count_workflows`."""

    query: str | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
