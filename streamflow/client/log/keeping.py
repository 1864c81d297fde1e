"""Sees to it that an environment's queues answer while no Worker serves them: what runs are, their histories and results,
and that a second start is refused.

Only of logs within this process, where a test's environment asks for it: elsewhere somebody else may serve the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from streamflow.model.commands import (
    AwaitResult,
    Command,
    DescribeWorkflow,
    FetchHistory,
    StartWorkflow,
)
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.client.log.requests import Pending
    from streamflow.client.log.transport import LogTransport

_KEEPER = "streamflow.worker.hosts.keeper"
"""A Worker, which stands above whoever asks for it, so it is found by its name."""

LOOK_S = 0.3
"""How often an unanswered caller looks whether the queue is served."""
LINGER_S = 0.3
"""For so long a keeper stays when nobody waits for it any more: one read seldom comes alone."""
REMEMBERED_MAX = 100_000
"""Workflows whose queue is remembered."""


_kept_targets: set[str] = set()


@contextmanager
def kept(target: str) -> Generator[None]:
    """Within it, every client that connects to this log has its queues kept: the log is a test's environment."""
    _kept_targets.add(target)
    try:
        yield
    finally:
        _kept_targets.discard(target)


def is_kept(target: str) -> bool:
    return target in _kept_targets


class Keeper(Protocol):
    """Whoever serves a queue that nobody else serves."""

    async def stop(self) -> None: ...


class Keeping:
    """Of one transport."""

    def __init__(self, transport: LogTransport) -> None:
        self._transport = transport
        self._keepers: dict[str, Keeper] = {}
        self._wanting: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._queues: dict[str, str] = {}
        self._closed = False

    # -- where workflows are ------------------------------------------------------------------------------------

    def remember(self, workflow_id: str, queue: str) -> None:
        if len(self._queues) < REMEMBERED_MAX:
            self._queues[workflow_id] = queue

    async def find_queue(self, workflow_id: str, unknown: RPCError | None = None) -> str | None:
        """Where the workflow is, as far as that is known without asking; with ``unknown``, as lists have it."""
        if queue := self._queues.get(workflow_id):
            return queue
        if unknown is None:
            return None
        quoted = workflow_id.replace("\\", "\\\\").replace("'", "\\'")
        page = await self._transport.executions(f"WorkflowId = '{quoted}'", page_size=1)
        for row in page.executions:
            return row.queue
        raise RPCError(
            f"workflow not found for ID: {workflow_id}", RPCStatusCode.NOT_FOUND
        ) from unknown

    # -- who answers --------------------------------------------------------------------------------------------

    def serves(self, command: Command, queue: str) -> bool:
        """Questions; and a further start of a workflow, which may have to be refused."""
        if isinstance(command, StartWorkflow):
            return self._queues.get(command.workflow_id) == queue
        return isinstance(command, AwaitResult | DescribeWorkflow | FetchHistory)

    async def look_after(self, pending: Pending) -> None:
        """Returns when the request is answered; begins a keeper if nobody else is there to answer it."""
        queue = pending.queue
        while not pending.future.done():
            await asyncio.wait([pending.future], timeout=LOOK_S)
            if pending.future.done() or self._closed:
                return
            if await self._transport.live_members(queue):
                continue
            self._wanting[queue] = self._wanting.get(queue, 0) + 1
            try:
                await self._begin(queue)
                await asyncio.wait([pending.future], timeout=2)
            finally:
                self._wanting[queue] -= 1
                if pending.future.done():
                    await asyncio.sleep(LINGER_S)
                await self._end_if_unwanted(queue)

    async def stop(self) -> None:
        self._closed = True
        for queue in tuple(self._keepers):
            await self._end_if_unwanted(queue, wanted=False)

    async def _begin(self, queue: str) -> None:
        from streamflow.client.client import Client  # not at the top: it is made of a transport

        async with self._locks.setdefault(queue, asyncio.Lock()):
            if queue in self._keepers or self._closed:
                return
            module: Any = import_module(_KEEPER)
            keeper: Keeper | None = await module.start(Client(self._transport), queue)
            if keeper is not None:
                self._keepers[queue] = keeper

    async def _end_if_unwanted(self, queue: str, *, wanted: bool = True) -> None:
        async with self._locks.setdefault(queue, asyncio.Lock()):
            if wanted and self._wanting.get(queue):
                return
            keeper = self._keepers.pop(queue, None)
            if keeper is not None:
                await keeper.stop()
