"""Plugins of a worker and of a replayer: each may change what they are made of, and wrap how they run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamflow.worker.replay.replayer import Replayer, ReplayerConfig, WorkflowReplayResult
    from streamflow.worker.settings import WorkerConfig
    from streamflow.worker.worker import Worker

Results = AbstractAsyncContextManager["AsyncIterator[WorkflowReplayResult]"]


class Plugin(ABC):
    """Give it to `Worker(plugins=[...])`; the first is asked first, and runs outermost.

    Those of the worker's client that are worker plugins too stand before the worker's own.
    """

    def name(self) -> str:
        """What it is called in messages. Default: its class, with the module."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @abstractmethod
    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """The arguments to make the worker of: those given, changed or not."""

    @abstractmethod
    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Runs the worker to its end, by awaiting ``next(worker)``."""

    @abstractmethod
    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """The arguments to make a replayer of: those given, changed or not."""

    @abstractmethod
    def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[Any],
        next: Callable[[Replayer, AsyncIterator[Any]], Results],
    ) -> Results:
        """A context within which the results come, usually ``next(replayer, histories)``."""


async def run_through(
    plugins: Sequence[Plugin], run: Callable[[Worker], Awaitable[None]], worker: Worker
) -> None:
    """Runs the worker with the first plugin outermost."""
    for plugin in reversed(plugins):
        run = partial(_run_by, plugin, run)
    await run(worker)


async def _run_by(
    plugin: Plugin, next: Callable[[Worker], Awaitable[None]], worker: Worker
) -> None:
    await plugin.run_worker(worker, next)
