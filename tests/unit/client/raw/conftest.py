"""A client in memory, and a worker of its queue."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from streamflow.client import Client
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker
from tests.unit.client.raw.programs import QUEUE, Hears, Retries, fails


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue=QUEUE, workflows=[Hears, Retries], activities=[fails]),
    ):
        yield env.client
