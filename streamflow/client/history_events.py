"""A run's history as it is read: event by event, or page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from streamflow.client.errors import raise_refusal
from streamflow.client.history import WorkflowHistoryEventFilterType, closes
from streamflow.client.transport import DEADLINE_S, EventsPage
from streamflow.model.answers import Rejection
from streamflow.model.events import Recorded

if TYPE_CHECKING:
    from streamflow.client.client import Client
    from streamflow.client.inputs import FetchWorkflowHistoryEventsInput

HISTORY_POLL_S = 0.5
"""How often a caller who waits for new events asks for them."""


class WorkflowHistoryEventAsyncIterator:
    """An async iterator over a run's events. Every page is of one run: that of the first."""

    def __init__(self, client: Client, input: FetchWorkflowHistoryEventsInput) -> None:
        self._client = client
        self._input = input
        self._run_id = input.run_id
        self._after_seq = 0
        if input.next_page_token:
            run_id, _, after = input.next_page_token.decode().rpartition(":")
            self._run_id, self._after_seq = run_id or input.run_id, int(after)
        self._page: Sequence[Recorded] | None = None
        self._index = 0
        self._over = False

    @property
    def run_id(self) -> str:
        """The run that the events are of; empty before the first page is there."""
        return self._run_id or ""

    @property
    def current_page(self) -> Sequence[Recorded] | None:
        """The events fetched last; ``None`` before the first page is there."""
        return self._page

    @property
    def current_page_index(self) -> int:
        """Which event of the current page comes next."""
        return self._index

    @property
    def next_page_token(self) -> bytes | None:
        """Where to go on later; ``None`` when nothing follows."""
        return None if self._over else f"{self._run_id or ''}:{self._after_seq}".encode()

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Reads on. A page holds as many events as fit an answer, whatever ``page_size`` asks for."""
        request, client = self._input, self._client
        queue = request.task_queue or await client.find_queue(request.id, request.run_id)
        timeout = request.rpc_timeout
        page = await client.transport.events(
            queue,
            request.id,
            self._run_id,
            self._after_seq,
            deadline_s=DEADLINE_S if timeout is None else timeout.total_seconds(),
        )
        if isinstance(page, Rejection):
            raise_refusal(page)
        assert isinstance(page, EventsPage), page
        self._run_id, self._after_seq = page.run_id, page.next_after_seq
        self._over = not page.more and (page.closed or not request.wait_new_event)
        wanted_all = request.event_filter_type is WorkflowHistoryEventFilterType.ALL_EVENT
        self._page = [event for event in page.events if wanted_all or closes(event)]
        self._index = 0
        if not (page.more or self._over or self._page):
            await asyncio.sleep(HISTORY_POLL_S)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Recorded:
        while self._page is None or self._index >= len(self._page):
            if self._over:
                raise StopAsyncIteration
            await self.fetch_next_page()
        event = self._page[self._index]
        self._index += 1
        return event
