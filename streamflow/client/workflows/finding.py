"""`Client.list_workflows` and `Client.count_workflows`: functions whose first parameter is the client."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from streamflow.client.inputs import CountWorkflowsInput, ListWorkflowsInput
from streamflow.client.workflows.listing import (
    PAGE_SIZE,
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
)

if TYPE_CHECKING:
    from streamflow.client.client import Client


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
