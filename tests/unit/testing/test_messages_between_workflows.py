"""Workflows that signal and cancel workflows that are not theirs, found on whichever queue they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from streamflow.exceptions import ApplicationError, CancelledError
from streamflow.worker import Worker
from tests.unit.testing.again import CACHED, HERE, THERE, replayed, two_queues

pytestmark = pytest.mark.asyncio


@workflow.defn
class Listener:
    """Hears words until one of them is "stop"."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: "stop" in self.heard)
        return self.heard

    @workflow.signal
    def hear(self, word: str) -> None:
        self.heard.append(word)

    @workflow.signal
    def hear_two(self, one: str, two: str) -> None:
        self.heard += (one, two)


@workflow.defn
class Nomad:
    """Goes on, on the queue that it is told of, and waits there."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self, queues: list[str], heard: list[str]) -> list[str]:
        self.heard = [*heard, *self.heard]
        if queues:
            await workflow.wait_condition(lambda: bool(self.heard))
            workflow.continue_as_new(args=[queues[1:], self.heard], task_queue=queues[0])
        await workflow.wait_condition(lambda: "stop" in self.heard)
        return [*self.heard, workflow.info().task_queue]

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


@workflow.defn
class Speaker:
    @workflow.run
    async def run(self, to: str, run_id: str | None, queue: str | None, words: list[str]) -> str:
        handle = workflow.get_external_workflow_handle_for(
            Listener.run, to, run_id=run_id, task_queue=queue
        )
        assert (handle.id, handle.run_id) == (to, run_id)
        for word in words:
            await handle.signal(Listener.hear, word)
        return "said"


@workflow.defn
class Orator:
    """Says two words at once, and by name."""

    @workflow.run
    async def run(self, to: str) -> None:
        handle = workflow.get_external_workflow_handle(to)
        await handle.signal("hear_two", args=["a", "b"])
        await asyncio.gather(*(handle.signal("hear", word) for word in ("c", "d", "stop")))


@workflow.defn
class Stopper:
    @workflow.run
    async def run(self, to: str, reason: str) -> str:
        await workflow.get_external_workflow_handle(to).cancel(reason=reason)
        return "asked"


@workflow.defn
class Waverer:
    """Calls a signal back before it is sent, and again when it is on its way."""

    @workflow.run
    async def run(self, to: str) -> list[str]:
        handle = workflow.get_external_workflow_handle(to)
        said: list[str] = []
        for waits in (False, True):
            task = asyncio.create_task(handle.signal("hear", "stop"))
            await asyncio.sleep(0)
            if waits:
                await workflow.wait_condition(lambda: True)
                await workflow.sleep(0.001)
            task.cancel()
            try:
                await task
                said.append("sent")
            except CancelledError as error:
                said.append(error.message)
        return said


WORKFLOWS = [Listener, Nomad, Speaker, Orator, Stopper, Waverer]


@pytest_asyncio.fixture(params=CACHED, ids=["cached", "replayed"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with two_queues(WORKFLOWS, request.param) as client:
        yield client


async def begin(client: Client, workflow_: Any, *args: Any, id: str, queue: str = HERE) -> Any:
    return await client.start_workflow(workflow_, args=args, id=id, task_queue=queue)


async def run(client: Client, workflow_: Any, *args: Any, id: str = "speaker") -> Any:
    handle = await begin(client, workflow_, *args, id=id)
    try:
        return await handle.result()
    finally:
        replayed(await handle.fetch_history(), [workflow_])


async def refused(client: Client, workflow_: Any, *args: Any) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as error:
        await run(client, workflow_, *args)
    assert isinstance(error.value.cause, ApplicationError)
    return error.value.cause


@pytest.mark.parametrize("queue", [HERE, THERE])
@pytest.mark.parametrize("named", [False, True])
async def test_a_signal_finds_its_workflow_wherever_it_is(
    client: Client, queue: str, named: bool
) -> None:
    listener = await begin(client, Listener.run, id="listener", queue=queue)

    words = ["one", "two", "stop"]
    assert (
        await run(client, Speaker.run, "listener", None, queue if named else None, words) == "said"
    )

    assert await listener.result() == words


async def test_signals_have_any_number_of_arguments_and_keep_their_order(client: Client) -> None:
    listener = await begin(client, Listener.run, id="listener")

    await run(client, Orator.run, "listener")

    assert await listener.result() == ["a", "b", "c", "d", "stop"]


async def test_a_run_may_be_named(client: Client) -> None:
    listener = await begin(client, Listener.run, id="listener")

    error = await refused(client, Speaker.run, "listener", "another-run", None, ["stop"])
    assert error.type == "ExternalWorkflowExecutionNotFound"
    run_id = listener.first_execution_run_id
    await run(client, Speaker.run, "listener", run_id, None, ["stop"], id="second")

    assert await listener.result() == ["stop"]


async def test_a_signal_for_nobody_says_so(client: Client) -> None:
    error = await refused(client, Speaker.run, "nobody", None, None, ["hello"])

    assert error.message == "Unable to signal external workflow because it was not found"
    assert error.type == "ExternalWorkflowExecutionNotFound"


async def test_a_queue_that_there_is_not_is_named(client: Client) -> None:
    error = await refused(client, Speaker.run, "nobody", None, "nowhere", ["hello"])

    assert error.type == "TaskQueueNotFound"
    assert "'nowhere'" in error.message


async def test_a_closed_workflow_is_nobody(client: Client) -> None:
    listener = await begin(client, Listener.run, id="listener")
    await listener.signal(Listener.hear, "stop")
    await listener.result()

    error = await refused(client, Speaker.run, "listener", None, None, ["hello"])

    assert error.type == "ExternalWorkflowExecutionNotFound"


async def test_a_closed_workflow_hides_no_open_one_of_its_id(client: Client) -> None:
    """IDs are unique on a queue only: the one that can still hear is meant."""
    former = await begin(client, Listener.run, id="listener")
    await former.signal(Listener.hear, "stop")
    await former.result()
    listener = await begin(client, Listener.run, id="listener", queue=THERE)

    await run(client, Speaker.run, "listener", None, None, ["stop"])

    assert await listener.result() == ["stop"]


@pytest.mark.parametrize("queue", [HERE, THERE])
async def test_a_workflow_is_cancelled_with_a_reason(client: Client, queue: str) -> None:
    listener = await begin(client, Listener.run, id="listener", queue=queue)

    assert await run(client, Stopper.run, "listener", "enough") == "asked"

    with pytest.raises(WorkflowFailureError) as error:
        await listener.result()
    assert isinstance(error.value.cause, CancelledError)
    asked = [
        recorded.event.reason
        for recorded in (await listener.fetch_history()).recorded
        if type(recorded.event).__name__ == "CancelRequested"
    ]
    assert asked == ["enough"]


async def test_cancelling_nobody_says_so(client: Client) -> None:
    error = await refused(client, Stopper.run, "nobody", "")

    assert error.message == "Unable to cancel external workflow because not found"
    assert error.type == "ExternalWorkflowExecutionNotFound"


async def test_a_signal_can_be_called_back_until_it_is_sent(client: Client) -> None:
    listener = await begin(client, Listener.run, id="listener")

    said = await run(client, Waverer.run, "listener")

    assert said == ["Signal was cancelled before being sent", "sent"]
    assert await listener.result() == ["stop"]


async def test_a_workflow_that_moves_to_another_queue_is_still_found(client: Client) -> None:
    """Whoever speaks to the queue where it was is heard where it is."""
    nomad: WorkflowHandle[Any, Any] = await begin(
        client, Nomad.run, [THERE, HERE, THERE], [], id="nomad"
    )
    for word in ("one", "two", "three"):
        await nomad.signal("hear", word)
        await nomad.describe()
    here = client.get_workflow_handle("nomad", task_queue=HERE)

    assert await here.query("words") == ["one", "two", "three"]
    assert (await here.describe()).task_queue == THERE
    assert await here.execute_update("add", "four") == 4
    await run(client, Speaker.run, "nomad", None, None, ["stop"])

    assert await nomad.result() == ["one", "two", "three", "four", "stop", THERE]
    with pytest.raises(RPCError) as gone:
        await here.signal("hear", "too late")
    assert gone.value.status is RPCStatusCode.NOT_FOUND


async def test_a_workflow_that_cannot_move_waits_for_its_queue(client: Client) -> None:
    """Nothing is lost: once the queue is there the run goes on by itself."""
    nomad = await begin(client, Nomad.run, ["later"], ["stop"], id="nomad")
    while (await nomad.describe()).trouble is None:
        continue  # asking takes its time
    trouble = (await nomad.describe()).trouble
    assert "Expected task queue 'later' to exist for continue_as_new" in trouble.message

    async with Worker(client, task_queue="later", workflows=WORKFLOWS):
        assert await nomad.result() == ["stop", "later"]


async def test_a_child_that_moved_is_still_its_parents(client: Client) -> None:
    """It is signalled and ended where it is, and its result comes back from there."""

    @workflow.defn(name="Guardian")
    class Guardian:
        @workflow.run
        async def run(self, then: str) -> Any:
            handle = await workflow.start_child_workflow(
                "Nomad", args=[[THERE], ["packed"]], id="nomad"
            )
            await workflow.sleep(timedelta(seconds=5))
            if then == "leave":
                return None
            await handle.signal("hear", "stop")
            return await handle

    async with Worker(client, task_queue="home", workflows=[Guardian, Nomad]):
        assert await client.execute_workflow(Guardian.run, "await", id="g1", task_queue="home") == [
            "packed",
            "stop",
            THERE,
        ]
        await client.execute_workflow(Guardian.run, "leave", id="g2", task_queue="home")
        nomad = client.get_workflow_handle("nomad", task_queue="home")
        while (described := await nomad.describe()).status is WorkflowExecutionStatus.RUNNING:
            continue  # asking takes its time
    assert (described.status, described.task_queue) == (WorkflowExecutionStatus.TERMINATED, THERE)
