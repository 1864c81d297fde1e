"""When the runs of a cron schedule begin. The chain goes on when a run ends by itself: completed, failed or timed out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from streamflow.calendars import Cron, CronError, parse_cron
from streamflow.engine.context import Zones
from streamflow.engine.state import Run


def refuse_schedule(text: str, now_ms: int, zones: Zones) -> str | None:
    """Why this is no schedule that a workflow can have, or ``None``."""
    try:
        cron = _parsed(text)
        zones(cron.zone)
    except ValueError as error:
        return str(error)
    if _after(cron, now_ms, now_ms, zones) is None:
        return f"Expected a cron schedule that comes round again, found {text!r}, which never does"
    return None


def first_run_ms(text: str, now_ms: int, zones: Zones) -> int:
    """When the first run of a schedule begins, which has been checked before."""
    begins_ms = _after(_parsed(text), now_ms, now_ms, zones)
    assert begins_ms is not None, text
    return begins_ms


def next_run_ms(run: Run, now_ms: int, zones: Zones) -> int | None:
    """When the run after this one begins; ``None`` if there is no schedule, it was cancelled, or no time is left.

    Times that passed while the run was at work are left out: runs of one schedule never overlap.
    """
    start = run.start
    if not start.cron_schedule or run.cancel_requested:
        return None
    try:
        since_ms = start.not_before_ms or run.started_ms
        begins_ms = _after(_parsed(start.cron_schedule), now_ms, since_ms, zones)
    except (CronError, ValueError):  # checked at the start, by another release or other zone data
        return None
    deadline_ms = start.execution_deadline_ms
    if begins_ms is None or (deadline_ms is not None and begins_ms >= deadline_ms):
        return None
    return begins_ms


def _after(cron: Cron, now_ms: int, since_ms: int, zones: Zones) -> int | None:
    found = cron.next(_time(now_ms), zones(cron.zone), since=_time(since_ms))
    return None if found is None else (found - _time(0)) // timedelta(milliseconds=1)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Cron:
    return parse_cron(text)
