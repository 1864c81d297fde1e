"""Keeps the activities that clients start, on a log within this process: an ordinary Worker on the queue that they live on."""

from __future__ import annotations

import asyncio
from typing import Any

from streamflow.model import standalone
from streamflow.worker.hosts.standalone import StandaloneActivity, hosted
from streamflow.worker.worker import Worker


class StandaloneHost:
    """One for a log and namespace is enough: while it runs, the process's activity workers leave the queue to it."""

    def __init__(self, client: Any, key: tuple[str, str]) -> None:
        self._key = key
        self._worker = Worker(client, task_queue=standalone.QUEUE, workflows=[StandaloneActivity])
        self._running: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Returns when the queue is served; raises what kept the Worker from it."""
        self._running = asyncio.ensure_future(self._worker.run())
        started = asyncio.ensure_future(self._worker._started.wait())
        await asyncio.wait([started, self._running], return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._running.done():
            self._running.result()

    async def stop(self) -> None:
        hosted.discard(self._key)
        await self._worker.shutdown()
        assert self._running is not None
        await asyncio.wait([self._running])


async def start(client: Any) -> StandaloneHost | None:
    """``None`` if another client of this process has begun one."""
    key = (client.log.cluster_id, client.namespace)
    if key in hosted:
        return None
    hosted.add(key)
    try:
        host = StandaloneHost(client, key)
        await host.start()
    except BaseException:
        hosted.discard(key)
        raise
    return host
