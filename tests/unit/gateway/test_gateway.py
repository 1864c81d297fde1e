"""The HTTP API and the client that speaks it, joined in one process: no socket, and a stand-in for the processor."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from streamflow.api.common.v1 import WorkflowExecution
from streamflow.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeWorkflowExecutionRequest,
    ListNamespacesRequest,
)
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowAlreadyStartedError,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
)
from streamflow.client.http import api_v1
from streamflow.client.http.transport import HttpTransport
from streamflow.client.log.requests import Timing
from streamflow.client.log.transport import LogTransport
from streamflow.common import PinnedVersioningOverride, Priority, WorkerDeploymentVersion
from streamflow.gateway import application
from streamflow.gateway.routes import ROUTES
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import (
    Answer,
    Description,
    Done,
    HistoryPage,
    QueryAnswer,
    Reason,
    Rejection,
    RunResult,
)
from streamflow.model.commands import (
    AwaitResult,
    CancelWorkflow,
    DescribeWorkflow,
    FetchHistory,
    QueryWorkflow,
    Received,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
    WaitFor,
)
from streamflow.model.events import SignalReceived
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.model.payload import Payload
from streamflow.wire.events import encode_event
from tests.unit.client.responder import Responder

pytestmark = pytest.mark.asyncio

RUN = RunId("run-1")
ODD_ID = "orders/2026 #1?ü%2F"
BASE = "http://localhost"


def number(value: int) -> Payload:
    return Payload({"encoding": b"json/plain"}, str(value).encode())


def engine(received: Received) -> Answer | None:
    """Answers as a processor would for a workflow that counts."""
    match received.command:
        case StartWorkflow(workflow_id="taken"):
            return Rejection(reason=Reason.ALREADY_STARTED, message="taken", run_id=RUN)
        case StartWorkflow(wait_for=WaitFor.RESULT) | AwaitResult():
            return RunResult(run_id=RUN, status=Status.COMPLETED, result=number(42))
        case StartWorkflow():
            return Done(run_id=RUN, first_run_id=RUN, started=True)
        case QueryWorkflow(query_name="broken"):
            return Rejection(reason=Reason.QUERY_FAILED, message="it raised")
        case QueryWorkflow(args=args):
            return QueryAnswer(result=args[0])
        case SignalWorkflow() | CancelWorkflow() | TerminateWorkflow():
            return Done(run_id=RUN)
        case DescribeWorkflow(workflow_id=workflow_id):
            return Description(
                workflow_id=workflow_id,
                run_id=RUN,
                first_run_id=RUN,
                namespace="default",
                queue="q",
                workflow_type="Count",
                status=Status.RUNNING,
                started_ms=1_780_000_000_000,
                memo={"note": number(7)},
            )
        case FetchHistory(workflow_id=workflow_id, after_seq=after):
            value = encode_event(
                workflow_id, RUN, after + 1, 1, 5, SignalReceived(name=f"s{after + 1}")
            )
            return HistoryPage(
                run_id=RUN,
                records=((b"", value),),
                next_after_seq=after + 1,
                more=after < 2,
                closed=False,
            )
        case _:
            raise AssertionError(received)


@pytest_asyncio.fixture
async def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest_asyncio.fixture
async def responder(broker: MemoryBroker) -> Responder:
    return Responder(broker, "q", engine)


@pytest_asyncio.fixture
async def app(broker: MemoryBroker, responder: Responder) -> AsyncIterator[ASGIApp]:
    timing = Timing(sweep_s=0.005, resend_s=0.02)
    transport = LogTransport(MemoryLog(broker, "gateway"), "default", timing=timing)
    yield application({"default": transport})
    await transport.close()


@pytest_asyncio.fixture
async def client(app: ASGIApp) -> AsyncIterator[Client]:
    transport = HttpTransport(BASE, "default", transport=httpx.ASGITransport(app))
    async with Client(transport) as client:
        yield client


@pytest_asyncio.fixture
async def http(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as http:
        yield http


async def test_a_workflow_is_started_and_awaited_over_http(client: Client) -> None:
    """Start, result, signal, cancel and terminate are what they are over a log."""
    handle = await client.start_workflow("Count", 1, id="w", task_queue="q")

    assert handle.result_run_id == RUN
    assert await handle.result() == 42
    await handle.signal("add", 3)
    await handle.cancel(reason="enough")
    await handle.terminate(reason="now")


async def test_a_start_says_over_http_what_it_says_over_a_log(
    client: Client, responder: Responder
) -> None:
    """All but what runs alone say of each other; priority and versions are easily forgotten, having defaults."""
    of_runs = {"parent", "chain", "origin", "last_result", "last_failure"}
    version = WorkerDeploymentVersion("shop", "2")

    await client.start_workflow(
        "Count",
        id="w",
        task_queue="q",
        priority=Priority(priority_key=2),
        versioning_override=PinnedVersioningOverride(version),
    )

    given = {*StartWorkflow.__struct_fields__} - of_runs
    assert {*api_v1.StartBody.__struct_fields__} - {"queue"} == given
    [received] = responder.seen
    assert isinstance(received.command, StartWorkflow)
    assert received.command.priority == 2
    assert "shop" in received.command.version_override


async def test_execute_is_one_request(client: Client, responder: Responder) -> None:
    """The start carries the wait for its result through the gateway."""
    assert await client.execute_workflow("Count", id="w", task_queue="q") == 42
    assert len(responder.seen) == 1


async def test_a_workflow_id_may_hold_anything(client: Client, responder: Responder) -> None:
    """Slashes, spaces, question marks and escapes come through as they are."""
    assert await client.get_workflow_handle(ODD_ID).query("same", 5) == 5

    assert responder.seen[-1].command.workflow_id == ODD_ID


async def test_a_description_comes_through(client: Client) -> None:
    """What is known of a run is the same over HTTP, payloads included."""
    description = await client.get_workflow_handle("w").describe()

    assert description.status is WorkflowExecutionStatus.RUNNING
    assert description.workflow_type == "Count"
    assert await description.memo() == {"note": 7}


async def test_a_history_is_read_page_by_page(client: Client) -> None:
    """All pages of one run make its history."""
    history = await client.get_workflow_handle("w").fetch_history()

    assert [recorded.seq for recorded in history.recorded] == [1, 2, 3]
    assert history.run_id == RUN


async def test_a_refusal_is_the_same_error_as_over_a_log(client: Client) -> None:
    """Reasons survive the way: an ID that is taken, a query that raised."""
    with pytest.raises(WorkflowAlreadyStartedError) as taken:
        await client.start_workflow("Count", id="taken", task_queue="q")
    assert taken.value.run_id == RUN

    with pytest.raises(WorkflowQueryFailedError, match="it raised"):
        await client.get_workflow_handle("w").query("broken")


async def test_a_missing_queue_is_not_found(client: Client) -> None:
    """A start on a queue that nobody made names the command that makes it."""
    with pytest.raises(RPCError, match="topology apply") as caught:
        await client.start_workflow("Count", id="w", task_queue="elsewhere")

    assert caught.value.status is RPCStatusCode.NOT_FOUND


async def test_a_namespace_that_is_not_served_is_said_at_once(app: ASGIApp) -> None:
    """Connecting to the wrong gateway fails at `open`."""
    transport = HttpTransport(BASE, "other", transport=httpx.ASGITransport(app))

    with pytest.raises(RPCError, match="default"):
        await transport.open()
    await transport.close()


async def test_raw_requests_come_through_where_the_api_has_them(client: Client) -> None:
    """Descriptions do, and whether a namespace is served; what else its log has does not."""
    service = client.workflow_service
    execution = WorkflowExecution(workflow_id="w")

    described = await service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(execution=execution)
    )
    served = await service.describe_namespace(DescribeNamespaceRequest(namespace="default"))

    assert described.workflow_execution_info.type.name == "Count"
    assert served.namespace_info.name == "default"
    with pytest.raises(RPCError) as caught:
        await service.describe_namespace(DescribeNamespaceRequest(namespace="other"))
    assert caught.value.status is RPCStatusCode.NOT_FOUND
    with pytest.raises(RPCError, match="where the log is") as caught:
        await service.list_namespaces(ListNamespacesRequest())
    assert caught.value.status is RPCStatusCode.UNIMPLEMENTED


async def test_the_same_message_id_reaches_the_log(
    http: httpx.AsyncClient, responder: Responder
) -> None:
    """A caller's own message ID is the command's, so that its copies are known as such."""
    body = {"queue": "q", "workflow_id": "w", "workflow_type": "Count"}

    for _ in range(2):
        answer = await http.post(
            "/api/v1/namespaces/default/workflows", json=body, headers={"sf-message-id": "mine"}
        )
        assert answer.status_code == 200

    assert [received.envelope.message_id for received in responder.seen] == ["mine", "mine"]


async def test_a_result_that_is_not_there_yet_is_running(
    http: httpx.AsyncClient, responder: Responder
) -> None:
    """A long poll that runs out is an answer, and the asker polls again."""
    responder.answering = lambda _: None

    answer = await http.get(
        "/api/v1/namespaces/default/workflows/w/result", params={"wait_ms": 10, "queue": "q"}
    )

    assert answer.json()["status"] == "running"


@pytest.mark.parametrize(
    ("method", "path", "content", "expected"),
    [
        ("POST", "/namespaces/default/workflows", b"{", 400),
        ("POST", "/namespaces/default/workflows", b'{"queue": 5}', 400),
        ("POST", "/namespaces/default/workflows/w/signal", b"[" * 5000, 400),
        ("POST", "/namespaces/default/workflows/w/signal", b" " * 5_000_000, 400),
        ("GET", "/namespaces/default/workflows/w/result?wait_ms=-1", None, 400),
        ("GET", "/namespaces/default/workflows/w/result?wait_ms=99999999", None, 400),
        ("GET", "/namespaces/nowhere/queues", None, 404),
        ("GET", "/moon", None, 404),
        ("DELETE", "/namespaces/default/workflows/w", None, 405),
    ],
)
async def test_a_bad_request_is_a_problem_with_a_reason(
    http: httpx.AsyncClient, method: str, path: str, content: bytes | None, expected: int
) -> None:
    """Whatever is sent, the answer is a problem document that says what was expected."""
    answer = await http.request(method, "/api/v1" + path, content=content)

    assert answer.status_code == expected
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Expected" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"origin": "http://localhost"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1:8233", "origin": "http://127.0.0.1:8233"}, 200),
    ],
)
async def test_pages_of_other_sites_are_refused(
    http: httpx.AsyncClient, headers: dict[str, str], expected: int
) -> None:
    """Neither a foreign origin nor a foreign name for this host is served."""
    answer = await http.get("/api/v1/health", headers=headers)

    assert answer.status_code == expected


async def test_the_api_describes_every_route(http: httpx.AsyncClient) -> None:
    """The OpenAPI document has each operation, and every reference in it leads somewhere."""
    answer = await http.get("/api/v1/openapi.json")

    document = answer.json()
    described = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert described == {route.name for route in ROUTES}
    for reference in _references(document):
        name = reference.removeprefix("#/components/schemas/")
        assert name in document["components"]["schemas"], reference
    assert document["paths"]["/api/v1/namespaces/{namespace}/workflows"]["post"]["requestBody"]


def _references(value: object) -> list[str]:
    match value:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [found for inner in value.values() for found in _references(inner)]
        case list():
            return [found for inner in value for found in _references(inner)]
        case _:
            return []


async def test_queues_are_listed_and_found(http: httpx.AsyncClient) -> None:
    """The directory, and where a workflow is."""
    listed = await http.get("/api/v1/namespaces/default/queues")
    found = await http.get("/api/v1/namespaces/default/workflows/w/queue")

    assert [queue["name"] for queue in listed.json()["queues"]] == ["q"]
    assert found.json() == {"queue": "q"}


async def test_nobody_at_the_address_is_unavailable() -> None:
    """An address without a gateway says how to start one."""
    async with Client(HttpTransport("http://127.0.0.1:9", "default")) as client:
        with pytest.raises(RPCError, match="streamflow dev") as caught:
            await client.transport.ask(
                "q", DescribeWorkflow(workflow_id=WorkflowId("w")), deadline_s=0.05
            )

    assert caught.value.status is RPCStatusCode.UNAVAILABLE


async def test_a_payload_is_base64_in_json(http: httpx.AsyncClient) -> None:
    """The wire form of a payload is that of the history file."""
    body = {"query_name": "same", "args": [msgspec.to_builtins(number(9))]}

    answer = await http.post("/api/v1/namespaces/default/workflows/w/query", json=body)

    assert answer.json() == {
        "result": {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "OQ=="}
    }
