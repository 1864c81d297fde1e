"""Commands over a log, and what a client makes of slow, lost and missing answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from streamflow import topology
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowAlreadyStartedError,
    WorkflowFailureError,
)
from streamflow.client.log.requests import Timing
from streamflow.client.log.transport import LogTransport
from streamflow.embedded.log import EmbeddedLog
from streamflow.exceptions import TerminatedError
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import Answer, Done, Located, Reason, Rejection, RunResult
from streamflow.model.commands import (
    AwaitResult,
    Command,
    Locate,
    Received,
    SignalWorkflow,
    StartWorkflow,
    WaitFor,
)
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.model.payload import Payload
from streamflow.wire.inbox import decode_inbox
from tests.unit.client.responder import Answering, Responder

pytestmark = pytest.mark.asyncio

RUN = RunId("run-1")
QUICK = Timing(sweep_s=0.005, resend_s=0.02, renew_s=0.02, unheard_s=0.01)


@pytest_asyncio.fixture
async def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest_asyncio.fixture
async def client(broker: MemoryBroker) -> AsyncIterator[Client]:
    transport = LogTransport(MemoryLog(broker, "client"), "default", create_topics=True)
    async with Client(transport) as client:
        yield client


@pytest_asyncio.fixture
async def hasty(broker: MemoryBroker) -> AsyncIterator[Client]:
    """A client whose patience runs out in milliseconds."""
    transport = LogTransport(
        MemoryLog(broker, "hasty"), "default", create_topics=True, timing=QUICK
    )
    async with Client(transport) as client:
        yield client


def completed(value: bytes) -> RunResult:
    payload = Payload({"encoding": b"json/plain"}, value)
    return RunResult(run_id=RUN, status=Status.COMPLETED, result=payload)


async def test_a_result_costs_one_request(broker: MemoryBroker, client: Client) -> None:
    """`execute_workflow` asks for the result with the start, and is answered once."""
    responder = Responder(broker, "q", lambda _: completed(b'"hello"'))

    result = await client.execute_workflow("Greet", "World", id="w", task_queue="q")

    assert result == "hello"
    [received] = responder.seen
    assert isinstance(received.command, StartWorkflow)
    assert received.command.wait_for is WaitFor.RESULT


async def test_a_lost_answer_is_asked_for_again_under_the_same_message_id(
    broker: MemoryBroker, hasty: Client
) -> None:
    """Silence is met by sending the same message again, which the engine knows as a copy."""
    lost: list[Answer | None] = [None]
    done = Done(run_id=RUN, first_run_id=RUN, started=True)
    responder = Responder(broker, "q", lambda _: lost.pop() if lost else done)

    handle = await hasty.start_workflow("Greet", id="w", task_queue="q")

    assert handle.result_run_id == RUN
    first, second, *_ = responder.seen
    assert first.envelope.message_id == second.envelope.message_id


async def test_a_long_wait_for_a_result_becomes_a_wait_for_the_run_that_was_started(
    broker: MemoryBroker, hasty: Client
) -> None:
    """Renewed, a start that waits for its result first learns the run's ID and then awaits that run."""

    def answering(received: Received) -> Answer | None:
        match received.command:
            case StartWorkflow(wait_for=WaitFor.RESULT):
                return None
            case StartWorkflow():
                return Done(run_id=RUN, started=True)
            case AwaitResult(run_id="run-1"):
                return completed(b"7")
            case _:
                raise AssertionError(received)

    Responder(broker, "q", answering)

    assert await hasty.execute_workflow("Count", id="w", task_queue="q") == 7


async def test_a_signal_to_nobody_is_acknowledged_once_it_is_in_the_log(
    broker: MemoryBroker, hasty: Client
) -> None:
    """With no live processor a start or signal is done when it is durable; its run's ID is not known yet."""
    handle = await hasty.start_workflow("Greet", id="w", task_queue="q")
    await handle.signal("hello", 1)

    assert handle.result_run_id is None
    commands = [decode_inbox(record).command for record in broker.records("default.q.inbox")]
    assert {type(command) for command in commands} == {StartWorkflow, SignalWorkflow}


async def test_a_query_that_nobody_answers_names_the_missing_processor(
    broker: MemoryBroker, hasty: Client
) -> None:
    """DEADLINE_EXCEEDED says whether anyone was there to answer."""
    handle = await hasty.start_workflow("Greet", id="w", task_queue="q")

    with pytest.raises(RPCError, match="no live processor") as caught:
        await handle.query("state", rpc_timeout=timedelta(milliseconds=20))

    assert caught.value.status is RPCStatusCode.DEADLINE_EXCEEDED


async def test_only_a_start_makes_a_queue(broker: MemoryBroker, client: Client) -> None:
    """A signal or a query to a mistyped queue hears that there is none, and none is made."""
    handle = client.get_workflow_handle("w", task_queue="mistyped")

    for call in (handle.signal("hello"), handle.query("state"), handle.describe(), handle.result()):
        with pytest.raises(RPCError, match="mistyped") as caught:
            await call
        assert caught.value.status is RPCStatusCode.NOT_FOUND

    assert not [name for name in broker.topics() if "mistyped" in name]


async def test_a_silent_but_live_processor_is_named(broker: MemoryBroker, hasty: Client) -> None:
    """When the queue has processors, the deadline's message says which."""
    Responder(broker, "q", lambda _: None)
    handle = hasty.get_workflow_handle("w", task_queue="q")

    with pytest.raises(RPCError, match="responder-q"):
        await handle.describe(rpc_timeout=timedelta(milliseconds=20))


