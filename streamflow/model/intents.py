"""What workflow code wants after an activation, in the order in which it asked. Decide turns each into an event."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.model.events import Recorded
from streamflow.model.failure import Failure
from streamflow.model.ids import Op
from streamflow.model.options import ActivityTimeouts, CancellationType, RetryPolicy
from streamflow.model.payload import Payload, Payloads


class ScheduleActivity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``queue`` empty is the workflow's own; ``local`` runs inside the processor."""

    op: Op
    activity_id: str
    activity_type: str
    queue: str = ""
    args: Payloads = ()
    timeouts: ActivityTimeouts
    retry_policy: RetryPolicy = RetryPolicy()
    cancellation_type: CancellationType = CancellationType.TRY_CANCEL
    headers: Mapping[str, Payload] = {}
    summary: str = ""
    priority: int = 0
    local: bool = False
    local_retry_threshold_ms: int | None = None


class CancelActivity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op


class StartTimer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    duration_ms: int
    summary: str = ""


class CancelTimer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op


class CompleteRun(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    result: Payload | None = None


class FailRun(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    failure: Failure


class CancelRun(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    details: Payloads = ()


class ContinueAsNew(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``None`` and empty keep what the ending run had."""

    workflow_type: str = ""
    queue: str = ""
    args: Payloads = ()
    run_timeout_ms: int | None = None
    task_timeout_ms: int | None = None
    retry_policy: RetryPolicy | None = None
    memo: Mapping[str, Payload] | None = None
    search_attributes: Mapping[str, Payload] | None = None
    headers: Mapping[str, Payload] = {}
    backoff_ms: int = 0


Intent = (
    ScheduleActivity
    | CancelActivity
    | StartTimer
    | CancelTimer
    | CompleteRun
    | FailRun
    | CancelRun
    | ContinueAsNew
)


class Activation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One run of the code: these inputs, in order, at this time, with this seed."""

    inputs: tuple[Recorded, ...]
    now_ms: int
    seed: int
    flags: int = 0
    history_length: int = 0
    """Events recorded before this activation."""
    history_bytes: int = 0
    replaying: bool = False
