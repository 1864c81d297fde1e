"""Quotas as a caller meets them: an embedded log, a worker, and a client that tries again."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from streamflow import activity, topology, workflow
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
)
from streamflow.client.connecting import log_of
from streamflow.gateway import Gateway
from streamflow.model.settings import NamespaceEntry
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio

QUEUE = "orders"


@workflow.defn
class Order:
    @workflow.run
    async def run(self) -> str:
        return "done"


def _declare(client: Client, *, partitions: int = 1, **quota: float) -> None:
    """Before there is a worker, which therefore knows of it from its start."""
    log, namespace = log_of(client.transport), client.namespace
    topology.ensure_queue(
        log, namespace, QUEUE, kind="workflow", partitions=partitions, create=True
    )
    topology.write_namespace(log, NamespaceEntry(name=namespace, **quota))  # type: ignore[arg-type]  # as the caller says


async def test_a_start_beyond_the_quota_is_told_what_to_do() -> None:
    """Once the call's time is over, with the status that the model has for it."""
    async with await WorkflowEnvironment.start_local() as env:
        await env.client.transport.open()
        _declare(env.client, open_workflows_max=0)
        async with Worker(env.client, task_queue=QUEUE, workflows=[Order]):
            with pytest.raises(RPCError, match="--open-workflows-max N") as refused:
                await env.client.start_workflow(
                    Order.run, id="a", task_queue=QUEUE, rpc_timeout=timedelta(seconds=0.7)
                )

    assert refused.value.status is RPCStatusCode.RESOURCE_EXHAUSTED


@activity.defn
async def charge() -> str:
    return "charged"


async def test_activities_and_schedules_are_not_bound_by_the_namespaces_quota() -> None:
    """They are workflows of streamflow's own, on queues of their own."""
    action = ScheduleActionStartWorkflow(Order.run, id="a", task_queue=QUEUE)
    state = ScheduleState(paused=True)
    async with await WorkflowEnvironment.start_local() as env:
        await env.client.transport.open()
        _declare(env.client, open_workflows_max=0)
        async with Worker(env.client, task_queue=QUEUE, workflows=[Order], activities=[charge]):
            charged = await env.client.execute_activity(
                charge, id="c", task_queue=QUEUE, start_to_close_timeout=timedelta(seconds=9)
            )
            made = await env.client.create_schedule(
                "s", Schedule(action, ScheduleSpec(), state=state)
            )
            await made.trigger()
            described = await made.describe()

    assert charged == "charged"
    assert described.info.num_actions == 1


@pytest.mark.parametrize("way", ["log", "http"])
async def test_a_client_tries_again_when_it_was_refused_for_now(way: str) -> None:
    """The second start of a second waits for its turn, without the caller's knowing; its result is awaited as any other."""
    async with await WorkflowEnvironment.start_local() as env, AsyncExitStack() as open_:
        client = env.client
        await client.transport.open()
        _declare(client, starts_per_second=1.0)
        await open_.enter_async_context(Worker(client, task_queue=QUEUE, workflows=[Order]))
        if way == "http":
            gateway = Gateway({client.namespace: client.transport})
            await open_.enter_async_context(gateway)
            client = await open_.enter_async_context(
                await Client.connect(gateway.url, namespace=client.namespace)
            )
        results = [
            await client.execute_workflow(Order.run, id=name, task_queue=QUEUE)
            for name in ("a", "b")
        ]
        runs = await env.client.count_workflows("WorkflowType = 'Order'")

    assert results == ["done", "done"]
    assert runs.count == 2
