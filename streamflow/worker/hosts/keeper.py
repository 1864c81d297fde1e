"""Answers for a queue of an environment's log while no Worker serves it: what its runs are, their histories and results.

A keeper is a Worker without the code of anybody's workflows, so runs wait in it as they are. It gives way to any Worker of
its process: two processors of one queue would share its partitions, and one of them could not step.
"""

from __future__ import annotations

import asyncio
from typing import Any

from streamflow import workflow
from streamflow.worker.hosts.yielding import NOBODY, Place, announce_keeper, forget_keeper
from streamflow.worker.worker import Worker


@workflow.defn(name=NOBODY)
class Nobody:
    """What a keeper registers, as a processor must register something. Never started."""

    @workflow.run
    async def run(self) -> None:
        """Ends at once."""


class Keeper:
    """One queue's, on the event loop that started it."""

    def __init__(self, client: Any, queue: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._place: Place = (client.log.cluster_id, client.namespace, queue)
        self._worker = Worker(
            client, task_queue=queue, workflows=[Nobody], no_remote_activities=True
        )
        self._running: asyncio.Future[None] | None = None

    async def start(self) -> bool:
        """Whether it serves the queue now; not if a Worker does, or is about to."""
        if not announce_keeper(self._place, self._stop_from_anywhere):
            return False
        self._running = asyncio.ensure_future(self._worker.run())
        started = asyncio.ensure_future(self._worker._started.wait())
        await asyncio.wait([started, self._running], return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._running.done():
            forget_keeper(self._place)
            return False
        return True

    async def stop(self) -> None:
        """Returns when it has handed the queue over. Again: does nothing."""
        await self._worker.shutdown()
        if self._running is not None:
            await asyncio.wait([self._running])
        forget_keeper(self._place)

    async def _stop_from_anywhere(self) -> None:
        if asyncio.get_running_loop() is self._loop:
            await self.stop()
        else:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.stop(), self._loop))


async def start(client: Any, queue: str) -> Keeper | None:
    """``None`` if somebody serves the queue, or is about to."""
    keeper = Keeper(client, queue)
    return keeper if await keeper.start() else None
