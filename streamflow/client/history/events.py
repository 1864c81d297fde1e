"""A run's history as it is read: event by event, or page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from streamflow.api.history.telling import Telling
from streamflow.api.history.v1 import HistoryEvent
from streamflow.client.errors import raise_refusal
from streamflow.client.history.workflow_history import WorkflowHistoryEventFilterType, closes
from streamflow.client.transport import DEADLINE_S, EventsPage
from streamflow.model.answers import Rejection

if TYPE_CHECKING:
    from streamflow.client.client import Client
    from streamflow.client.inputs import FetchWorkflowHistoryEventsInput

HISTORY_POLL_S = 0.5
"""How often a caller who waits for new events asks for them."""


class WorkflowHistoryEventAsyncIterator:
    """An async iterator over a run's events. Every page is of one run: that of the first.

    A run that is stuck has a failed workflow task at its end, as long as it is.
    """

    def __init__(self, client: Client, input: FetchWorkflowHistoryEventsInput) -> None:
        self._client = client
        self._input = input
        self._run_id = input.run_id
        self._after_seq = 0
        self._seen_seq = 0
        """Events up to this one the caller has had before: they are only read to know what later ones refer to."""
        if input.next_page_token:
            run_id, _, after = input.next_page_token.decode().rpartition(":")
            self._run_id, self._seen_seq = run_id or input.run_id, int(after)
        self._telling: Telling | None = None
        self._page: Sequence[HistoryEvent] | None = None
        self._index = 0
        self._over = False

    @property
    def run_id(self) -> str:
        """The run that the events are of; empty before the first page is there."""
        return self._run_id or ""

    @property
    def current_page(self) -> Sequence[HistoryEvent] | None:
        """The events fetched last; ``None`` before the first page is there."""
        return self._page

    @property
    def current_page_index(self) -> int:
        """Which event of the current page comes next."""
        return self._index

    @property
    def next_page_token(self) -> bytes | None:
        """Where to go on later; ``None`` when nothing follows."""
        if self._over:
            return None
        return f"{self._run_id or ''}:{max(self._after_seq, self._seen_seq)}".encode()

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Reads on. A page holds as many events as fit an answer, whatever ``page_size`` asks for."""
        request = self._input
        page = await self._read()
        while page.more and page.next_after_seq <= self._seen_seq:
            self._tell(page)
            page = await self._read()
        events = self._tell(page)
        self._over = not page.more and (page.closed or not request.wait_new_event)
        wanted_all = request.event_filter_type is WorkflowHistoryEventFilterType.ALL_EVENT
        self._page = [event for event in events if wanted_all or closes(event)]
        self._index = 0
        if not (page.more or self._over or self._page):
            await asyncio.sleep(HISTORY_POLL_S)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> HistoryEvent:
        while self._page is None or self._index >= len(self._page):
            if self._over:
                raise StopAsyncIteration
            await self.fetch_next_page()
        event = self._page[self._index]
        self._index += 1
        return event

    async def _read(self) -> EventsPage:
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
        return page

    def _tell(self, page: EventsPage) -> list[HistoryEvent]:
        if self._telling is None:
            self._telling = Telling(self._input.id, page.run_id, self._client.namespace)
        found: list[HistoryEvent] = []
        for recorded in page.events:
            events = self._telling.tell(recorded)
            if recorded.seq > self._seen_seq:
                found += events
        if page.trouble is not None:
            found += self._telling.tell_trouble(page.trouble)
        if found and not page.more:
            # So that who takes our own events from these has all of them.
            found[-1].sources = (*found[-1].sources, *self._telling.untold())
        return found
