"""Lists of workflows, read page by page, and how many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from streamflow.client.activity_listing import about_workflows
from streamflow.client.execution import WorkflowExecution, listed
from streamflow.client.history import WorkflowHistory, WorkflowHistoryEventFilterType
from streamflow.client.transport import DEADLINE_S, ExecutionsCount
from streamflow.client.values import converter_for

if TYPE_CHECKING:
    from datetime import timedelta

    from streamflow.client.client import Client
    from streamflow.client.inputs import ListWorkflowsInput

PAGE_SIZE = 1_000
"""Runs of a page unless the caller asks for fewer."""


class WorkflowExecutionAsyncIterator:
    """An async iterator over the workflows that a list filter finds; pages are fetched as they are needed."""

    def __init__(self, client: Client, input: ListWorkflowsInput) -> None:
        self._client = client
        self._input = input
        self._next_page_token = input.next_page_token
        self._page: Sequence[WorkflowExecution] | None = None
        self._index = 0
        self._yielded = 0

    @property
    def current_page_index(self) -> int:
        """Which workflow of the current page comes next."""
        return self._index

    @property
    def current_page(self) -> Sequence[WorkflowExecution] | None:
        """The workflows fetched last; ``None`` before the first page is there."""
        return self._page

    @property
    def next_page_token(self) -> bytes | None:
        """Where to go on later; ``None`` when nothing follows."""
        return self._next_page_token

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Reads on, though there may be workflows left of the current page.

        Raises:
            RPCError: INVALID_ARGUMENT for a filter that is none; the message says where.
        """
        request, client = self._input, self._client
        page = await client.transport.executions(
            about_workflows(request.query or ""),
            page_size=page_size or request.page_size,
            page_token=(self._next_page_token or b"").decode(),
            deadline_s=seconds(request.rpc_timeout),
        )
        self._page = [
            listed(summary, converter_for(client, summary.workflow_id))
            for summary in page.executions
        ]
        self._index = 0
        self._next_page_token = page.next_page_token.encode() or None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WorkflowExecution:
        limit = self._input.limit
        if limit is not None and self._yielded >= limit:
            raise StopAsyncIteration
        while self._page is None or self._index >= len(self._page):
            if self._page is not None and self._next_page_token is None:
                raise StopAsyncIteration
            size = self._input.page_size
            left = size if limit is None else min(size, limit - self._yielded)
            await self.fetch_next_page(page_size=left)
        found = self._page[self._index]
        self._index += 1
        self._yielded += 1
        return found

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


@dataclass(frozen=True)
class WorkflowExecutionCountAggregationGroup:
    """How many workflows have these values of the attributes that the query groups by."""

    count: int
    group_values: Sequence[str | int | float | bool | None]


@dataclass(frozen=True)
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


def seconds(timeout: timedelta | None) -> float:
    return DEADLINE_S if timeout is None else timeout.total_seconds()
