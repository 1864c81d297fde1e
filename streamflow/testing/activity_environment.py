"""Runs one activity function as a worker would, without a worker: for unit tests of activities."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from streamflow.activity import ActivityCancellationDetails, Info
from streamflow.activity.cancellation import Cancellation, ThreadInterrupt
from streamflow.activity.context import Context, Once, enter
from streamflow.activity.definition import ACTIVITY, ActivityDefinition
from streamflow.client import Client
from streamflow.common import MetricMeter, Priority
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.converter import DataConverter, PayloadConverter

Params = ParamSpec("Params")
ResultT = TypeVar("ResultT")

_CANCELLED = ActivityCancellationDetails(cancel_requested=True)
_START = datetime.fromtimestamp(0, UTC)


class ActivityEnvironment:
    """An attempt's surroundings: what the activity is told of itself, and what it says.

    Example::

        env = ActivityEnvironment()
        env.on_heartbeat = lambda *details: seen.append(details)
        assert await env.run(charge, order) == receipt
    """

    def __init__(self, client: Client | None = None) -> None:
        self.info: Info = self.default_info()
        self.on_heartbeat: Callable[..., None] = lambda *_details: None
        self.payload_converter: PayloadConverter = (
            getattr(client, "data_converter", None) or DataConverter.default
        ).payload_converter
        self.metric_meter: MetricMeter = MetricMeter.noop
        """Where the activity's metrics go. Default: nowhere."""
        self._client = client
        self._cancellation = Cancellation()
        self._shutdown = Once()

    @staticmethod
    def default_info() -> Info:
        """An attempt of a workflow's activity called ``unknown``; `dataclasses.replace` changes what a test needs."""
        return Info(
            activity_id="test",
            activity_type="unknown",
            attempt=1,
            current_attempt_scheduled_time=_START,
            heartbeat_details=[],
            heartbeat_timeout=None,
            is_local=False,
            namespace=DEFAULT_NAMESPACE,
            schedule_to_close_timeout=timedelta(seconds=1),
            scheduled_time=_START,
            start_to_close_timeout=timedelta(seconds=1),
            started_time=_START,
            task_queue="test",
            task_token=b"test",
            workflow_id="test",
            workflow_namespace=DEFAULT_NAMESPACE,
            workflow_run_id="test-run",
            workflow_type="test",
            priority=Priority.default,
            retry_policy=None,
        )

    def cancel(
        self,
        cancellation_details: ActivityCancellationDetails = _CANCELLED,
    ) -> None:
        """Asks the running activity to stop: a task is cancelled, a thread gets `CancelledError` raised into it."""
        self._cancellation.request(cancellation_details)

    def worker_shutdown(self) -> None:
        """Tells the activity that its worker is shutting down."""
        self._shutdown.set()

    def run(
        self, fn: Callable[Params, ResultT], *args: Params.args, **kwargs: Params.kwargs
    ) -> ResultT:
        """What the function returns: a value, or for an async function something to await."""
        # Of callable objects the call itself may be async.
        is_async = any(map(inspect.iscoroutinefunction, (fn, getattr(fn, "__call__", None))))  # noqa: B004
        context = Context(
            make_info=lambda: self.info,
            heartbeat=self._heartbeat,
            cancellation=self._cancellation,
            worker_shutdown=self._shutdown,
            payload_converter=self.payload_converter,
            client=self._client,
            is_async=is_async,
        )
        context.meter = self.metric_meter
        if is_async:
            waiting: Any = self._run_async(context, lambda: fn(*args, **kwargs))
            result: ResultT = waiting
            return result
        value: ResultT = contextvars.copy_context().run(
            self._run_sync, context, lambda: fn(*args, **kwargs), _may_interrupt(fn)
        )
        return value

    def _heartbeat(self, details: Sequence[Any]) -> None:
        self.on_heartbeat(*details)

    async def _run_async(self, context: Context, call: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        task = loop.create_task(_entered(context, call))

        def cancel() -> None:
            loop.call_soon_threadsafe(task.cancel)

        self._cancellation.listen(cancel)
        try:
            return await task
        finally:
            self._cancellation.ignore(cancel)

    def _run_sync(self, context: Context, call: Callable[[], Any], may_interrupt: bool) -> Any:
        enter(context)
        if not may_interrupt:
            return call()
        interrupt = ThreadInterrupt(self._cancellation)
        context.interrupt = interrupt
        try:
            return call()
        finally:
            interrupt.finish()


def _may_interrupt(fn: Callable[..., Any]) -> bool:
    """Whether `CancelledError` may be raised into its thread: unless its definition says not to."""
    definition = getattr(fn, ACTIVITY, None)
    return not (
        isinstance(definition, ActivityDefinition) and definition.no_thread_cancel_exception
    )


def _entered(context: Context, call: Callable[[], Awaitable[Any]]) -> Coroutine[Any, Any, Any]:
    async def run() -> Any:
        enter(context)
        return await call()

    return run()
