"""The attempt that the calling code is part of: what it is, how it reports progress, how it learns to stop.

The worker's executor and the test environment make a `Context` for each attempt and set it for the attempt's task or
thread. Public functions here work on that one, and raise a RuntimeError outside of activities.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn, Protocol

from streamflow.activity.cancellation import (
    ActivityCancellationDetails,
    Cancellation,
    ThreadInterrupt,
)
from streamflow.common import MetricMeter, Priority, RetryPolicy
from streamflow.converter import PayloadConverter


@dataclass(frozen=True)
class Info:
    """What an attempt knows of itself."""

    activity_id: str
    activity_type: str
    attempt: int
    """Counted from 1: retries, and redeliveries of one attempt after a worker ended in it (see ``docs/operations.md``)."""
    current_attempt_scheduled_time: datetime
    heartbeat_details: Sequence[Any]
    heartbeat_timeout: timedelta | None
    is_local: bool
    namespace: str
    schedule_to_close_timeout: timedelta | None
    scheduled_time: datetime
    start_to_close_timeout: timedelta | None
    started_time: datetime
    task_queue: str
    task_token: bytes
    workflow_id: str | None
    workflow_namespace: str | None
    workflow_run_id: str | None
    workflow_type: str | None
    priority: Priority
    retry_policy: RetryPolicy | None
    activity_run_id: str | None = None

    @property
    def in_workflow(self) -> bool:
        """Whether a workflow asked for this activity."""
        return self.workflow_id is not None

    def _logger_details(self) -> Mapping[str, Any]:
        return {
            "activity_id": self.activity_id,
            "activity_type": self.activity_type,
            "attempt": self.attempt,
            "namespace": self.namespace,
            "task_queue": self.task_queue,
            "workflow_id": self.workflow_id,
            "workflow_run_id": self.workflow_run_id,
            "workflow_type": self.workflow_type,
        }


class CompleteAsyncError(BaseException):
    """Raised by `raise_complete_async`: the activity's end will be reported by someone else."""


class Signal(Protocol):
    """Something that happens once, awaited from tasks and threads."""

    @property
    def is_set(self) -> bool: ...

    def listen(self, listener: Callable[[], None]) -> None: ...

    def ignore(self, listener: Callable[[], None]) -> None: ...

    def wait(self, timeout_s: float | None) -> None: ...


class Stop(Protocol):
    """Whether and why an attempt is to stop, as its code asks."""

    @property
    def details(self) -> ActivityCancellationDetails | None: ...

    @property
    def requested(self) -> bool: ...

    def listen(self, listener: Callable[[], None]) -> None: ...

    def ignore(self, listener: Callable[[], None]) -> None: ...

    def wait(self, timeout_s: float | None) -> None: ...


class Once:
    """A thread-safe event of no thread or loop in particular."""

    def __init__(self) -> None:
        self._cancellation = Cancellation()

    @property
    def is_set(self) -> bool:
        return self._cancellation.requested

    def set(self) -> None:
        self._cancellation.request(ActivityCancellationDetails(worker_shutdown=True))

    def listen(self, listener: Callable[[], None]) -> None:
        self._cancellation.listen(listener)

    def ignore(self, listener: Callable[[], None]) -> None:
        self._cancellation.ignore(listener)

    def wait(self, timeout_s: float | None) -> None:
        self._cancellation.wait(timeout_s)


class Context:
    """One attempt, as its code sees it. ``make_info`` is called when somebody asks for it first."""

    __slots__ = (
        "_info",
        "_make_info",
        "_redirected_info",
        "cancellation",
        "client",
        "heartbeat",
        "interrupt",
        "is_async",
        "meter",
        "payload_converter",
        "worker_shutdown",
    )

    def __init__(
        self,
        *,
        make_info: Callable[[], Info],
        heartbeat: Callable[[Sequence[Any]], None],
        cancellation: Stop,
        worker_shutdown: Signal,
        payload_converter: PayloadConverter,
        client: Any = None,
        is_async: bool = True,
    ) -> None:
        self._make_info = make_info
        self._info: Info | None = None
        self._redirected_info: Callable[[], Info] | None = None
        self.heartbeat: Callable[[Sequence[Any]], None] = heartbeat
        self.cancellation: Stop = cancellation
        self.worker_shutdown: Signal = worker_shutdown
        self.payload_converter: PayloadConverter = payload_converter
        self.client: Any = client
        self.is_async: bool = is_async
        self.meter: MetricMeter | None = None
        """Set where metrics do not go to the client's runtime."""
        self.interrupt: ThreadInterrupt | None = None

    @property
    def info(self) -> Info:
        if self._redirected_info is not None:
            return self._redirected_info()
        if self._info is None:
            self._info = self._make_info()
        return self._info

    def redirect(
        self, *, info: Callable[[], Info], heartbeat: Callable[[Sequence[Any]], None]
    ) -> None:
        """Puts interceptors between the code and what it asks for."""
        self._redirected_info = info
        self.heartbeat = heartbeat


