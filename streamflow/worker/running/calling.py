"""Calls an activity's function: awaited on the loop, in a thread, or in another process.

A thread shares everything with the worker. Another process shares only what a `SharedStateManager` carries: an event for
the cancellation, one for the worker's shutdown, and heartbeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from streamflow.activity.cancellation import SharedCancellation, ThreadInterrupt
from streamflow.activity.context import Context, Info, Signal, enter
from streamflow.activity.definition import ActivityDefinition
from streamflow.converter import DataConverter, PayloadConverter
from streamflow.converter.transferring import transferring
from streamflow.exceptions import CancelledError
from streamflow.worker.running.attempt import Attempt
from streamflow.worker.running.shared_state import SharedHeartbeatSender, SharedStateManager


class Caller:
    """Where a worker's sync activities run."""

    def __init__(
        self,
        threads: Executor | None,
        shared: SharedStateManager | None,
        shutdown: Signal,
        converter: DataConverter,
    ) -> None:
        """``threads`` of ``None`` is the loop's default executor; one that is no thread pool needs ``shared``."""
        self.executor = threads
        self._shared = shared
        self._shutdown = shutdown
        self._converter_class = converter.payload_converter_class
        self._shutdown_event: Any = None

    async def call(
        self,
        attempt: Attempt,
        definition: ActivityDefinition,
        context: Context,
        args: Sequence[Any],
    ) -> Any:
        if definition.is_async:
            return await definition.fn(*args)
        threads = self.executor
        if threads is None or isinstance(threads, ThreadPoolExecutor):
            variables = copy_context()
            return await asyncio.get_running_loop().run_in_executor(
                threads, lambda: variables.run(_in_thread, attempt, definition, context, args)
            )
        return await self._in_process(attempt, definition, context, args)

    async def _in_process(
        self,
        attempt: Attempt,
        definition: ActivityDefinition,
        context: Context,
        args: Sequence[Any],
    ) -> Any:
        shared = self._shared
        assert shared is not None, "checked when the worker was made"
        info = context.info
        cancelled = await asyncio.to_thread(shared.new_event)
        shutdown = await self._shared_shutdown(shared)
        # Telling another process means speaking to it, which may block: the loop must not.
        attempt.cancellation.listen(lambda: _elsewhere(cancelled.set))
        sender = await shared.register_heartbeater(
            info.task_token, lambda *details: context.heartbeat(details)
        )
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self.executor,
                _run_in_process,
                info,
                sender,
                cancelled,
                shutdown,
                self._converter_class,
                definition.fn,
                tuple(args),
            )
        finally:
            await shared.unregister_heartbeater(info.task_token)

    async def _shared_shutdown(self, shared: SharedStateManager) -> Any:
        if self._shutdown_event is None:
            event = await asyncio.to_thread(shared.new_event)
            if self._shutdown_event is None:
                self._shutdown_event = event
                self._shutdown.listen(lambda: _elsewhere(event.set))
        return self._shutdown_event


def _elsewhere(tell: Callable[[], None]) -> None:
    """From the loop, in a thread; a manager that is gone by then has no activities left to tell."""

    def call() -> None:
        try:
            tell()
        except (EOFError, OSError):
            return

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        call()
    else:
        loop.run_in_executor(None, call)


def _in_thread(
    attempt: Attempt, definition: ActivityDefinition, context: Context, args: Sequence[Any]
) -> Any:
    """On the thread. What is raised into it may strike at any point, so the result is kept before the thread is safe."""
    if attempt.cancellation.requested:
        raise CancelledError("Cancelled before it began")
    if definition.no_thread_cancel_exception:
        return definition.fn(*args)
    interrupt = ThreadInterrupt(attempt.cancellation)
    context.interrupt = interrupt
    results: list[Any] = []
    try:
        try:
            results.append(definition.fn(*args))
        finally:
            interrupt.finish()
    except CancelledError:
        interrupt.finish()
        if not results:
            raise
    return results[0]


def _run_in_process(
    info: Info,
    sender: SharedHeartbeatSender,
    cancelled: Any,
    shutdown: Any,
    converter_class: type[PayloadConverter],
    fn: Callable[..., Any],
    args: Sequence[Any],
) -> Any:
    """In the other process: everything that came here was pickled."""
    enter(
        Context(
            make_info=lambda: info,
            heartbeat=lambda details: sender.send_heartbeat(info.task_token, *details),
            cancellation=SharedCancellation(cancelled),
            worker_shutdown=SharedCancellation(shutdown),
            payload_converter=transferring(converter_class()),
            is_async=False,
        )
    )
    return fn(*args)
