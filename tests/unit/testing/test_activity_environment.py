"""Activities on their own: what they are told, what they say, and how they are stopped."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from typing import Any

import pytest

from streamflow import activity
from streamflow.exceptions import CancelledError
from streamflow.runtime import MetricBuffer, Runtime, TelemetryConfig
from streamflow.testing import ActivityEnvironment


@activity.defn
async def report(step: int) -> int:
    activity.heartbeat("step", step)
    return step + activity.info().attempt


def double(value: int) -> int:
    return value * 2


@pytest.mark.asyncio
async def test_an_async_activity_is_awaited_with_its_surroundings() -> None:
    """The activity sees the info that the test sets, and the test sees its heartbeats."""
    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.info, attempt=10)
    seen: list[Any] = []
    env.on_heartbeat = lambda *details: seen.append(details)

    assert await env.run(report, 5) == 15
    assert seen == [("step", 5)]


def test_a_sync_activity_just_runs() -> None:
    """A sync function needs no loop, and leaves nothing behind."""
    assert ActivityEnvironment().run(double, 21) == 42
    assert not activity.in_activity()


@pytest.mark.asyncio
async def test_cancelling_stops_an_async_activity() -> None:
    """The activity's task is cancelled, and it can say why."""
    env = ActivityEnvironment()
    began = asyncio.Event()

    async def wait() -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            assert activity.is_cancelled()
        return "cleaned up"

    running = asyncio.ensure_future(env.run(wait))
    await began.wait()
    env.cancel()

    assert await running == "cleaned up"


@pytest.mark.asyncio
async def test_cancelling_raises_into_a_sync_activitys_thread() -> None:
    """A thread that computes is interrupted by `CancelledError`."""
    env = ActivityEnvironment()
    began = threading.Event()

    def compute() -> None:
        began.set()
        while True:
            sum(range(10))

    running = asyncio.ensure_future(asyncio.to_thread(env.run, compute))
    await asyncio.to_thread(began.wait)
    env.cancel()

    with pytest.raises(CancelledError):
        await running


@pytest.mark.asyncio
async def test_a_worker_that_shuts_down_is_seen_by_the_activity() -> None:
    """Shutdown is told apart from cancellation."""
    env = ActivityEnvironment()

    async def wait() -> bool:
        await activity.wait_for_worker_shutdown()
        return activity.is_worker_shutdown() and not activity.is_cancelled()

    running = asyncio.ensure_future(env.run(wait))
    env.worker_shutdown()

    assert await running


def test_metrics_are_made_of_the_environments_meter() -> None:
    """They carry what the attempt's info says."""
    env = ActivityEnvironment()
    buffer = MetricBuffer(100)
    env.metric_meter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter

    env.run(lambda: activity.metric_meter().create_counter("orders").add(2))

    [update] = [u for u in buffer.retrieve_updates() if u.metric.name == "orders"]
    assert update.value == 2
    assert update.attributes["task_queue"] == "test"
    assert update.attributes["activity_type"] == "unknown"


@pytest.mark.asyncio
async def test_a_thread_that_is_not_to_be_interrupted_is_left_alone() -> None:
    """It finds out by itself."""
    env = ActivityEnvironment()

    @activity.defn(no_thread_cancel_exception=True)
    def wait() -> bool:
        activity.wait_for_cancelled_sync(20)
        return activity.is_cancelled()

    running = asyncio.ensure_future(asyncio.to_thread(env.run, wait))
    await asyncio.sleep(0.05)
    env.cancel()

    assert await running


def test_activity_without_a_client_says_that_none_is_available() -> None:
    @activity.defn
    async def ask() -> None:
        activity.client()

    with pytest.raises(RuntimeError, match="No client available"):
        asyncio.run(ActivityEnvironment().run(ask))
