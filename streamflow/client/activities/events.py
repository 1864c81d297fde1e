"""Reads the few events of an activity that a client started."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from streamflow.client.calls.address import expect, seconds
from streamflow.client.transport import EventsPage
from streamflow.model import standalone
from streamflow.model.events import ActivityCanceled, Recorded
from streamflow.model.failure import Failure
from streamflow.model.ids import RunId, WorkflowId

if TYPE_CHECKING:
    from streamflow.client.client import Client


async def events_of(
    client: Client, workflow_id: WorkflowId, run_id: RunId, rpc_timeout: timedelta | None
) -> list[Recorded]:
    events: list[Recorded] = []
    page: EventsPage | None = None
    while page is None or page.more:
        answer = await client.transport.events(
            standalone.QUEUE,
            workflow_id,
            run_id,
            page.next_after_seq if page else 0,
            deadline_s=seconds(rpc_timeout),
        )
        page = expect(answer, EventsPage)
        events += page.events
    return events


async def cancellation_of(
    client: Client, workflow_id: WorkflowId, run_id: RunId, rpc_timeout: timedelta | None
) -> Failure | None:
    """What its code ended with when it was cancelled; ``None`` if it ended without."""
    for recorded in reversed(await events_of(client, workflow_id, run_id, rpc_timeout)):
        if isinstance(recorded.event, ActivityCanceled):
            return recorded.event.failure
    return None
