"""A running engine with the UI in front of it, and how tests start workflows there and wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from streamflow.client import Client, WorkflowExecutionDescription, WorkflowHandle
from tests.ui.shop import QUEUE, Broken, Parcel, Refuse, Ship, Weigh

T = TypeVar("T")
PATIENCE_S = 30.0
LOOK_EVERY_S = 0.02


@dataclass(frozen=True)
class Stage:
    """Where the UI is, a client beside it, and a browser-like client without a browser."""

    url: str
    client: Client
    http: httpx.AsyncClient

    async def get(self, page: str, **parameters: str) -> httpx.Response:
        return await self.http.get(f"/ui/default/{page}", params=parameters)

    async def post(self, page: str, **fields: str) -> httpx.Response:
        return await self.http.post(f"/ui/default/{page}", data=fields)

    def address(self, page: str, **parameters: str) -> str:
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        return f"{self.url}/ui/default/{page}?{query}"

    # -- workflows, each started and brought to where its page is interesting

    async def waiting(self, id: str, to: str = "Ada") -> WorkflowHandle[Any, Any]:
        """Packed, and waiting for its signal."""
        handle = await self.client.start_workflow(Ship.run, Parcel(to), id=id, task_queue=QUEUE)
        await until(handle.describe, lambda found: bool(found.pending_timers))
        return handle

    async def retrying(self, id: str) -> WorkflowHandle[Any, Any]:
        """Its activity has failed once, and is tried again in an hour."""
        handle = await self.client.start_workflow(Weigh.run, Parcel("Bo"), id=id, task_queue=QUEUE)
        await until(handle.describe, _backs_off)
        return handle

    async def stuck(self, id: str, text: str = "no such colour") -> WorkflowHandle[Any, Any]:
        """Its code has raised."""
        handle = await self.client.start_workflow(Broken.run, text, id=id, task_queue=QUEUE)
        await until(handle.describe, lambda found: found.trouble is not None)
        return handle

    async def failed(self, id: str, text: str = "out of boxes") -> WorkflowHandle[Any, Any]:
        handle = await self.client.start_workflow(Refuse.run, text, id=id, task_queue=QUEUE)
        await until(handle.describe, lambda found: found.close_time is not None)
        return handle

    async def completed(self, id: str) -> WorkflowHandle[Any, Any]:
        handle = await self.waiting(id)
        await handle.signal("hand_over")
        await handle.result()
        return handle


def _backs_off(found: WorkflowExecutionDescription) -> bool:
    return any(activity.next_retry_time for activity in found.pending_activities)


async def until(ask: Callable[[], Awaitable[T]], good: Callable[[T], bool]) -> T:
    """Asks until the answer is good, and returns it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await ask()
            if good(answer):
                return answer
            await asyncio.sleep(LOOK_EVERY_S)
