"""What workflow code wants after an activation, in the order in which it asked. Decide turns each into an event."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.model.events import Recorded
from streamflow.model.failure import Failure
from streamflow.model.ids import Op
from streamflow.model.options import ActivityTimeouts, CancellationType, RetryPolicy
from streamflow.model.payload import Payload, Payloads
from streamflow.model.relations import CancelChild, CancelExternal, SignalExternal, StartChild


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
    fairness_key: str = ""
    fairness_weight: float = 1.0
    start_delay_ms: int = 0


class CancelActivity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op


class StartTimer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op
    duration_ms: int
    summary: str = ""


class CancelTimer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    op: Op


class MarkPatch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Says that the code took the newer way of this patch; asked for at most once for each patch of a run."""

    patch_id: str
    deprecated: bool = False


class UpsertMemo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    memo: Mapping[str, Payload] = {}
    removed: tuple[str, ...] = ()


class UpsertSearchAttributes(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    search_attributes: Mapping[str, Payload] = {}
    removed: tuple[str, ...] = ()


class CompleteUpdate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An update's handler has ended, with a result or a failure."""

    update_id: str
    result: Payload | None = None
    failure: Failure | None = None


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
    versioning: str = ""


Intent = (
    ScheduleActivity
    | CancelActivity
    | StartTimer
    | CancelTimer
    | CompleteUpdate
    | MarkPatch
    | UpsertMemo
    | UpsertSearchAttributes
    | StartChild
    | CancelChild
    | SignalExternal
    | CancelExternal
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
    unchecked: frozenset[str] = frozenset()
    """IDs of the updates among the inputs whose validators have still to be asked: these may yet be refused."""
    patches: tuple[str, ...] = ()
    """When replaying: patches that the history has marked in this step."""
    deployment: str = ""
    build_id: str = ""
    """The version of the code that runs this step, or ran it when it was recorded."""
    pinned: bool = False
    target_changed: bool = False
