"""An environment answers for runs while no Worker serves their queue, and makes room for one that comes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.client import Client, WorkflowAlreadyStartedError, WorkflowExecutionStatus
from streamflow.common import WorkflowIDConflictPolicy
from streamflow.service import RPCError, RPCStatusCode
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Replayer, Worker


@workflow.defn
class Shout:
    @workflow.run
    async def run(self, word: str) -> str:
        return word.upper()


@pytest_asyncio.fixture(params=["skipping", "local"])
async def env(request: pytest.FixtureRequest) -> AsyncIterator[WorkflowEnvironment]:
    if request.param == "local":
        started = WorkflowEnvironment.start_local()
    else:
        started = WorkflowEnvironment.start_time_skipping()
    async with await started as env:
        yield env


async def shouted(env: WorkflowEnvironment) -> str:
    """A finished workflow whose worker has gone."""
    async with Worker(env.client, task_queue=f"q-{uuid.uuid4()}", workflows=[Shout]) as worker:
        name = f"shout-{uuid.uuid4()}"
        await env.client.execute_workflow(Shout.run, "hey", id=name, task_queue=worker.task_queue)
    return name


@pytest.mark.asyncio
async def test_a_finished_run_can_be_read_after_its_worker(env: WorkflowEnvironment) -> None:
    handle = env.client.get_workflow_handle(await shouted(env))

    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert await handle.result() == "HEY"
    await Replayer(workflows=[Shout]).replay_workflow(await handle.fetch_history())


@pytest.mark.asyncio
async def test_a_client_of_its_own_can_read_it_too(env: WorkflowEnvironment) -> None:
    """Connected by the environment's address, as tests do that want another converter."""
    name = await shouted(env)

    async with await Client.connect(env.client.service_client.config.target_host) as other:
        assert await other.get_workflow_handle(name).result() == "HEY"


@pytest.mark.asyncio
async def test_an_open_run_can_be_described_before_its_worker_which_then_runs_it(
    env: WorkflowEnvironment,
) -> None:
    queue = f"q-{uuid.uuid4()}"
    handle = await env.client.start_workflow(
        Shout.run, "hey", id=f"shout-{uuid.uuid4()}", task_queue=queue
    )
    result = asyncio.ensure_future(handle.result())

    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    async with Worker(env.client, task_queue=queue, workflows=[Shout]):
        assert await asyncio.wait_for(result, 20) == "HEY"


@pytest.mark.asyncio
async def test_a_second_start_is_refused_before_there_is_a_worker(env: WorkflowEnvironment) -> None:
    """As there would be one, whether its result is awaited or not; the first goes on when one comes."""
    queue, name = f"q-{uuid.uuid4()}", f"shout-{uuid.uuid4()}"
    handle = await env.client.start_workflow(Shout.run, "hey", id=name, task_queue=queue)

    for start in (env.client.start_workflow, env.client.execute_workflow):
        with pytest.raises(WorkflowAlreadyStartedError):
            await asyncio.wait_for(start(Shout.run, "you", id=name, task_queue=queue), 20)
    joined = await env.client.start_workflow(
        Shout.run,
        "you",
        id=name,
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )

    assert joined.result_run_id == (await handle.describe()).run_id
    async with Worker(env.client, task_queue=queue, workflows=[Shout]):
        assert await asyncio.wait_for(joined.result(), 20) == "HEY"


@pytest.mark.asyncio
async def test_an_unknown_workflow_is_not_found_though_queues_are_unserved(
    env: WorkflowEnvironment,
) -> None:
    for _ in range(2):
        await shouted(env)

    with pytest.raises(RPCError) as caught:
        await env.client.get_workflow_handle("nobody-started-this").describe()

    assert caught.value.status is RPCStatusCode.NOT_FOUND
