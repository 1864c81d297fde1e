"""Calls about schedules."""

from __future__ import annotations

from typing import Any

from streamflow.client import inputs
from streamflow.client.errors import NotYetError
from streamflow.client.root.calls import Calls


class ScheduleCalls(Calls):
    async def create_schedule(self, input: inputs.CreateScheduleInput) -> Any:
        raise NotYetError("Client.create_schedule")

    def list_schedules(self, input: inputs.ListSchedulesInput) -> Any:
        raise NotYetError("Client.list_schedules")

    async def backfill_schedule(self, input: inputs.BackfillScheduleInput) -> None:
        raise NotYetError("ScheduleHandle.backfill")

    async def delete_schedule(self, input: inputs.DeleteScheduleInput) -> None:
        raise NotYetError("ScheduleHandle.delete")

    async def describe_schedule(self, input: inputs.DescribeScheduleInput) -> Any:
        raise NotYetError("ScheduleHandle.describe")

    async def pause_schedule(self, input: inputs.PauseScheduleInput) -> None:
        raise NotYetError("ScheduleHandle.pause")

    async def trigger_schedule(self, input: inputs.TriggerScheduleInput) -> None:
        raise NotYetError("ScheduleHandle.trigger")

    async def unpause_schedule(self, input: inputs.UnpauseScheduleInput) -> None:
        raise NotYetError("ScheduleHandle.unpause")

    async def update_schedule(self, input: inputs.UpdateScheduleInput) -> None:
        raise NotYetError("ScheduleHandle.update")
