"""Reads a run's history for pages: its first event, its latest events, or the events from some place on."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.client.errors import raise_refusal
from streamflow.client.transport import EventsPage
from streamflow.model.answers import Description, Rejection
from streamflow.model.events import Recorded
from streamflow.ui.site import Visit

LATEST_MAX = 2_000
"""Events that the compact history and the timeline are made of: a longer history shows its latest."""
EVENTS_OF_A_PAGE = 100


@dataclass(frozen=True)
class Part:
    """A part of a history, in order."""

    events: tuple[Recorded, ...]
    left_out: int
    """Events before these."""


async def first_event(visit: Visit, run: Description) -> Recorded:
    """The start."""
    found = await events_after(visit, run, 0, 1)
    return found[0]


async def latest(visit: Visit, run: Description) -> Part:
    """The last `LATEST_MAX` events."""
    before = max(0, run.history_length - LATEST_MAX)
    # What came since the description was made is read as well, as far as it fits.
    events = await events_after(visit, run, before, LATEST_MAX)
    return Part(events, before)


async def events_after(
    visit: Visit, run: Description, after_seq: int, count: int
) -> tuple[Recorded, ...]:
    """At most so many events after this one."""
    found: list[Recorded] = []
    more = True
    while more and len(found) < count:
        page = await visit.client.transport.events(
            run.queue, run.workflow_id, run.run_id, after_seq
        )
        if isinstance(page, Rejection):
            raise_refusal(page)
        assert isinstance(page, EventsPage), page
        found += page.events
        more, after_seq = page.more and bool(page.events), page.next_after_seq
    return tuple(found[:count])
