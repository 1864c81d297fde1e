"""Signalling a workflow that is started for it if it is not open, from workflow code and in one command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from streamflow.common import (
    Priority,
    RetryPolicy,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from streamflow.coroutine.beginning import begin_message
from streamflow.coroutine.context import current
from streamflow.coroutine.machines.external import SignalRequest
from streamflow.model.ids import WorkflowId
from streamflow.model.options import IdConflictPolicy
from streamflow.model.relations import Target, TargetStart
from streamflow.workflow.child_options import input_of, request_of
from streamflow.workflow.durations import optional_milliseconds
from streamflow.workflow.external import ExternalWorkflowHandle
from streamflow.workflow.naming import signal_name, type_of


async def signal_with_start_workflow(
    workflow: str | Callable[..., Any],
    *positional_args: Any,
    args: Sequence[Any] | None = None,
    id: str,
    task_queue: str,
    signal: str | Callable[..., Any],
    signal_args: Any = None,
    execution_timeout: timedelta | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    id_conflict_policy: WorkflowIDConflictPolicy | None = None,
    retry_policy: RetryPolicy | None = None,
    cron_schedule: str | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: TypedSearchAttributes | None = None,
    priority: Priority | None = None,
    versioning_override: Any = None,
    start_delay: timedelta | None = None,
    static_summary: str | None = None,
    static_details: str | None = None,
) -> ExternalWorkflowHandle[Any]:
    """Returns when the signal is in the workflow's history, begun for it if it was not open.

    The workflow is no child: it does not end with its starter, and its result does not come back.

    Args:
        signal_args: One argument, or a list of several; a single list goes into a list of its own.
        id_conflict_policy: What becomes of an open run. Default: it is signalled (USE_EXISTING).

    Raises:
        WorkflowAlreadyStartedError: the ID may not be used again.
        ApplicationError: of type ``TaskQueueNotFound`` when there is no such queue.
    """
    instance = current()
    instance.refuse_changes()
    if positional_args and args:
        raise ValueError("Expected arguments or args=[...], found both; put all of them into args")
    if versioning_override is not None:
        raise NotImplementedError(
            "Expected no versioning_override, found one: it is not supported here"
        )
    workflow_type, _, arg_types = type_of(workflow)
    options: dict[str, Any] = {
        "task_queue": task_queue,
        "execution_timeout": execution_timeout,
        "run_timeout": run_timeout,
        "task_timeout": task_timeout,
        "id_reuse_policy": id_reuse_policy,
        "retry_policy": retry_policy,
        "cron_schedule": cron_schedule or "",
        "memo": memo,
        "search_attributes": search_attributes,
        "priority": priority or Priority.default,
        "static_summary": static_summary,
        "static_details": static_details,
    }
    values = instance.values.of_workflow(instance.facts, id)
    arguments = list(args) if args else list(positional_args)
    given = input_of(workflow_type, id, arguments, options, arg_types=arg_types, ret_type=None)
    start = request_of(given, values)
    request = SignalRequest(
        target=Target(workflow_id=WorkflowId(id), queue=task_queue),
        signal_name=signal_name(signal),
        args=values.encode(_several(signal_args)),
        start=TargetStart(
            workflow_type=workflow_type,
            args=start.args,
            options=start.options,
            id_conflict_policy=_conflict(id_conflict_policy),
            start_delay_ms=optional_milliseconds(start_delay) or 0,
        ),
    )
    run_id = await begin_message(instance, request, values)
    return ExternalWorkflowHandle(id, run_id, task_queue=task_queue)


def _several(signal_args: Any) -> Sequence[Any]:
    if signal_args is None:
        return ()
    return signal_args if _is_list(signal_args) else (signal_args,)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _conflict(policy: WorkflowIDConflictPolicy | None) -> IdConflictPolicy:
    if policy in (None, WorkflowIDConflictPolicy.UNSPECIFIED):
        return IdConflictPolicy.USE_EXISTING
    assert policy is not None
    return policy._to_model()
