"""A transport around another: does what the other does, except for what a subclass overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamflow.client.transport import (
    DEADLINE_S,
    EventsPage,
    ExecutionsCount,
    ExecutionsPage,
    Transport,
)
from streamflow.model.answers import Answer
from streamflow.model.commands import Command
from streamflow.model.queues import QueueEntry


class WrappedTransport:
    """Closing it leaves the inner one open: that belongs to whoever made it."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner

    @property
    def namespace(self) -> str:
        return self.inner.namespace

    async def open(self) -> None:
        await self.inner.open()

    async def ask(
        self,
        queue: str,
        command: Command,
        *,
        deadline_s: float | None = DEADLINE_S,
        message_id: str | None = None,
    ) -> Answer:
        return await self.inner.ask(queue, command, deadline_s=deadline_s, message_id=message_id)

    async def events(
        self,
        queue: str,
        workflow_id: str,
        run_id: str | None,
        after_seq: int,
        *,
        deadline_s: float | None = DEADLINE_S,
    ) -> EventsPage | Answer:
        return await self.inner.events(queue, workflow_id, run_id, after_seq, deadline_s=deadline_s)

    async def executions(
        self,
        query: str,
        *,
        page_size: int,
        page_token: str = "",
        deadline_s: float | None = DEADLINE_S,
    ) -> ExecutionsPage:
        return await self.inner.executions(
            query, page_size=page_size, page_token=page_token, deadline_s=deadline_s
        )

    async def count_executions(
        self, query: str, *, deadline_s: float | None = DEADLINE_S
    ) -> ExecutionsCount:
        return await self.inner.count_executions(query, deadline_s=deadline_s)

    async def search_attributes(self) -> Mapping[str, str]:
        return await self.inner.search_attributes()

    async def declare_search_attributes(self, wanted: Mapping[str, str]) -> None:
        await self.inner.declare_search_attributes(wanted)

    async def forget_search_attributes(self, names: Sequence[str]) -> None:
        await self.inner.forget_search_attributes(names)

    async def prepare_queue(self, queue: str) -> None:
        await self.inner.prepare_queue(queue)

    async def resume_schedules(self) -> None:
        await self.inner.resume_schedules()

    def now_ms(self) -> int:
        return self.inner.now_ms()

    async def find_queue(
        self, workflow_id: str, run_id: str | None, *, deadline_s: float | None = DEADLINE_S
    ) -> str:
        return await self.inner.find_queue(workflow_id, run_id, deadline_s=deadline_s)

    async def queues(self) -> Mapping[str, QueueEntry]:
        return await self.inner.queues()

    def sibling(self, namespace: str) -> Transport:
        return self.inner.sibling(namespace)

    def set_metadata(self, metadata: Mapping[str, str | bytes], api_key: str | None) -> None:
        self.inner.set_metadata(metadata, api_key)

    async def close(self) -> None:
        """Nothing: the inner one stays."""


def unwrapped(transport: Transport) -> Transport:
    """The innermost."""
    while isinstance(transport, WrappedTransport):
        transport = transport.inner
    return transport
