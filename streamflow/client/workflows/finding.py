"""Which workflows are there, and on which queue: methods of `Client`. The lists are `root.visibility`'s work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from streamflow.client.calls import naming
from streamflow.client.inputs import CountWorkflowsInput, ListWorkflowsInput
from streamflow.client.workflows.handle import WorkflowHandle
from streamflow.client.workflows.listing import (
    PAGE_SIZE,
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
)

if TYPE_CHECKING:
    from streamflow.client.client import Client

SelfT = TypeVar("SelfT")
ResultT = TypeVar("ResultT")
Params = ParamSpec("Params")

QUEUES_REMEMBERED_MAX = 10_000
"""Workflow IDs whose queue a client remembers, the oldest forgotten first."""


def get_workflow_handle(
    self: Client,
    workflow_id: str,
    *,
    run_id: str | None = None,
    first_execution_run_id: str | None = None,
    result_type: type | None = None,
    task_queue: str | None = None,
) -> WorkflowHandle[Any, Any]:
    """A handle to a workflow that may exist; nothing is asked yet. The queue is found unless it is named."""
    return WorkflowHandle(
        self,
        workflow_id,
        run_id=run_id,
        result_run_id=run_id,
        first_execution_run_id=first_execution_run_id,
        result_type=result_type,
        task_queue=task_queue or self.queue_of.get(workflow_id),
    )


def get_workflow_handle_for(
    self: Client,
    workflow: Callable[Concatenate[SelfT, Params], Awaitable[ResultT]],
    workflow_id: str,
    *,
    run_id: str | None = None,
    first_execution_run_id: str | None = None,
    task_queue: str | None = None,
) -> WorkflowHandle[SelfT, ResultT]:
    """As `get_workflow_handle`, with the types of this workflow's ``run``."""
    _, hint = naming.workflow_name(workflow)
    return self.get_workflow_handle(
        workflow_id,
        run_id=run_id,
        first_execution_run_id=first_execution_run_id,
        result_type=hint,
        task_queue=task_queue,
    )


async def find_queue(self: Client, workflow_id: str, run_id: str | None = None) -> str:
    """The queue that a workflow is on.

    Raises:
        RPCError: NOT_FOUND on no queue; FAILED_PRECONDITION on two; UNAVAILABLE when a queue cannot say.
    """
    queue = self.queue_of.get(workflow_id)
    if queue is None:
        queue = await self.transport.find_queue(workflow_id, run_id)
        self.remember_queue(workflow_id, queue)
    return queue


def remember_queue(self: Client, workflow_id: str, queue: str) -> None:
    """For calls that name no queue; the oldest of many is forgotten."""
    queue_of = self.queue_of
    if len(queue_of) >= QUEUES_REMEMBERED_MAX and workflow_id not in queue_of:
        del queue_of[next(iter(queue_of))]
    queue_of[workflow_id] = queue


def list_workflows(
    self: Client,
    query: str | None = None,
    *,
    limit: int | None = None,
    page_size: int = PAGE_SIZE,
    next_page_token: bytes | None = None,
    rpc_metadata: Mapping[str, str | bytes] = {},
    rpc_timeout: timedelta | None = None,
) -> WorkflowExecutionAsyncIterator:
    """The workflows that a list filter finds, newest first unless it orders them; all of them without a filter.

    Nothing is asked before the iteration begins. What this client was told before (of a start, a signal, a result) is in
    the list. The filter's language is in ``docs/list-filters.md``.

    Args:
        limit: At most so many workflows. Default: all.
        page_size: Workflows fetched at once, 1,000 at most.
        next_page_token: Where an earlier list ended.

    Example: ``async for run in client.list_workflows("WorkflowType = 'Order' AND StartTime > NOW - 1h"): ...``
    """
    return self.outbound.list_workflows(
        ListWorkflowsInput(
            query=query,
            page_size=page_size,
            next_page_token=next_page_token,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
            limit=limit,
        )
    )


async def count_workflows(
    self: Client,
    query: str | None = None,
    rpc_metadata: Mapping[str, str | bytes] = {},
    rpc_timeout: timedelta | None = None,
) -> WorkflowExecutionCount:
    """How many workflows a list filter finds; with ``GROUP BY`` also how many in each group.

    Raises:
        RPCError: INVALID_ARGUMENT for a filter that is none; the message says where.
    """
    return await self.outbound.count_workflows(
        CountWorkflowsInput(query=query, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
    )
