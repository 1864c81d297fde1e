"""Lists of workflows, read page by page, and how many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streamflow.client.activities.listing import about_workflows
from streamflow.client.calls.address import seconds
from streamflow.client.calls.paging import Pages
from streamflow.client.calls.values import converter_for
from streamflow.client.history.workflow_history import (
    WorkflowHistory,
    WorkflowHistoryEventFilterType,
)
from streamflow.client.transport import ExecutionsCount
from streamflow.client.workflows.execution import WorkflowExecution, listed

if TYPE_CHECKING:
    from datetime import timedelta

    from streamflow.client.client import Client
    from streamflow.client.inputs import ListWorkflowsInput

PAGE_SIZE = 1_000
"""Runs of a page unless the caller asks for fewer."""


class WorkflowExecutionAsyncIterator(Pages[WorkflowExecution]):
    """An async iterator over the workflows that a list filter finds; pages are fetched as they are needed."""

    def __init__(self, client: Client, input: ListWorkflowsInput) -> None:
        super().__init__(
            page_size=input.page_size, next_page_token=input.next_page_token, limit=input.limit
        )
        self._client = client
        self._input = input

    async def _fetch(
        self, page_size: int, token: bytes | None
    ) -> tuple[Sequence[WorkflowExecution], bytes | None]:
        request = self._input
        page = await self._client.transport.executions(
            about_workflows(request.query or ""),
            page_size=page_size,
            page_token=(token or b"").decode(),
            deadline_s=seconds(request.rpc_timeout),
        )
        found = [
            listed(summary, converter_for(self._client, summary.workflow_id))
            for summary in page.executions
        ]
        return found, page.next_page_token.encode() or None

    async def map_histories(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: object = None,
        rpc_timeout: timedelta | None = None,
    ) -> AsyncIterator[WorkflowHistory]:
        """The history of each workflow, as a `Replayer` takes them."""
        async for execution in self:
            handle = self._client.get_workflow_handle(
                execution.id, run_id=execution.run_id, task_queue=execution.task_queue
            )
            yield await handle.fetch_history(
                event_filter_type=event_filter_type, rpc_timeout=rpc_timeout
            )


@dataclass
class WorkflowExecutionCountAggregationGroup:
    """How many workflows have these values of the attributes that the query groups by."""

    count: int
    group_values: Sequence[str | int | float | bool | None]


@dataclass
class WorkflowExecutionCount:
    """How many workflows a query finds; ``groups`` only if it groups."""

    count: int
    groups: Sequence[WorkflowExecutionCountAggregationGroup]


def counted(found: ExecutionsCount) -> WorkflowExecutionCount:
    return WorkflowExecutionCount(
        count=found.count,
        groups=[
            WorkflowExecutionCountAggregationGroup(group.count, list(group.values))
            for group in found.groups
        ],
    )
