"""What a schedule is and what it has done, as it travels between client and workflow. Times are milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import msgspec

from streamflow.calendars import CalendarSpec
from streamflow.model.failure import Failure
from streamflow.model.options import RetryPolicy
from streamflow.model.payload import Payload, Payloads

SCHEDULES_QUEUE: Final = "streamflow-schedules"
"""The queue on which schedules live, whatever queues their actions are on."""
SCHEDULE_TYPE: Final = "streamflow.Schedule"
RECENT_MAX: Final = 10
"""Actions remembered as recent."""
BUFFER_MAX: Final = 1_000
"""Actions that wait for a running one to end; what comes on top is skipped."""
UPCOMING_MAX: Final = 10
CATCHUP_MIN_MS: Final = 10_000
PAUSED_NAME: Final = "TemporalSchedulePaused"
OWN_ATTRIBUTES: Final = frozenset({PAUSED_NAME, "TemporalChangeVersion"})
"""Search attributes of a schedule that are not its user's."""


def workflow_id_of(schedule_id: str) -> str:
    return f"streamflow-schedule:{schedule_id}"


class Overlap(IntEnum):
    """What becomes of an action that is due while an earlier one runs. Numbers are the model's."""

    SKIP = 1
    BUFFER_ONE = 2
    BUFFER_ALL = 3
    CANCEL_OTHER = 4
    TERMINATE_OTHER = 5
    ALLOW_ALL = 6


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Every so often, counted from the epoch and moved by the offset."""

    every_ms: int
    offset_ms: int = 0


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """When: any of the calendars and intervals, unless a skipped calendar matches."""

    calendars: tuple[CalendarSpec, ...] = ()
    comments: tuple[str, ...] = ()
    """Of the calendars, in their order; empty text for none."""
    intervals: tuple[Interval, ...] = ()
    skip: tuple[CalendarSpec, ...] = ()
    skip_comments: tuple[str, ...] = ()
    start_at_ms: int | None = None
    end_at_ms: int | None = None
    jitter_ms: int = 0
    time_zone: str = ""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """The workflow to start; its ID gets the time appended."""

    workflow: str
    id: str
    queue: str
    args: tuple[Payload, ...] = ()
    execution_timeout_ms: int | None = None
    run_timeout_ms: int | None = None
    task_timeout_ms: int | None = None
    retry_policy: RetryPolicy | None = None
    memo: Mapping[str, Payload] = {}
    search_attributes: Mapping[str, Payload] = {}
    static_summary: str = ""
    static_details: str = ""
    headers: Mapping[str, Payload] = {}
    priority: int = 0
    fairness_key: str = ""
    fairness_weight: float = 1.0


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    overlap: Overlap = Overlap.SKIP
    catchup_window_ms: int = 365 * 86_400_000
    """Never less than `CATCHUP_MIN_MS`."""
    pause_on_failure: bool = False


class State(msgspec.Struct, frozen=True, kw_only=True):
    note: str = ""
    paused: bool = False
    limited_actions: bool = False
    remaining_actions: int = 0


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    action: Action
    spec: Spec
    policy: Policy = Policy()
    state: State = State()


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """Acts as if this stretch of time, both ends included, passed now."""

    start_at_ms: int
    end_at_ms: int
    overlap: Overlap | None = None


class ActionResult(msgspec.Struct, frozen=True, kw_only=True):
    scheduled_ms: int
    started_ms: int
    workflow_id: str
    run_id: str


class Running(msgspec.Struct, frozen=True, kw_only=True):
    workflow_id: str
    run_id: str


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An action in the buffer."""

    nominal_ms: int
    scheduled_ms: int
    manual: bool = False
    once: bool = False
    """Nothing if there was an action for this time before."""


class Info(msgspec.Struct, kw_only=True):
    """What a schedule has done. Changed by its workflow alone, and carried into its next run."""

    created_ms: int = 0
    updated_ms: int = 0
    num_actions: int = 0
    missed_catchup_window: int = 0
    skipped_overlap: int = 0
    buffer_dropped: int = 0
    recent: list[ActionResult] = []
    running: list[Running] = []
    buffer: list[Waiting] = []
    backfills: list[Backfill] = []
    """What is left of them, in their order."""
    seen_ms: int = 0
    """Up to here, nominal times have been dealt with."""
    last_result: Payloads = ()
    """Of the last action that completed, for the next one; likewise the failure, if the last one failed."""
    last_failure: Failure | None = None


class Memory(msgspec.Struct, kw_only=True):
    """What a run of the schedule's workflow begins with."""

    id: str
    schedule: Schedule
    info: Info | None = None
    trigger: Overlap | None = None
    """Acts once at the beginning."""
    backfills: tuple[Backfill, ...] = ()


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as its workflow describes it."""

    schedule: Schedule
    info: Info
    upcoming_ms: tuple[int, ...]
    starting: int = 0
    """Actions that are counted already and not yet among the recent ones."""


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a schedule, in one signal."""

    schedule: Schedule | None = None
    search_attributes: Mapping[str, Payload] | None = None
    paused: bool | None = None
    note: str | None = None
    trigger: bool = False
    overlap: Overlap | None = None
    """Of the trigger; the policy's when left out."""
    backfills: tuple[Backfill, ...] = ()
