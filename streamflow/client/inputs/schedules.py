"""Calls about schedules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from streamflow.common import TypedSearchAttributes


@dataclass
class CreateScheduleInput:
    """`Client.create_schedule`."""

    id: str
    schedule: Any
    trigger_immediately: bool
    backfill: Sequence[Any]
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    static_summary: str | None = None
    static_details: str | None = None


@dataclass
class ListSchedulesInput:
    """`Client.list_schedules`."""

    page_size: int
    next_page_token: bytes | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    query: str | None = None


@dataclass
class BackfillScheduleInput:
    """`ScheduleHandle.backfill`."""

    id: str
    backfills: Sequence[Any]
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class DeleteScheduleInput:
    """`ScheduleHandle.delete`."""

    id: str
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class DescribeScheduleInput:
    """`ScheduleHandle.describe`."""

    id: str
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class PauseScheduleInput:
    """`ScheduleHandle.pause`."""

    id: str
    note: str | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class TriggerScheduleInput:
    """`ScheduleHandle.trigger`."""

    id: str
    overlap: Any
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class UnpauseScheduleInput:
    """`ScheduleHandle.unpause`."""

    id: str
    note: str | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class UpdateScheduleInput:
    """`ScheduleHandle.update`."""

    id: str
    updater: Callable[[Any], Any]
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