_current: ContextVar[Context] = ContextVar("streamflow_activity")


def current() -> Context:
    """The context of the running attempt. For our own shells; user code has the functions below."""
    context = _current.get(None)
    if context is None:
        # In a thread of the activity's own, the call is to run in a copy of its contextvars.
        raise RuntimeError("Not in activity context")
    return context


def enter(context: Context) -> None:
    """Makes this the running attempt of the present task or thread (of the present contextvars context)."""
    _current.set(context)


# -- for activity code --------------------------------------------------------------------------------------------


def in_activity() -> bool:
    """Whether the caller is part of a running activity."""
    return _current.get(None) is not None


def info() -> Info:
    """What the running attempt knows of itself."""
    return current().info


def heartbeat(*details: Any) -> None:
    """Reports that the attempt lives, and how far it is. Sent at most once per 0.8 of the heartbeat timeout.

    The next attempt finds the last details in `info().heartbeat_details`. Cancellation is learned by heartbeats too.
    """
    current().heartbeat(details)


def is_cancelled() -> bool:
    """Whether the attempt has been asked to stop."""
    return current().cancellation.requested


def cancellation_details() -> ActivityCancellationDetails | None:
    """Why the attempt has been asked to stop; ``None`` if it has not."""
    return current().cancellation.details


async def wait_for_cancelled() -> None:
    """Returns when the attempt is asked to stop (the task itself is cancelled then, too)."""
    cancellation = current().cancellation
    await _wait(cancellation.listen, cancellation.ignore)


def wait_for_cancelled_sync(timeout: timedelta | float | None = None) -> None:
    """Blocks until the attempt is asked to stop, or until ``timeout`` (in seconds if a number) has passed."""
    current().cancellation.wait(_seconds(timeout))


@contextmanager
def shield_thread_cancel_exception() -> Generator[None, None, None]:
    """Within the block no `CancelledError` is raised into a sync activity's thread; one that is due comes at its end."""
    interrupt = current().interrupt
    if interrupt is None:
        yield
        return
    shield: AbstractContextManager[None] = interrupt.shield()
    with shield:
        yield


def is_worker_shutdown() -> bool:
    """Whether the worker is shutting down; the attempt may go on until the graceful timeout."""
    return current().worker_shutdown.is_set


async def wait_for_worker_shutdown() -> None:
    """Returns when the worker begins to shut down."""
    shutdown = current().worker_shutdown
    await _wait(shutdown.listen, shutdown.ignore)


def wait_for_worker_shutdown_sync(timeout: timedelta | float | None = None) -> None:
    """Blocks until the worker begins to shut down, or until ``timeout`` has passed."""
    current().worker_shutdown.wait(_seconds(timeout))


def client() -> Any:
    """The worker's client, for async activities (a sync one cannot await its calls)."""
    context = current()
    if not context.is_async:
        raise RuntimeError(
            "No client available. The client is only available in `async def` activities, found a sync one; its thread cannot await the "
            "client's calls"
        )
    if context.client is None:
        raise RuntimeError(
            "No client available: expected an activity whose test gave it one, found none; use ActivityEnvironment(client=...)"
        )
    return context.client


def payload_converter() -> PayloadConverter:
    """The worker's payload converter."""
    return current().payload_converter


def raise_complete_async() -> NoReturn:
    """Ends the function without ending the activity: someone else completes it, by `info().task_token` or by its ID.

    Its timeouts go on; heartbeats and the end come through `Client.get_async_activity_handle`.
    """
    raise CompleteAsyncError


def metric_meter() -> MetricMeter:
    """The worker's meter, with namespace, task queue and activity type as attributes.

    In another process, and in tests without a client, metrics go nowhere.
    """
    context = current()
    meter = context.meter
    if meter is None:
        meter = MetricMeter.noop if context.client is None else context.client.runtime.metric_meter
    of = context.info
    return meter.with_additional_attributes(
        {
            "namespace": of.namespace,
            "task_queue": of.task_queue,
            "activity_type": of.activity_type,
        }
    )


# -- waiting ------------------------------------------------------------------------------------------------------

Listen = Callable[[Callable[[], None]], None]


async def _wait(listen: Listen, ignore: Listen) -> None:
    loop = asyncio.get_running_loop()
    happened: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not happened.done():
            happened.set_result(None)

    def tell() -> None:
        loop.call_soon_threadsafe(settle)

    listen(tell)
    try:
        await happened
    finally:
        ignore(tell)


def _seconds(timeout: timedelta | float | None) -> float | None:
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
