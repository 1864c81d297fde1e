"""Schedules: which there are, what one has done and does next, and an operator's hand on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from streamflow.client import (
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleListActionStartWorkflow,
)
from streamflow.client.schedules.description import ScheduleActionExecution
from streamflow.client.schedules.spec import (
    ScheduleCalendarSpec,
    ScheduleRange,
    ScheduleSpec,
)
from streamflow.service import RPCError
from streamflow.ui import shell
from streamflow.ui.formats import duration
from streamflow.ui.site import HTTP_OF_STATUS, Problem, Visit

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    """A schedule of the list."""

    id: str
    address: str
    workflow: str
    when: Sequence[str]
    paused: bool
    note: str
    next_ms: int
    last_ms: int


@dataclass(frozen=True)
class Taken:
    """An action that a schedule took."""

    due_ms: int
    started_ms: int
    workflow_id: str
    address: str


async def page(visit: Visit) -> Response:
    """A page of the schedules, newest first."""
    token = visit.asked("page")
    found = await visit.client.list_schedules(
        page_size=PAGE_SIZE, next_page_token=token.encode() or None
    )
    await found.fetch_next_page()
    rows: list[Row] = []
    for one in found.current_page or ():
        schedule, info = one.schedule, one.info
        assert schedule is not None
        assert info is not None
        assert isinstance(schedule.action, ScheduleListActionStartWorkflow)
        rows.append(
            Row(
                id=one.id,
                address=visit.link("schedule", id=one.id),
                workflow=schedule.action.workflow,
                when=texts(schedule.spec),
                paused=schedule.state.paused,
                note=schedule.state.note or "",
                next_ms=0
                if schedule.state.paused or not info.next_action_times
                else _ms(info.next_action_times[0]),
                last_ms=_ms(info.recent_actions[-1].started_at if info.recent_actions else None),
            )
        )
    following = (found.next_page_token or b"").decode()
    return visit.page(
        "schedules.html",
        rows=rows,
        first_page=visit.link("schedules") if token else "",
        next_page=visit.link("schedules", page=following) if following else "",
        command=shell.list_schedules(visit.namespace),
    )


async def one(visit: Visit) -> Response:
    """The schedule that ``id`` names."""
    return await _shown(visit, visit.asked("id"))


async def perform(visit: Visit) -> Response:
    """Pauses it, lets it go on, has it act now, or ends it."""
    sent = await visit.form()
    schedule_id, do = visit.asked("id"), sent.get("do", "")
    handle = visit.client.get_schedule_handle(schedule_id)
    try:
        match do:
            case "pause":
                await handle.pause(note=sent.get("note") or None)
            case "unpause":
                await handle.unpause()
            case "trigger":
                await handle.trigger()
            case "delete":
                await handle.delete()
                return visit.go(visit.link("schedules"))
            case _:
                raise Problem(404, f"Expected pause, unpause, trigger or delete, found {do!r}")
    except RPCError as error:
        raise Problem(HTTP_OF_STATUS.get(error.status, 409), error.message) from error
    return visit.go(visit.link("schedule", id=schedule_id, said=do))


SAID = {
    "pause": "The schedule was paused.",
    "unpause": "The schedule goes on.",
    "trigger": "The schedule acts now.",
}


async def _shown(visit: Visit, schedule_id: str) -> Response:
    if not schedule_id:
        raise Problem(400, "Expected a schedule's ID in the address, found none")
    found = await visit.client.get_schedule_handle(schedule_id).describe()
    action, info = found.schedule.action, found.info
    assert isinstance(action, ScheduleActionStartWorkflow)
    return visit.page(
        "schedule.html",
        schedule=found.schedule,
        id=schedule_id,
        action=action,
        info=info,
        when=texts(found.schedule.spec),
        zone=found.schedule.spec.time_zone_name or "UTC",
        overlap=found.schedule.policy.overlap.name.replace("_", " ").capitalize(),
        upcoming=[_ms(at) for at in info.next_action_times],
        taken=[
            _taken(visit, _ms(one.scheduled_at), _ms(one.started_at), one.action)
            for one in reversed(info.recent_actions)
        ],
        running=[_taken(visit, 0, 0, one) for one in info.running_actions],
        said=SAID.get(visit.asked("said"), ""),
        command=shell.describe_schedule(visit.namespace, schedule_id),
    )


def texts(spec: ScheduleSpec) -> Sequence[str]:
    """When it acts, in words."""
    found = [
        f"every {duration(round(one.every.total_seconds() * 1000))}"
        + (f" from {duration(round(one.offset.total_seconds() * 1000))}" if one.offset else "")
        for one in spec.intervals
    ]
    return [*found, *(_calendar(one) for one in spec.calendars)]


_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_EVERY_DAY = ScheduleCalendarSpec()


def _calendar(spec: ScheduleCalendarSpec) -> str:
    """``Mon-Fri 09:30``; fields that match everything are left out."""
    if spec.comment:
        return spec.comment
    every = _EVERY_DAY
    days = (
        [_ranges(spec.day_of_week, _DAYS)] if _differs(spec.day_of_week, every.day_of_week) else []
    )
    for name in ("day_of_month", "month", "year"):
        ranges = getattr(spec, name)
        if _differs(ranges, getattr(every, name)):
            days.append(f"{name.replace('_', ' ')} {_ranges(ranges)}")
    clock = [spec.hour, spec.minute, spec.second]
    if all(len(part) == 1 and part[0].end == part[0].start for part in clock):
        hour, minute, second = (part[0].start for part in clock)
        at = f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")
    else:
        names = ("hour", "minute", "second")
        at = ", ".join(f"{name} {_ranges(part)}" for name, part in zip(names, clock, strict=True))
    return f"{', '.join(days) or 'every day'} {at}"


def _differs(ranges: Sequence[ScheduleRange], other: Sequence[ScheduleRange]) -> bool:
    return tuple(ranges) != tuple(other)


def _ranges(ranges: Sequence[ScheduleRange], names: Sequence[str] = ()) -> str:
    def named(number: int) -> str:
        return names[number % len(names)] if names else str(number)

    return ", ".join(
        named(one.start)
        + (f"-{named(one.end)}" if one.end > one.start else "")
        + (f"/{one.step}" if one.step > 1 else "")
        for one in ranges
    )


def _taken(visit: Visit, due_ms: int, started_ms: int, action: ScheduleActionExecution) -> Taken:
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)
    address = visit.link("workflow", id=action.workflow_id, run=action.first_execution_run_id)
    return Taken(due_ms, started_ms, action.workflow_id, address)


def _ms(at: datetime | None) -> int:
    return round(at.timestamp() * 1000) if at is not None else 0
