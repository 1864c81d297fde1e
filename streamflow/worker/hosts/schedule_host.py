"""Runs schedules: an ordinary Worker on the queue that they live on."""

from __future__ import annotations

import asyncio
from typing import Any

from streamflow import activity
from streamflow.converter import DataConverter
from streamflow.exceptions import StreamflowError
from streamflow.schedules.carrying import AsStored
from streamflow.schedules.facts import SCHEDULES_QUEUE
from streamflow.schedules.workflow import TERMINATE, ScheduleWorkflow
from streamflow.worker.worker import Worker

PARTITIONS = 4
"""Of the schedules' queue where it is made on first use."""


class ScheduleHost:
    """A Worker of schedules, with the one thing that workflow code cannot do."""

    def __init__(self, client: Any) -> None:
        self._client = client
        reader = DataConverter(payload_converter_class=AsStored)
        self.worker = Worker(
            type(client)(**{**client.config(), "data_converter": reader}),
            task_queue=SCHEDULES_QUEUE,
            workflows=[ScheduleWorkflow],
            activities=[self.terminate],
            partitions=PARTITIONS,
        )
        self._running: asyncio.Future[None] | None = None

    @activity.defn(name=TERMINATE)
    async def terminate(self, workflow_id: str) -> None:
        """Ends an action because the next one is due."""
        try:
            await self._client.get_workflow_handle(workflow_id).terminate(
                reason="terminated by its schedule: the next action is due"
            )
        except StreamflowError as error:
            # Its class, RPCError, stands above us.
            status: object = getattr(error, "status", None)
            if getattr(status, "name", "") != "NOT_FOUND":
                raise

    async def start(self) -> None:
        """Returns when schedules are served; raises what kept the Worker from it."""
        # Not as `async with`: that would interrupt whoever happened to ask first when the Worker fails later.
        self._running = asyncio.ensure_future(self.worker.run())
        started = asyncio.ensure_future(self.worker._started.wait())
        await asyncio.wait([started, self._running], return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._running.done():
            self._running.result()

    async def stop(self) -> None:
        await self.worker.shutdown()
        assert self._running is not None
        await asyncio.wait([self._running])


async def start(client: Any) -> ScheduleHost:
    host = ScheduleHost(client)
    await host.start()
    return host
