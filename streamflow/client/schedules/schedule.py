"""A schedule as users write it: an action, when, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

from streamflow.client.schedules import action as actions
from streamflow.client.schedules import spec as specs
from streamflow.client.schedules.action import EncodeHeaders, ScheduleAction
from streamflow.client.schedules.spec import ScheduleSpec
from streamflow.common.durations import to_ms
from streamflow.schedules import Backfill, Overlap, Policy, State
from streamflow.schedules import Schedule as Facts

if TYPE_CHECKING:
    from streamflow.converter import DataConverter


class ScheduleOverlapPolicy(IntEnum):
    """What becomes of an action that is due while an earlier one still runs."""

    SKIP = 1
    """It is left out."""
    BUFFER_ONE = 2
    """It waits for the end; further ones are left out."""
    BUFFER_ALL = 3
    """All wait, and are started one after the other."""
    CANCEL_OTHER = 4
    """The running one is cancelled, and it starts after that one's end."""
    TERMINATE_OTHER = 5
    """The running one is terminated, and it starts."""
    ALLOW_ALL = 6
    """It starts beside the others."""


@dataclass
class SchedulePolicy:
    overlap: ScheduleOverlapPolicy = field(default_factory=lambda: ScheduleOverlapPolicy.SKIP)
    catchup_window: timedelta | None = timedelta(days=365)
    """An action that could not be started in time is still started if it is not later than this, or 10 seconds if that is
    more. ``None`` is the default."""
    pause_on_failure: bool = False
    """Whether a workflow that fails or times out pauses the schedule."""


@dataclass
class ScheduleState:
    note: str | None = None
    paused: bool = False
    limited_actions: bool = False
    """Whether ``remaining_actions`` counts down; at 0 nothing more is started but what is triggered."""
    remaining_actions: int = 0


@dataclass
class Schedule:
    """What to do, when, and how."""

    action: ScheduleAction
    spec: ScheduleSpec
    policy: SchedulePolicy = field(default_factory=SchedulePolicy)
    state: ScheduleState = field(default_factory=ScheduleState)


@dataclass
class ScheduleBackfill:
    """A stretch of time, both ends included, whose actions are taken now."""

    start_at: datetime
    end_at: datetime
    overlap: ScheduleOverlapPolicy | None = None
    """Default: the schedule's own."""


async def to_facts(
    schedule: Schedule, converter: DataConverter, encode_headers: EncodeHeaders
) -> Facts:
    """Raises ValueError for what could never be carried out."""
    policy, state = schedule.policy, schedule.state
    return Facts(
        action=await actions.to_facts(schedule.action, converter, encode_headers),
        spec=specs.to_facts(schedule.spec),
        policy=Policy(
            overlap=Overlap(policy.overlap),
            catchup_window_ms=_catchup_ms(policy.catchup_window),
            pause_on_failure=policy.pause_on_failure,
        ),
        state=State(
            note=state.note or "",
            paused=state.paused,
            limited_actions=state.limited_actions,
            remaining_actions=state.remaining_actions,
        ),
    )


def _catchup_ms(window: timedelta | None) -> int:
    return Policy().catchup_window_ms if window is None else to_ms(window)


def of_facts(facts: Facts, converter: DataConverter) -> Schedule:
    return Schedule(
        action=actions.of_facts(facts.action, converter),
        spec=specs.of_facts(facts.spec),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy(facts.policy.overlap),
            catchup_window=timedelta(milliseconds=facts.policy.catchup_window_ms),
            pause_on_failure=facts.policy.pause_on_failure,
        ),
        state=ScheduleState(
            note=facts.state.note or None,
            paused=facts.state.paused,
            limited_actions=facts.state.limited_actions,
            remaining_actions=facts.state.remaining_actions,
        ),
    )


def backfill_facts(backfill: ScheduleBackfill) -> Backfill:
    start_ms, end_ms = specs._moment_ms(backfill.start_at), specs._moment_ms(backfill.end_at)
    assert start_ms is not None
    assert end_ms is not None
    return Backfill(
        start_at_ms=start_ms,
        end_at_ms=end_ms,
        overlap=None if backfill.overlap is None else Overlap(backfill.overlap),
    )
