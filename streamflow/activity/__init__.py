"""What activity code uses: to declare activities, and while one runs.

    @activity.defn
    async def charge(order: Order) -> Receipt:
        activity.heartbeat("asking the bank")
        ...

Activities are ordinary functions, async or not, and may do anything. They run on workers; each attempt may be made more
than once, so what they do should be harmless when repeated (`info().workflow_run_id` and ``activity_id`` name it).

`definition` is what a function says of itself, `context` the running attempt, `cancellation` how it is told to stop,
`log_adapter` its logger. Running them is `streamflow.worker`'s.
"""

from __future__ import annotations

from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.activity.context import (
    CompleteAsyncError,
    Info,
    cancellation_details,
    client,
    heartbeat,
    in_activity,
    info,
    is_cancelled,
    is_worker_shutdown,
    metric_meter,
    payload_converter,
    raise_complete_async,
    shield_thread_cancel_exception,
    wait_for_cancelled,
    wait_for_cancelled_sync,
    wait_for_worker_shutdown,
    wait_for_worker_shutdown_sync,
)
from streamflow.activity.definition import ActivityDefinition, definition_of, defn
from streamflow.activity.log_adapter import LoggerAdapter, logger

_Definition = ActivityDefinition  # where ported code looks for it

__all__ = [
    "ActivityCancellationDetails",
    "ActivityDefinition",
    "CompleteAsyncError",
    "Info",
    "LoggerAdapter",
    "cancellation_details",
    "client",
    "definition_of",
    "defn",
    "heartbeat",
    "in_activity",
    "info",
    "is_cancelled",
    "is_worker_shutdown",
    "logger",
    "metric_meter",
    "payload_converter",
    "raise_complete_async",
    "shield_thread_cancel_exception",
    "wait_for_cancelled",
    "wait_for_cancelled_sync",
    "wait_for_worker_shutdown",
    "wait_for_worker_shutdown_sync",
]
