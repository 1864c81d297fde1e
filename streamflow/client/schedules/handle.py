"""A schedule that exists, and lists of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from streamflow.client import inputs
from streamflow.client.calls.paging import Pages
from streamflow.client.schedules.description import (
    ScheduleDescription,
    ScheduleListDescription,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from streamflow.client.schedules.schedule import ScheduleBackfill, ScheduleOverlapPolicy
from streamflow.exceptions import StreamflowError

if TYPE_CHECKING:
    from streamflow.client.client import Client

Metadata = Mapping[str, str | bytes]
NO_METADATA: Metadata = MappingProxyType({})
Updater = Callable[[ScheduleUpdateInput], ScheduleUpdate | Awaitable[ScheduleUpdate | None] | None]


class ScheduleAlreadyRunningError(StreamflowError):
    """There is a schedule of this ID."""

    def __init__(self) -> None:
        super().__init__("Schedule already running")


class ScheduleHandle:
    """A schedule by its ID. Made by `Client.create_schedule` and `Client.get_schedule_handle`.

    Every call raises `RPCError` with NOT_FOUND for a schedule that does not exist, or not any more.
    """

    def __init__(self, client: Client, id: str) -> None:
        self._client = client
        self._id = id

    @property
    def id(self) -> str:
        return self._id

    async def backfill(
        self,
        *backfill: ScheduleBackfill,
        rpc_metadata: Metadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Takes the actions of stretches of time now. Raises ValueError without any."""
        if not backfill:
            raise ValueError("At least one backfill required")
        await self._client.outbound.backfill_schedule(
            inputs.BackfillScheduleInput(
                id=self._id,
                backfills=backfill,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def delete(
        self, *, rpc_metadata: Metadata = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Ends the schedule; workflows that it started go on."""
        await self._client.outbound.delete_schedule(
            inputs.DeleteScheduleInput(
                id=self._id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def describe(
        self, *, rpc_metadata: Metadata = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> ScheduleDescription:
        """The schedule, what it has done, and when it acts next."""
        found: ScheduleDescription = await self._client.outbound.describe_schedule(
            inputs.DescribeScheduleInput(
                id=self._id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )
        return found

    async def pause(
        self,
        *,
        note: str | None = None,
        rpc_metadata: Metadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Starts nothing more, except what is triggered or backfilled."""
        await self._client.outbound.pause_schedule(
            inputs.PauseScheduleInput(
                id=self._id, note=note, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def trigger(
        self,
        *,
        overlap: ScheduleOverlapPolicy | None = None,
        rpc_metadata: Metadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Takes an action now. ``overlap`` stands in for the schedule's own policy."""
        await self._client.outbound.trigger_schedule(
            inputs.TriggerScheduleInput(
                id=self._id, overlap=overlap, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def unpause(
        self,
        *,
        note: str | None = None,
        rpc_metadata: Metadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Goes on with the next time; what came while it was paused is over."""
        await self._client.outbound.unpause_schedule(
            inputs.UnpauseScheduleInput(
                id=self._id, note=note, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def update(
        self,
        updater: Updater,
        *,
        rpc_metadata: Metadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Changes the schedule to what ``updater`` (sync or async) makes of its description; ``None`` leaves it."""
        await self._client.outbound.update_schedule(
            inputs.UpdateScheduleInput(
                id=self._id, updater=updater, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )


class ScheduleAsyncIterator(Pages[ScheduleListDescription]):
    """An async iterator over schedules; pages are fetched as they are needed."""

    def __init__(self, client: Client, input: inputs.ListSchedulesInput) -> None:
        super().__init__(page_size=input.page_size, next_page_token=input.next_page_token)
        self._client = client
        self._input = input

    async def _fetch(
        self, page_size: int, token: bytes | None
    ) -> tuple[Sequence[ScheduleListDescription], bytes | None]:
        return await self._client.root.schedules_page(self._input, page_size, token)
