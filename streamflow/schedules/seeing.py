"""A schedule as it is seen: with the changes that it has been asked for, and with its next times. Pure."""

from __future__ import annotations

from datetime import tzinfo
from itertools import islice

import msgspec

from streamflow.schedules.facts import UPCOMING_MAX, Described, Info, Patch, Schedule
from streamflow.schedules.times import next_times


def patched(schedule: Schedule, patch: Patch) -> Schedule:
    found = patch.schedule or schedule
    state = found.state
    if patch.paused is not None:
        state = msgspec.structs.replace(state, paused=patch.paused)
    if patch.note is not None:
        state = msgspec.structs.replace(state, note=patch.note)
    return msgspec.structs.replace(found, state=state)


def described(schedule: Schedule, info: Info, now_ms: int, zone: tzinfo, seed: str) -> Described:
    """Without what actions leave to the next one, which is theirs alone."""
    state, spec = schedule.state, schedule.spec
    most = min(UPCOMING_MAX, state.remaining_actions) if state.limited_actions else UPCOMING_MAX
    # A time that is over may have been moved on by the jitter.
    after_ms = max(info.seen_ms, now_ms - spec.jitter_ms - 1)
    times = next_times(spec, after_ms, zone, seed)
    return Described(
        schedule=schedule,
        info=msgspec.structs.replace(info, last_result=(), last_failure=None),
        upcoming_ms=tuple(islice((due.at_ms for due in times if due.at_ms > now_ms), most)),
    )
