"""Calls about updates, alone or with the start of their workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from streamflow.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from streamflow.model.payload import Payload


@dataclass
class StartWorkflowUpdateInput:
    """`WorkflowHandle.start_update` and `execute_update`."""

    id: str
    run_id: str | None
    first_execution_run_id: str | None
    update_id: str | None
    update: str
    args: Sequence[Any]
    wait_for_stage: Any
    headers: Mapping[str, Payload]
    ret_type: type | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    callbacks: Sequence[Any] = ()
    links: Sequence[Any] = ()
    request_id: str | None = None
    task_queue: str | None = None
    """The queue that the workflow is on, where the caller said it; else it is found."""


@dataclass
class UpdateWithStartUpdateWorkflowInput:
    """The update's half of an update with start."""

    update_id: str | None
    update: str
    args: Sequence[Any]
    wait_for_stage: Any
    headers: Mapping[str, Payload]
    ret_type: type | None


@dataclass
class UpdateWithStartStartWorkflowInput:
    """The start's half of an update with start."""

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
    static_summary: str | None
    static_details: str | None
    ret_type: type | None
    priority: Priority
    versioning_override: Any = None


@dataclass
class StartWorkflowUpdateWithStartInput:
    """`Client.start_update_with_start_workflow` and `execute_update_with_start_workflow`."""

    start_workflow_input: UpdateWithStartStartWorkflowInput
    update_workflow_input: UpdateWithStartUpdateWorkflowInput
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    _on_start: Callable[[Any], None]
    _on_start_error: Callable[[BaseException], None]
