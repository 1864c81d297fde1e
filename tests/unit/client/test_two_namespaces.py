"""Two namespaces on one log know nothing of each other, whatever in them has the same name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from streamflow import activity, topology, workflow
from streamflow.api.workflowservice.v1 import RegisterNamespaceRequest
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from streamflow.exceptions import TerminatedError, WorkflowAlreadyStartedError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio

QUEUE = "orders"


@activity.defn
async def where() -> str:
    return activity.info().namespace


@workflow.defn
class Order:
    """Notes what it hears, until it hears "stop"; then says what it heard, and where its activity ran."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: "stop" in self.heard)
        place = await workflow.execute_activity(where, start_to_close_timeout=timedelta(seconds=10))
        return [*self.heard, place, workflow.info().namespace]

    @workflow.signal
    def hear(self, word: str) -> None:
        self.heard.append(word)

    @workflow.query
    def words(self) -> list[str]:
        return self.heard

    @workflow.update
    def add(self, word: str) -> int:
        self.heard.append(word)
        return len(self.heard)


@pytest_asyncio.fixture(
    params=[("memory", 1_000), ("memory", 0), ("embedded", 1_000)], ids=lambda given: f"{given}"
)
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Client, Client]]:
    """A client of each; with none cached, every step is taken by a coroutine that was replayed."""
    where_to, cached = request.param
    make = (
        WorkflowEnvironment.start_time_skipping
        if where_to == "memory"
        else WorkflowEnvironment.start_local
    )
    async with await make(namespace="red") as env:
        options = {} if where_to == "memory" else {"create_topics": True}
        async with await env.connect_client(namespace="blue", **options) as blue:
            workers = [
                Worker(
                    client,
                    task_queue=QUEUE,
                    workflows=[Order],
                    activities=[where],
                    max_cached_workflows=cached,
                )
                for client in (env.client, blue)
            ]
            async with workers[0], workers[1]:
                yield env.client, blue


async def _ids(client: Client, query: str = "") -> list[tuple[str, str | None]]:
    return [(run.id, run.run_id) async for run in client.list_workflows(query)]


async def test_one_id_and_one_queue_are_two_workflows(both: tuple[Client, Client]) -> None:
    """Signals, queries and results are each one's own, and each one's activities run with its own worker."""
    red, blue = both
    first = await red.start_workflow(Order.run, id="w", task_queue=QUEUE)
    second = await blue.start_workflow(Order.run, id="w", task_queue=QUEUE)
    assert first.result_run_id != second.result_run_id
    with pytest.raises(WorkflowAlreadyStartedError):
        await red.start_workflow(Order.run, id="w", task_queue=QUEUE)

    await first.signal(Order.hear, "for red")
    await second.signal(Order.hear, "for blue")
    assert await first.query(Order.words) == ["for red"]
    assert await second.query(Order.words) == ["for blue"]

    for handle in (first, second):
        await handle.signal(Order.hear, "stop")
    assert await first.result() == ["for red", "stop", "red", "red"]
    assert await second.result() == ["for blue", "stop", "blue", "blue"]


async def test_what_one_remembers_the_other_takes_anew(both: tuple[Client, Client]) -> None:
    """The same update ID is answered again where it was made, and made where it was not."""
    handles = [await client.start_workflow(Order.run, id="w", task_queue=QUEUE) for client in both]

    assert await handles[0].execute_update(Order.add, "a", id="once") == 1
    assert await handles[0].execute_update(Order.add, "a", id="once") == 1
    assert await handles[0].query(Order.words) == ["a"]
    assert await handles[1].query(Order.words) == []
    assert await handles[1].execute_update(Order.add, "b", id="once") == 1
    assert await handles[1].query(Order.words) == ["b"]


