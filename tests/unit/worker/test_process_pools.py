"""Sync activities in other processes: values, heartbeats, cancellation, shutdown, and what is refused."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.client import WorkflowFailureError, WorkflowHandle
from streamflow.common import RetryPolicy
from streamflow.exceptions import ActivityError, ApplicationError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import SharedStateManager, Worker
from tests.unit.worker import pool_activities as pooled

SPAWN = multiprocessing.get_context("spawn")


@workflow.defn
class Call:
    """Calls one activity, and may be told to cancel it."""

    def __init__(self) -> None:
        self.enough = False

    @workflow.signal
    def stop(self) -> None:
        self.enough = True

    @workflow.run
    async def run(self, name: str, args: list[Any]) -> Any:
        handle = workflow.start_activity(
            name,
            args=args,
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1)),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.wait_condition(lambda: self.enough or handle.done())
        if self.enough:
            handle.cancel()
        return await handle


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Executor, SharedStateManager]]:
    with SPAWN.Manager() as manager, ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        yield pool, SharedStateManager.create_from_multiprocessing(manager)


@asynccontextmanager
async def calling(
    shared: tuple[Executor, SharedStateManager],
    activities: Sequence[Callable[..., Any]],
    **options: Any,
) -> AsyncIterator[Callable[..., Any]]:
    queue = f"q-{uuid.uuid4().hex[:8]}"
    pool, state = shared
    async with await WorkflowEnvironment.start_time_skipping() as env:
        worker = Worker(
            env.client,
            task_queue=queue,
            workflows=[Call],
            activities=activities,
            activity_executor=pool,
            shared_state_manager=state,
            **options,
        )
        async with worker:
            number = iter(range(100))

            async def call(name: str, *args: Any) -> Any:
                return await env.client.start_workflow(
                    Call.run, args=[name, [*args]], id=f"call-{next(number)}", task_queue=queue
                )

            yield call


async def until_begun(handle: WorkflowHandle[Any, Any]) -> None:
    for _ in range(500):
        [pending] = (await handle.describe()).pending_activities
        if pending.last_heartbeat_time is not None:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("Expected the activity to begin")


@pytest.mark.asyncio
async def test_an_activity_in_another_process_is_told_all_that_it_needs(
    shared: tuple[Executor, SharedStateManager],
) -> None:
    """Its info and the converter come with it; methods and callable objects go too."""
    activities: list[Callable[..., Any]] = [pooled.where, pooled.Counter(40).add, pooled.Doubler()]
    async with calling(shared, activities) as call:
        found = await (await call("where", "Ada")).result()
        assert found[0] != os.getpid()
        assert found[1:] == ["where", 1, "Ada", True]
        assert await (await call("add", 2)).result() == 42
        assert await (await call("Doubler", 21)).result() == 42


@pytest.mark.asyncio
async def test_heartbeats_of_another_process_reach_the_next_attempt(
    shared: tuple[Executor, SharedStateManager],
) -> None:
    """Those that an attempt sent before it failed are passed on before its failure is."""
    async with calling(shared, [pooled.beat_then_fail]) as call:
        assert await (await call("beat_then_fail")).result() == [1, 2]


@pytest.mark.asyncio
async def test_a_failure_keeps_its_type_and_details_across_processes(
    shared: tuple[Executor, SharedStateManager],
) -> None:
    async with calling(shared, [pooled.fail]) as call:
        with pytest.raises(WorkflowFailureError) as failed:
            await (await call("fail")).result()

    assert isinstance(failed.value.cause, ActivityError)
    cause = failed.value.cause.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, list(cause.details)) == ("no", "Refused", ["why"])


@pytest.mark.asyncio
async def test_a_cancellation_is_seen_in_the_other_process(
    shared: tuple[Executor, SharedStateManager],
) -> None:
    async with calling(shared, [pooled.wait_until_stopped]) as call:
        handle = await call("wait_until_stopped")
        await until_begun(handle)
        await handle.signal(Call.stop)
        assert await handle.result() == "stopped"


@pytest.mark.asyncio
async def test_the_workers_shutdown_is_seen_in_the_other_process(
    shared: tuple[Executor, SharedStateManager],
) -> None:
    """It ends in its own way within the graceful timeout."""
    graceful = timedelta(seconds=20)
    async with calling(
        shared, [pooled.wait_until_shutdown], graceful_shutdown_timeout=graceful
    ) as call:
        handle = await call("wait_until_shutdown")
        await until_begun(handle)


@pytest.mark.asyncio
async def test_a_pool_that_breaks_ends_the_worker() -> None:
    """Nothing more can run in it; another worker may do better."""
    with SPAWN.Manager() as manager, ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        state = SharedStateManager.create_from_multiprocessing(manager)
        with pytest.raises(RuntimeError, match="Activity worker failed") as ended:
            async with calling((pool, state), [pooled.die]) as call:
                await (await call("die")).result()
    assert isinstance(ended.value.__cause__, BrokenProcessPool)


@pytest.mark.asyncio
async def test_what_cannot_run_in_another_process_is_refused_when_the_worker_is_made() -> None:
    """Without shared state nothing could be said to it, and what is not picklable does not get there."""

    class Locked:
        def __init__(self) -> None:
            self.lock = threading.Lock()

        @activity.defn
        def hold(self) -> None: ...

    async with await WorkflowEnvironment.start_time_skipping() as env:
        with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
            with pytest.raises(ValueError, match="shared_state_manager must be present"):
                Worker(env.client, task_queue="q", activities=[pooled.fail], activity_executor=pool)
            with SPAWN.Manager() as manager, pytest.raises(TypeError, match="must be picklable"):
                Worker(
                    env.client,
                    task_queue="q",
                    activities=[Locked().hold],
                    activity_executor=pool,
                    shared_state_manager=SharedStateManager.create_from_multiprocessing(manager),
                )
