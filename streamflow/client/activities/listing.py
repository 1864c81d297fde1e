"""Lists of activities that clients started, read page by page, and how many there are.

They are runs of the built-in workflow; a filter's names are turned into those of the runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from streamflow.client.activities.execution import ActivityExecution, listed_activity
from streamflow.client.calls.address import seconds
from streamflow.client.calls.filters import narrowed, renamed
from streamflow.client.calls.paging import Pages
from streamflow.client.calls.start import NO_METADATA
from streamflow.client.inputs import CountActivitiesInput, ListActivitiesInput
from streamflow.client.transport import ExecutionsCount
from streamflow.model import standalone
from streamflow.service import RPCError

if TYPE_CHECKING:
    from streamflow.client.client import Client

PAGE_SIZE = 1_000

_NAMES: Final = {
    "TaskQueue": standalone.TASK_QUEUE,
    "ActivityRunId": "RunId",
    "ScheduleTime": "StartTime",
}
"""Names of a filter about activities, as the runs have them."""


class ActivityExecutionAsyncIterator(Pages[ActivityExecution]):
    """An async iterator over the activities that a list filter finds; pages are fetched as they are needed."""

    def __init__(self, client: Client, input: ListActivitiesInput) -> None:
        super().__init__(
            page_size=input.page_size, next_page_token=input.next_page_token, limit=input.limit
        )
        self._client = client
        self._input = input

    async def _fetch(
        self, page_size: int, token: bytes | None
    ) -> tuple[Sequence[ActivityExecution], bytes | None]:
        request = self._input
        page = await self._client.transport.executions(
            about_activities(request.query or ""),
            page_size=page_size,
            page_token=(token or b"").decode(),
            deadline_s=seconds(request.rpc_timeout),
        )
        found = [listed_activity(summary) for summary in page.executions]
        return found, page.next_page_token.encode() or None


@dataclass(frozen=True)
class ActivityExecutionCountAggregationGroup:
    """How many activities have these values of the attributes that the query groups by."""

    count: int
    group_values: Sequence[str | int | float | bool | None]


@dataclass(frozen=True)
class ActivityExecutionCount:
    """How many activities a query finds; ``groups`` only if it groups."""

    count: int
    groups: Sequence[ActivityExecutionCountAggregationGroup]


def counted_activities(found: ExecutionsCount) -> ActivityExecutionCount:
    return ActivityExecutionCount(
        count=found.count,
        groups=[
            ActivityExecutionCountAggregationGroup(group.count, list(group.values))
            for group in found.groups
        ],
    )


def list_activities(
    self: Client,
    query: str | None = None,
    *,
    limit: int | None = None,
    page_size: int = PAGE_SIZE,
    next_page_token: bytes | None = None,
    rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
    rpc_timeout: timedelta | None = None,
) -> ActivityExecutionAsyncIterator:
    """The activities of no workflow that a list filter finds, newest first unless it orders them; all without a filter.

    Nothing is asked before the iteration begins. Filters may use ``ActivityId``, ``ActivityType``, ``ExecutionStatus``,
    ``TaskQueue``, ``StartTime``, ``CloseTime``, ``ExecutionDuration`` and search attributes (``docs/list-filters.md``).

    Args:
        limit: At most so many activities. Default: all.
        page_size: Activities fetched at once, 1,000 at most.
        next_page_token: Where an earlier list ended.
    """
    found: ActivityExecutionAsyncIterator = self.outbound.list_activities(
        ListActivitiesInput(
            query=query,
            page_size=page_size,
            next_page_token=next_page_token,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
            limit=limit,
        )
    )
    return found


async def count_activities(
    self: Client,
    query: str | None = None,
    *,
    rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
    rpc_timeout: timedelta | None = None,
) -> ActivityExecutionCount:
    """How many activities of no workflow a list filter finds; with ``GROUP BY`` also how many in each group."""
    found: ActivityExecutionCount = await self.outbound.count_activities(
        CountActivitiesInput(query=query, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
    )
    return found


def about_activities(query: str) -> str:
    """The filter, of runs that are activities alone."""
    return narrowed(renamed(query, _NAMES), f"TaskQueue = '{standalone.QUEUE}'")


def about_workflows(query: str) -> str:
    """The filter, of runs that are users' workflows alone. Its places stay those of the text given, where they can."""
    try:
        return narrowed(query, f"TaskQueue != '{standalone.QUEUE}'")
    except RPCError:
        return query  # whoever reads it whole says what is wrong with it