async def test_lists_and_counts_show_ones_own(both: tuple[Client, Client]) -> None:
    """A run of the other namespace is in no list, and its run ID is not found."""
    red, blue = both
    first = await red.start_workflow(Order.run, id="w", task_queue=QUEUE)
    second = await blue.start_workflow(Order.run, id="w", task_queue=QUEUE)
    await blue.start_workflow(Order.run, id="only-blue", task_queue=QUEUE)

    assert await _ids(red) == [("w", first.result_run_id)]
    assert sorted(await _ids(blue, "WorkflowId = 'w'")) == [("w", second.result_run_id)]
    assert (await red.count_workflows()).count == 1
    assert (await blue.count_workflows()).count == 2
    for id_, run_id in (("only-blue", None), ("w", second.result_run_id)):
        with pytest.raises(RPCError) as refused:
            await red.get_workflow_handle(id_, run_id=run_id).describe()
        assert refused.value.status is RPCStatusCode.NOT_FOUND


async def test_ending_one_leaves_the_other(both: tuple[Client, Client]) -> None:
    """A termination ends the run of its own namespace alone."""
    red, blue = both
    first = await red.start_workflow(Order.run, id="w", task_queue=QUEUE)
    second = await blue.start_workflow(Order.run, id="w", task_queue=QUEUE)

    await first.terminate("over")

    with pytest.raises(WorkflowFailureError) as ended:
        await first.result()
    assert isinstance(ended.value.cause, TerminatedError)
    assert (await second.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_nothing_of_a_deleted_one_is_in_its_namesake() -> None:
    """Deleted while a client still lists it: lists are empty at once, and a workflow ID is free again."""
    async with (
        await WorkflowEnvironment.start_time_skipping(namespace="red") as env,
        await env.connect_client(namespace="blue") as blue,
    ):
        for client in (env.client, blue):
            async with Worker(client, task_queue=QUEUE, workflows=[Order]):
                await client.start_workflow(Order.run, id="w", task_queue=QUEUE)
                assert len(await _ids(client)) == 1

        topology.delete_namespace(blue.log, "blue")

        assert await _ids(blue) == []
        assert len(await _ids(env.client)) == 1
        async with (
            await env.connect_client(namespace="blue") as new,
            Worker(new, task_queue=QUEUE, workflows=[Order]),
        ):
            again = await new.start_workflow(Order.run, id="w", task_queue=QUEUE)
            assert await _ids(new) == [("w", again.result_run_id)]
            assert await _ids(blue) == [("w", again.result_run_id)]
            assert await again.query(Order.words) == []


@pytest.mark.parametrize("where_to", ["memory", "embedded"])
async def test_a_namespace_that_nobody_made_has_no_workers_and_no_workflows(where_to: str) -> None:
    """As the model says it: a worker ends with a RuntimeError, a call with NOT_FOUND. Registered, it is as good as any."""
    make = (
        WorkflowEnvironment.start_time_skipping
        if where_to == "memory"
        else WorkflowEnvironment.start_local
    )
    async with await make() as env:
        config = env.client.config()
        config["namespace"] = "does-not-exist"
        client = Client(**config)

        with pytest.raises(RuntimeError, match="Worker validation failed") as failed:
            await Worker(client, task_queue=QUEUE, workflows=[Order]).run()
        assert isinstance(failed.value, RPCError)
        assert failed.value.status is RPCStatusCode.NOT_FOUND
        with pytest.raises(RPCError, match="does-not-exist is not found") as refused:
            await client.start_workflow(Order.run, id="w", task_queue=QUEUE)
        assert refused.value.status is RPCStatusCode.NOT_FOUND
        assert "does-not-exist.settings" not in env.client.log.topics()

        await env.client.workflow_service.register_namespace(
            RegisterNamespaceRequest(namespace="does-not-exist")
        )
        async with Worker(client, task_queue=QUEUE, workflows=[Order], activities=[where]):
            handle = await client.start_workflow(Order.run, id="w", task_queue=QUEUE)
            await handle.signal(Order.hear, "stop")
            assert await handle.result() == ["stop", "does-not-exist", "does-not-exist"]