async def test_a_refused_start_says_which_run_is_in_the_way(
    broker: MemoryBroker, client: Client
) -> None:
    """ALREADY_STARTED has an error of its own, with the open run."""
    refusal = Rejection(reason=Reason.ALREADY_STARTED, message="taken", run_id=RUN)
    Responder(broker, "q", lambda _: refusal)

    with pytest.raises(WorkflowAlreadyStartedError) as caught:
        await client.start_workflow("Greet", id="w", task_queue="q")

    assert caught.value.run_id == RUN


async def test_a_result_follows_the_chain_of_runs(broker: MemoryBroker, client: Client) -> None:
    """Continued as new, the result is that of the last run."""

    def answering(received: Received) -> Answer | None:
        match received.command:
            case AwaitResult(run_id=None):
                return RunResult(
                    run_id=RUN, status=Status.CONTINUED_AS_NEW, new_run_id=RunId("run-2")
                )
            case AwaitResult(run_id="run-2"):
                return completed(b"2")
            case _:
                raise AssertionError(received)

    Responder(broker, "q", answering)

    assert await client.get_workflow_handle("w").result() == 2


async def test_a_terminated_run_fails_its_result(broker: MemoryBroker, client: Client) -> None:
    """A run's bad end is the cause of `WorkflowFailureError`."""
    ended = RunResult(run_id=RUN, status=Status.TERMINATED, reason="enough")
    Responder(broker, "q", lambda _: ended)

    with pytest.raises(WorkflowFailureError) as caught:
        await client.get_workflow_handle("w").result()

    assert isinstance(caught.value.cause, TerminatedError)
    assert caught.value.cause.message == "enough"


async def test_many_answers_wake_the_loop_and_find_their_askers(
    broker: MemoryBroker, client: Client
) -> None:
    """A hundred requests at once each get their own answer."""
    Responder(broker, "q", lambda received: completed(received.command.workflow_id.encode()))

    results = await asyncio.gather(
        *(client.execute_workflow("Echo", id=str(number), task_queue="q") for number in range(100))
    )

    assert results == list(range(100))


async def test_a_closed_client_gives_its_calls_up(broker: MemoryBroker, client: Client) -> None:
    """Closing ends the calls under way with CANCELLED."""
    Responder(broker, "q", lambda _: None)
    waiting = asyncio.create_task(client.execute_workflow("Greet", id="w", task_queue="q"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await client.close()

    with pytest.raises(RPCError) as caught:
        await waiting
    assert caught.value.status is RPCStatusCode.CANCELLED


async def test_a_closed_client_gives_up_what_it_has_not_sent_yet(tmp_path: Path) -> None:
    """A call looks for its queue on a thread; nobody would see to what it sent after that."""
    log = EmbeddedLog.open(tmp_path)
    topology.ensure_queue(log, "default", "q", kind="workflow", partitions=1, create=True)
    transport = LogTransport(log, "default")
    await transport.open()
    command = AwaitResult(workflow_id=WorkflowId("w"), run_id=None)
    looking = asyncio.create_task(transport.ask("q", command, deadline_s=None))
    await asyncio.sleep(0)
    await transport.close()

    with pytest.raises(RPCError) as caught:
        await asyncio.wait_for(looking, 10)
    assert caught.value.status is RPCStatusCode.CANCELLED


# -- finding a queue ----------------------------------------------------------------------------------------------


def knowing(*workflow_ids: str) -> Answering:
    def answering(received: Received) -> Answer | None:
        command: Command = received.command
        match command:
            case Locate(workflow_id=workflow_id) if workflow_id in workflow_ids:
                return Located(queue="", run_id=RUN, status=Status.RUNNING)
            case Locate():
                return Rejection(reason=Reason.NOT_FOUND, message="unknown")
            case SignalWorkflow():
                return Done(run_id=RUN)
            case _:
                raise AssertionError(received)

    return answering


async def test_the_queue_that_knows_a_workflow_is_found(
    broker: MemoryBroker, client: Client
) -> None:
    """Every queue is asked, and the command then goes to one."""
    left = Responder(broker, "left", knowing("a"))
    right = Responder(broker, "right", knowing("b"))

    await client.get_workflow_handle("b").signal("go")

    assert [type(received.command) for received in left.seen] == [Locate]
    assert [type(received.command) for received in right.seen] == [Locate, SignalWorkflow]


async def test_two_queues_that_know_a_workflow_are_both_named(
    broker: MemoryBroker, client: Client
) -> None:
    """A workflow ID that lives on two queues is an error that lists both."""
    Responder(broker, "left", knowing("a"))
    Responder(broker, "right", knowing("a"))

    with pytest.raises(RPCError, match="left, right"):
        await client.get_workflow_handle("a").signal("go")


async def test_a_workflow_that_no_queue_knows_is_not_found(
    broker: MemoryBroker, client: Client
) -> None:
    """NOT_FOUND is only said when every queue said so."""
    Responder(broker, "left", knowing())
    Responder(broker, "right", knowing())

    with pytest.raises(RPCError) as caught:
        await client.get_workflow_handle("a").signal("go")

    assert caught.value.status is RPCStatusCode.NOT_FOUND


async def test_a_queue_without_a_processor_is_unknown_not_empty(
    broker: MemoryBroker, client: Client
) -> None:
    """A queue that nobody serves cannot say no."""
    Responder(broker, "left", knowing())
    topology.ensure_queue(
        MemoryLog(broker, "operator"), "default", "right", kind="workflow", create=True
    )

    with pytest.raises(RPCError, match="right") as caught:
        await client.get_workflow_handle("a").signal("go")

    assert caught.value.status is RPCStatusCode.UNAVAILABLE
