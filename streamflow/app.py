"""What runs together on one task queue: an `App` is declared once, and run by code, by `streamflow dev` or a worker.

app = App("orders", workflows=[Order], activities=[charge, refund])

asyncio.run(app.run("localhost:9092"))      # or: streamflow dev shop.orders:app
"""

from __future__ import annotations

import asyncio
import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from streamflow.client import Client, NotYetError
from streamflow.config import DEFAULT_NAMESPACE, share_interpreter
from streamflow.converter import DataConverter
from streamflow.coroutine.definition import definition_of
from streamflow.worker.conflicts import AppConflict, refuse_difference
from streamflow.worker.reaching import once_reached

if TYPE_CHECKING:
    from streamflow.runtime import Runtime
    from streamflow.timetravel import CodeAtHand
    from streamflow.worker import Worker

__all__ = ["App", "AppConflict", "refuse_conflicts", "run_apps", "run_workers"]


class App:
    """A task queue with the workflows and activities that serve it.

    ``options`` are those of `Worker` (``max_concurrent_activities``, ``graceful_shutdown_timeout`` and so on).
    """

    def __init__(
        self,
        queue: str,
        *,
        workflows: Sequence[type] = (),
        activities: Sequence[Callable[..., Any]] = (),
        namespace: str = DEFAULT_NAMESPACE,
        data_converter: DataConverter = DataConverter.default,
        **options: Any,
    ) -> None:
        """Raises ValueError when there is nothing to run, or a class is no workflow."""
        if not workflows and not activities:
            raise ValueError(f"Expected workflows or activities for queue {queue!r}, found neither")
        self.queue = queue
        self.workflows: tuple[type, ...] = tuple(workflows)
        self.activities: tuple[Callable[..., Any], ...] = tuple(activities)
        self.namespace = namespace
        self.data_converter = data_converter
        self.options: Mapping[str, Any] = options
        self.workflow_types: frozenset[str] = frozenset(
            definition_of(workflow).name or "(dynamic)" for workflow in workflows
        )

    def __repr__(self) -> str:
        return f"App({self.queue!r}, namespace={self.namespace!r})"

    def worker(self, client: Client, **options: Any) -> Worker:
        """A Worker that serves this queue with this code; ``options`` override the App's own.

        Without an ``activity_executor``, sync activities have threads, one for each slot.
        """
        from streamflow.worker import Worker
        from streamflow.worker.registry import ThreadPerSlot

        given: dict[str, Any] = {"activity_executor": ThreadPerSlot(), **self.options, **options}
        return Worker(
            client,
            task_queue=self.queue,
            workflows=self.workflows,
            activities=self.activities,
            **given,
        )

    def only(self, part: Literal["workflows", "activities"]) -> App | None:
        """The App with one half of its work, for processes that share it; ``None`` where it has none of that.

        Beside workflows, activities are there for local use; activity tasks of the queue are left to others.
        """
        takes_tasks = bool(self.activities) and not self.options.get("no_remote_activities")
        if not (self.workflows if part == "workflows" else takes_tasks):
            return None
        half = copy.copy(self)
        if part == "workflows":
            half.options = {**self.options, "no_remote_activities": True}
        else:
            half.workflows = ()
            half.workflow_types = frozenset()
        return half

    def code(self) -> CodeAtHand:
        """Its workflows for replays, with the converter and the interceptors that its workers have."""
        from streamflow.timetravel import CodeAtHand

        return CodeAtHand.of_worker(
            self.workflows,
            namespace=self.namespace,
            data_converter=self.data_converter,
            options=self.options,
        )

    async def run(
        self,
        target: str,
        *,
        create_topics: bool | None = None,
        config: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Serves the queue on the log at ``target`` until it is cancelled.

        Raises:
            AppConflict: an App or Worker of this process serves the queue with other workflows.
            RPCError: the log could not be reached for five minutes (each try is a warning, ``log_unavailable``), or the queue
                was never made and ``create_topics`` is off.
        """
        await run_apps([self], target, create_topics=create_topics, config=config, **options)

    def on_topic(self, *_args: Any, **_options: Any) -> NoReturn:
        """Not in this release: binding topics of one's own to workflows."""
        raise NotYetError("App.on_topic")


async def run_apps(
    apps: Sequence[App],
    target: str,
    *,
    create_topics: bool | None = None,
    config: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    runtime: Runtime | None = None,
    made: Callable[[Sequence[Worker]], None] | None = None,
    **options: Any,
) -> None:
    """Serves several Apps on one log until cancelled, or until one of them fails, which is then raised.

    ``options`` override those of each App; ``defaults`` are for what an App leaves open. ``made`` is given the workers
    before they run. ``runtime``: where metrics go. Default: `Runtime.default`.
    """
    refuse_conflicts(apps)
    if target.startswith("embedded:"):
        share_interpreter()
    async with AsyncExitStack() as stack:
        workers: list[Worker] = []
        for app in apps:
            connect = partial(
                Client.connect,
                target,
                namespace=app.namespace,
                data_converter=app.data_converter,
                create_topics=create_topics,
                config=config,
                runtime=runtime,
            )
            client = await once_reached(connect, target)
            await stack.enter_async_context(client)
            await client.transport.resume_schedules()
            workers.append(app.worker(client, **{**(defaults or {}), **app.options, **options}))
        if made is not None:
            made(workers)
        await run_workers(workers)


async def run_workers(workers: Sequence[Worker]) -> None:
    """Runs until cancelled or until one ends; the others are shut down, and what ended the first is raised."""
    running = [asyncio.ensure_future(worker.run()) for worker in workers]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for worker, task in zip(workers, running, strict=True):
            if not task.done():
                await worker.shutdown()
        outcomes = await asyncio.gather(*running, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


def refuse_conflicts(apps: Sequence[App]) -> None:
    """Raises `AppConflict` when two Apps serve one queue with different workflows, before any of them runs.

    What else runs in this process each Worker looks at when it starts.
    """
    for app, other in itertools.combinations(apps, 2):
        if (app.namespace, app.queue) == (other.namespace, other.queue):
            refuse_difference(app.namespace, app.queue, app.workflow_types, other.workflow_types)
