"""What is known of a run without asking its code: a description, and its history page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from streamflow.client.address import Address, expect, seconds
from streamflow.client.execution import WorkflowExecutionDescription, describe
from streamflow.client.history import WorkflowHistory, WorkflowHistoryEventFilterType, closes
from streamflow.client.transport import EventsPage
from streamflow.model.answers import Description
from streamflow.model.commands import DescribeWorkflow
from streamflow.model.events import Recorded

HISTORY_POLL_S = 0.5
"""How often a caller who waits for new events asks for them."""


async def description(
    address: Address, rpc_timeout: timedelta | None
) -> WorkflowExecutionDescription:
    command = DescribeWorkflow(workflow_id=address.workflow_id, run_id=address.run_id)
    facts = expect(await address.ask(command, rpc_timeout), Description)
    return await describe(facts, address.client.data_converter)


async def history(
    address: Address,
    run_id: str | None,
    event_filter_type: WorkflowHistoryEventFilterType,
    rpc_timeout: timedelta | None,
) -> WorkflowHistory:
    """The run's events so far; every page is of the same run."""
    read = [page async for page in pages(address, run_id, rpc_timeout)]
    events = [event for page in read for event in page.events]
    if event_filter_type is WorkflowHistoryEventFilterType.CLOSE_EVENT:
        events = [event for event in events if closes(event)]
    return WorkflowHistory(address.workflow_id, tuple(events), read[-1].run_id)


async def events(
    address: Address,
    run_id: str | None,
    *,
    wait_new_event: bool,
    event_filter_type: WorkflowHistoryEventFilterType,
    rpc_timeout: timedelta | None,
) -> AsyncIterator[Recorded]:
    wanted_all = event_filter_type is WorkflowHistoryEventFilterType.ALL_EVENT
    async for page in pages(address, run_id, rpc_timeout, until_closed=wait_new_event):
        for event in page.events:
            if wanted_all or closes(event):
                yield event


async def pages(
    address: Address,
    run_id: str | None,
    rpc_timeout: timedelta | None,
    *,
    until_closed: bool = False,
) -> AsyncIterator[EventsPage]:
    after_seq = 0
    while True:
        page = await address.client.transport.events(
            await address.find_queue(),
            address.workflow_id,
            run_id,
            after_seq,
            deadline_s=seconds(rpc_timeout),
        )
        if not isinstance(page, EventsPage):
            page = expect(page, EventsPage)
        yield page
        run_id, after_seq = page.run_id, page.next_after_seq
        if page.more:
            continue
        if page.closed or not until_closed:
            return
        await asyncio.sleep(HISTORY_POLL_S)
