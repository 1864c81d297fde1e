"""Activities and tasks that the worker's tests share."""

from __future__ import annotations

from typing import Any

from streamflow.converter import DataConverter
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.tasks import ActivityTask

values = DataConverter.default.payload_converter


def task_of(activity_type: str, *args: Any, op: int = 1, **changes: Any) -> ActivityTask:
    """A task as a processor would dispatch it."""
    facts: dict[str, Any] = {
        "workflow_id": WorkflowId("w"),
        "run_id": RunId("00000000-0000-0000-0000-000000000001"),
        "workflow_type": "Order",
        "op": Op(op),
        "activity_id": str(op),
        "activity_type": activity_type,
        "attempt": 1,
        "token": b"token",
        "queue": "q",
        "inbox_topic": "default.q.inbox",
        "inbox_partition": 0,
        "args": tuple(values.to_payloads(args)),
        "timeouts": ActivityTimeouts(),
        "retry_policy": RetryPolicy(),
        "scheduled_ms": 1_000,
        "attempt_scheduled_ms": 2_000,
    }
    return ActivityTask(**{**facts, **changes})
