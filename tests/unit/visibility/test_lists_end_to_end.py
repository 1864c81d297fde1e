"""`list_workflows` and `count_workflows` against a running engine, over each way to it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowExecutionCountAggregationGroup,
    WorkflowExecutionStatus,
)
from streamflow.client.http.transport import HttpTransport
from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from streamflow.gateway import application
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio

QUEUE = "listed"
CITY = SearchAttributeKey.for_keyword("City")


@workflow.defn
class Hello:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}!"


@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@pytest_asyncio.fixture(params=["memory", "embedded", "gateway"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    if request.param == "embedded":
        environment = await WorkflowEnvironment.start_local()
    else:
        environment = await WorkflowEnvironment.start_time_skipping()
    async with environment, Worker(environment.client, task_queue=QUEUE, workflows=[Hello, Waits]):
        if request.param != "gateway":
            yield environment.client
            return
        app = application({"default": environment.client.transport})
        over_http = HttpTransport(
            "http://localhost", "default", transport=httpx.ASGITransport(app=app)
        )
        async with Client(over_http) as client:
            yield client


async def test_a_list_just_after_a_result_has_it(client: Client) -> None:
    """Everything this client was told is in the list: status, times, memo, attributes, and the queue."""
    attributes = TypedSearchAttributes([SearchAttributePair(CITY, "Bonn")])
    handle = await client.start_workflow(
        Hello.run,
        "Ada",
        id=f"hello-{uuid.uuid4()}",
        task_queue=QUEUE,
        memo={"note": {"a": 1}},
        search_attributes=attributes,
    )
    await handle.result()

    found = [run async for run in client.list_workflows(f"WorkflowId = '{handle.id}'")]

    assert len(found) == 1
    run = found[0]
    assert (run.id, run.run_id) == (handle.id, handle.result_run_id)
    assert run.status is WorkflowExecutionStatus.COMPLETED
    assert run.workflow_type == "Hello"
    assert run.task_queue == QUEUE
    assert run.close_time is not None
    assert run.execution_time is not None
    assert run.start_time <= run.execution_time <= run.close_time
    assert run.history_length >= 3
    assert list(run.typed_search_attributes) == list(attributes)
    assert await run.memo() == {"note": {"a": 1}}
    assert await run.memo_value("note") == {"a": 1}
    assert (run.root_id, run.parent_id) == (handle.id, None)
    assert [
        one.id
        async for one in client.list_workflows("City = 'Bonn' AND ExecutionStatus = 'Completed'")
    ] == [handle.id]


async def test_lists_have_limits_and_pages(client: Client) -> None:
    """A limit is a limit; pages can be read one by one and taken up again later."""
    for number in range(5):
        await client.execute_workflow(Hello.run, "x", id=f"w-{number}", task_queue=QUEUE)
    query = "WorkflowType = 'Hello' ORDER BY WorkflowId"

    assert len([run async for run in client.list_workflows(query, limit=3)]) == 3
    assert len([run async for run in client.list_workflows(query, limit=3, page_size=2)]) == 3
    pages = client.list_workflows(query, page_size=2)
    await pages.fetch_next_page()
    assert pages.current_page is not None
    assert [run.id for run in pages.current_page] == ["w-0", "w-1"]
    rest = client.list_workflows(query, page_size=2, next_page_token=pages.next_page_token)
    assert [run.id async for run in rest] == ["w-2", "w-3", "w-4"]
    assert [run.id async for run in pages] == ["w-0", "w-1", "w-2", "w-3", "w-4"]


async def test_histories_of_a_list(client: Client) -> None:
    """What a Replayer takes: the history of each workflow that was found."""
    for number in range(3):
        await client.execute_workflow(Hello.run, "x", id=f"w-{number}", task_queue=QUEUE)

    histories = [
        history async for history in client.list_workflows("ORDER BY WorkflowId").map_histories()
    ]

    assert [history.workflow_id for history in histories] == ["w-0", "w-1", "w-2"]
    assert all(history.events for history in histories)


async def test_counts_by_status(client: Client) -> None:
    """Two still run and three have ended."""
    for number in range(3):
        await client.execute_workflow(Hello.run, "x", id=f"done-{number}", task_queue=QUEUE)
    for number in range(2):
        await client.start_workflow(Waits.run, id=f"open-{number}", task_queue=QUEUE)

    whole = await client.count_workflows(f"TaskQueue = '{QUEUE}'")
    grouped = await client.count_workflows(f"TaskQueue = '{QUEUE}' GROUP BY ExecutionStatus")

    assert (whole.count, list(whole.groups)) == (5, [])
    assert grouped.count == 5
    assert grouped.groups == [
        WorkflowExecutionCountAggregationGroup(3, ["Completed"]),
        WorkflowExecutionCountAggregationGroup(2, ["Running"]),
    ]


async def test_a_wrong_filter_is_an_invalid_argument(client: Client) -> None:
    """With the place and the nearest name, and before anything is listed."""
    with pytest.raises(RPCError) as caught:
        await anext(client.list_workflows("WorkflowTyp = 'Hello'"))

    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT
    assert "did you mean WorkflowType?" in caught.value.message
    with pytest.raises(RPCError) as caught:
        await client.count_workflows("WorkflowType ~ 'x'")
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT


async def test_declared_attributes_can_be_asked_for_before_anybody_has_them(client: Client) -> None:
    """A name that nobody declared or used is an error; a declared one finds nothing yet."""
    with pytest.raises(RPCError):
        await client.count_workflows("Region = 'north'")

    await client.transport.declare_search_attributes({"Region": "Keyword", "Rank": "Int"})

    assert (await client.count_workflows("Region = 'north' AND Rank > 3")).count == 0
    assert await client.transport.search_attributes() == {"Rank": "Int", "Region": "Keyword"}
    with pytest.raises(RPCError) as caught:
        await client.transport.declare_search_attributes({"Region": "Int"})
    assert caught.value.status is RPCStatusCode.ALREADY_EXISTS
    await client.transport.forget_search_attributes(["Rank"])
    assert await client.transport.search_attributes() == {"Region": "Keyword"}
