"""`Client.create_schedule` and its kin: functions whose first parameter is the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from streamflow.client.inputs import CreateScheduleInput, ListSchedulesInput
from streamflow.client.schedules.handle import ScheduleAsyncIterator, ScheduleHandle

if TYPE_CHECKING:
    from streamflow.client.client import Client
    from streamflow.client.schedules.schedule import Schedule, ScheduleBackfill
    from streamflow.common import TypedSearchAttributes

PAGE_SIZE = 1_000


async def create_schedule(
    self: Client,
    id: str,
    schedule: Schedule,
    *,
    trigger_immediately: bool = False,
    backfill: Sequence[ScheduleBackfill] = (),
    memo: Mapping[str, Any] | None = None,
    search_attributes: TypedSearchAttributes | None = None,
    static_summary: str | None = None,
    static_details: str | None = None,
    rpc_metadata: Mapping[str, str | bytes] = {},
    rpc_timeout: timedelta | None = None,
) -> ScheduleHandle:
    """Makes a schedule, which acts from now on.

    Args:
        trigger_immediately: Act once at the beginning. Default: no.
        backfill: Stretches of time whose actions are taken at the beginning.
        memo, search_attributes, static_summary, static_details: Of the schedule; those of its workflows are the action's.

    Raises:
        ScheduleAlreadyRunningError: there is a schedule of this ID.
        ValueError: the schedule could never be carried out.
        RPCError: nobody runs schedules in this namespace.
    """
    handle: ScheduleHandle = await self.outbound.create_schedule(
        CreateScheduleInput(
            id=id,
            schedule=schedule,
            trigger_immediately=trigger_immediately,
            backfill=backfill,
            memo=memo,
            search_attributes=search_attributes,
            static_summary=static_summary,
            static_details=static_details,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
    )
    return handle


def get_schedule_handle(self: Client, id: str) -> ScheduleHandle:
    """A handle to a schedule that may exist; nothing is asked yet."""
    return ScheduleHandle(self, id)


async def list_schedules(
    self: Client,
    query: str | None = None,
    *,
    page_size: int = PAGE_SIZE,
    next_page_token: bytes | None = None,
    rpc_metadata: Mapping[str, str | bytes] = {},
    rpc_timeout: timedelta | None = None,
) -> ScheduleAsyncIterator:
    """The namespace's schedules, newest first; ``query`` is a list filter over their search attributes, ``ScheduleId`` and
    ``TemporalSchedulePaused``.

    Example: ``async for schedule in await client.list_schedules(): ...``
    """
    found: ScheduleAsyncIterator = self.outbound.list_schedules(
        ListSchedulesInput(
            page_size=page_size,
            next_page_token=next_page_token,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
            query=query,
        )
    )
    return found
