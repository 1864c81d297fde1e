"""Activities in every way that needs more than one hand, on a real broker: completed from outside, in other processes, paused
through a restart, and started by a client alone."""

from __future__ import annotations

import asyncio
import multiprocessing
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from streamflow import activity, workflow
from streamflow.client import Client, PendingActivity, WorkflowHandle
from streamflow.common import RetryPolicy
from streamflow.gateway import Gateway
from streamflow.worker import SharedStateManager, Worker
from tests.unit.worker import pool_activities as pooled

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]
QUEUE = "desk"
SPAWN = multiprocessing.get_context("spawn")
tokens: asyncio.Queue[bytes] = asyncio.Queue()


@activity.defn
async def approve() -> str:
    await tokens.put(activity.info().task_token)
    activity.raise_complete_async()


@activity.defn
async def stubborn() -> int:
    if activity.info().attempt < 3:
        raise RuntimeError("not yet")
    return activity.info().attempt


@workflow.defn
class Call:
    @workflow.run
    async def run(self, name: str, args: list[Any]) -> Any:
        return await workflow.execute_activity(
            name,
            args=args,
            activity_id="it",
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=timedelta(minutes=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=300)),
        )


class Stage(NamedTuple):
    client: Client
    bootstrap: str
    work: Callable[..., Any]


@pytest_asyncio.fixture
async def stage(kafka_bootstrap: str, tmp_path: Path) -> AsyncIterator[Stage]:
    namespace = f"t-{uuid.uuid4().hex[:10]}"
    tokens.__init__()  # type: ignore[misc]  # of this test's event loop

    async with await Client.connect(
        kafka_bootstrap, namespace=namespace, create_topics=True
    ) as client:

        @asynccontextmanager
        async def work(
            activities: list[Callable[..., Any]], state: str = "state", **options: Any
        ) -> AsyncIterator[Worker]:
            worker = Worker(
                client,
                task_queue=QUEUE,
                workflows=[Call],
                activities=activities,
                max_cached_workflows=0,
                partitions=1,
                name="desk",
                state_dir=tmp_path / state,
                **options,
            )
            async with worker:
                yield worker

        yield Stage(client, kafka_bootstrap, work)


async def until(
    handle: WorkflowHandle[Any, Any], wanted: Callable[[PendingActivity], bool]
) -> PendingActivity:
    found: Sequence[PendingActivity] = ()
    for _ in range(600):
        found = (await handle.describe()).pending_activities
        if found and wanted(found[0]):
            return found[0]
        await asyncio.sleep(0.05)
    raise AssertionError(f"Expected another state of the activity, found {found}")


async def test_an_activity_is_completed_from_outside_after_its_worker_is_gone(stage: Stage) -> None:
    """By its token, over HTTP, while another worker has taken the partition over with nothing on its disk."""
    async with stage.work([approve]):
        handle = await stage.client.start_workflow(
            Call.run, args=["approve", []], id="w", task_queue=QUEUE
        )
        token = await asyncio.wait_for(tokens.get(), 30)
        await until(handle, lambda it: it.last_started_time is not None)

    async with (
        stage.work([approve], state="another"),
        Gateway({stage.client.namespace: stage.client.transport}) as gateway,
        await Client.connect(gateway.url, namespace=stage.client.namespace) as outsider,
    ):
        await outsider.get_async_activity_handle(task_token=token).heartbeat("seen")
        await outsider.get_async_activity_handle(task_token=token).complete("yes")

        assert await handle.result() == "yes"
        assert tokens.empty()


async def test_a_paused_activity_stays_so_through_a_restart_from_the_log(stage: Stage) -> None:
    """Its worker comes back without its state, and begins no attempt until it is let."""
    async with stage.work([stubborn]):
        handle = await stage.client.start_workflow(
            Call.run, args=["stubborn", []], id="w", task_queue=QUEUE
        )
        await until(handle, lambda it: it.attempt >= 1)
        await handle.pause_activity("it", reason="look")
        held = await until(handle, lambda it: it.state == "paused")

    async with stage.work([stubborn], state="another"):
        await asyncio.sleep(1)
        again = await until(handle, lambda it: it.is_paused)
        assert (again.attempt, again.pause_reason) == (held.attempt, "look")
        await handle.unpause_activity("it")

        assert await handle.result() == 3


async def test_activities_run_in_other_processes(stage: Stage) -> None:
    """Heartbeats of theirs reach the next attempt through the log."""
    with SPAWN.Manager() as manager, ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        async with stage.work(
            [pooled.beat_then_fail, pooled.Doubler()],
            activity_executor=pool,
            shared_state_manager=SharedStateManager.create_from_multiprocessing(manager),
        ):
            beaten = await stage.client.execute_workflow(
                Call.run, args=["beat_then_fail", []], id="beats", task_queue=QUEUE
            )
            doubled = await stage.client.execute_workflow(
                Call.run, args=["Doubler", [21]], id="doubles", task_queue=QUEUE
            )

    assert (beaten, doubled) == ([1, 2], 42)


async def test_a_client_has_an_activity_made_without_a_workflow(
    stage: Stage, tmp_path: Path
) -> None:
    """By a worker with activities alone, on a queue of activities alone."""
    client = stage.client
    worker = Worker(
        client,
        task_queue="alone",
        activities=[stubborn],
        partitions=1,
        name="alone",
        state_dir=tmp_path / "alone",
    )
    async with worker:
        handle = await client.start_activity(
            stubborn,
            id="one",
            task_queue="alone",
            start_to_close_timeout=timedelta(minutes=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
            rpc_timeout=timedelta(seconds=30),
        )

        assert await handle.result() == 3
        assert (await handle.describe()).attempt == 3
