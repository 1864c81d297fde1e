"""Where an example runs, and how a test waits there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from streamflow.app import App
from streamflow.client import Client
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

T = TypeVar("T")
PATIENCE_S = 30.0
LOOK_EVERY_S = 0.01
SHORT = timedelta(seconds=1)


@dataclass(frozen=True)
class Stage:
    """An environment, and how long the waits of an example may be in it."""

    environment: WorkflowEnvironment
    folder: Path

    @property
    def client(self) -> Client:
        return self.environment.client

    @property
    def skips_time(self) -> bool:
        return self.environment.supports_time_skipping

    def worker(self, app: App) -> Worker:
        return app.worker(self.client, state_dir=self.folder, name="examples", partitions=2)

    def wait(self, usual: timedelta) -> timedelta:
        """The usual time where it is skipped, else a short one."""
        return usual if self.skips_time else SHORT


async def until(ask: Callable[[], Awaitable[T]], good: Callable[[T], bool]) -> T:
    """Asks until the answer is good, and returns it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await ask()
            if good(answer):
                return answer
            await asyncio.sleep(LOOK_EVERY_S)
