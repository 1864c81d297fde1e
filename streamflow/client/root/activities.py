"""Calls about activities that clients start."""

from __future__ import annotations

from typing import Any

from streamflow.client.errors import NotYetError
from streamflow.client.inputs import (
    CancelActivityInput,
    CountActivitiesInput,
    DescribeActivityInput,
    ListActivitiesInput,
    StartActivityInput,
    TerminateActivityInput,
)
from streamflow.client.root.calls import Calls


class ActivityCalls(Calls):
    async def start_activity(self, input: StartActivityInput) -> Any:
        raise NotYetError("Client.start_activity")

    async def cancel_activity(self, input: CancelActivityInput) -> None:
        raise NotYetError("ActivityHandle.cancel")

    async def terminate_activity(self, input: TerminateActivityInput) -> None:
        raise NotYetError("ActivityHandle.terminate")

    async def describe_activity(self, input: DescribeActivityInput) -> Any:
        raise NotYetError("ActivityHandle.describe")

    def list_activities(self, input: ListActivitiesInput) -> Any:
        raise NotYetError("Client.list_activities")

    async def count_activities(self, input: CountActivitiesInput) -> Any:
        raise NotYetError("Client.count_activities")
