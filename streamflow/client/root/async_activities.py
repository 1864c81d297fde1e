"""Calls about activities that are completed from outside."""

from __future__ import annotations

from streamflow.client.errors import NotYetError
from streamflow.client.inputs import (
    CompleteAsyncActivityInput,
    FailAsyncActivityInput,
    HeartbeatAsyncActivityInput,
    ReportCancellationAsyncActivityInput,
)
from streamflow.client.root.calls import Calls


class AsyncActivityCalls(Calls):
    async def heartbeat_async_activity(self, input: HeartbeatAsyncActivityInput) -> None:
        raise NotYetError("AsyncActivityHandle.heartbeat")

    async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:
        raise NotYetError("AsyncActivityHandle.complete")

    async def fail_async_activity(self, input: FailAsyncActivityInput) -> None:
        raise NotYetError("AsyncActivityHandle.fail")

    async def report_cancellation_async_activity(
        self, input: ReportCancellationAsyncActivityInput
    ) -> None:
        raise NotYetError("AsyncActivityHandle.report_cancellation")
