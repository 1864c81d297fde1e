"""An operator's hand on a run, through the client: paused, deleted, gone back with. Over the log and over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from streamflow import activity, workflow
from streamflow.api.enums.v1 import EventType
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from streamflow.client.http.transport import HttpTransport
from streamflow.exceptions import TerminatedError
from streamflow.gateway import application
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Replayer, Worker

pytestmark = pytest.mark.asyncio

QUEUE = "steered"
calls: list[str] = []


@activity.defn
async def work(name: str) -> str:
    calls.append(name)
    return name.upper()


@workflow.defn
class Two:
    """An activity, a signal, a timer, another activity."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        first = await workflow.execute_activity(
            work, "first", start_to_close_timeout=timedelta(minutes=1)
        )
        await workflow.wait_condition(lambda: bool(self.words))
        await workflow.sleep(timedelta(hours=1))
        second = await workflow.execute_activity(
            work, "second", start_to_close_timeout=timedelta(minutes=1)
        )
        return [first, *self.words, second]

    @workflow.signal
    def say(self, word: str) -> None:
        self.words.append(word)

    @workflow.query
    def said(self) -> list[str]:
        return self.words

    @workflow.query
    def original(self) -> str:
        return workflow.info().original_execution_run_id


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> list[str]:
        return await workflow.execute_child_workflow(Two.run, id="child")


@pytest_asyncio.fixture(params=["log", "gateway", "uncached"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    calls.clear()
    cached = 0 if request.param == "uncached" else 1_000
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue=QUEUE,
            workflows=[Two, Parent],
            activities=[work],
            max_cached_workflows=cached,
        ),
    ):
        if request.param != "gateway":
            yield env.client
            return
        app = application({"default": env.client.transport})
        over_http = HttpTransport(
            "http://localhost", "default", transport=httpx.ASGITransport(app=app)
        )
        async with Client(over_http) as client:
            yield client


async def ended(client: Client) -> str:
    """A run that has its result; its ID."""
    handle = await client.start_workflow(Two.run, id="w", task_queue=QUEUE)
    await handle.signal(Two.say, "hello")
    assert await handle.result() == ["FIRST", "hello", "SECOND"]
    assert handle.result_run_id is not None
    return handle.result_run_id


async def event_of(client: Client, kind: str, number: int = 0, *, workflow_id: str = "w") -> int:
    """The n-th event of a kind in the run's history."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    found = [one.event_id for one in history.events if one.event_type.name == f"EVENT_TYPE_{kind}"]
    return found[number]


async def test_going_back_keeps_what_was_done_and_does_the_rest_anew(client: Client) -> None:
    """The first activity does not run again, the second does; the signal of before and its timer are part of the copy."""
    first_run = await ended(client)
    event_id = await event_of(client, "ACTIVITY_TASK_SCHEDULED", 1)

    fresh = await client.get_workflow_handle("w").reset(event_id=event_id, reason="look again")

    assert fresh.run_id != first_run
    assert await fresh.query(Two.original) == first_run
    assert await fresh.result() == ["FIRST", "hello", "SECOND"]
    assert calls == ["first", "second", "second"]
    history = await client.get_workflow_handle("w").fetch_history()
    assert history.run_id == fresh.run_id
    await Replayer(workflows=[Two]).replay_workflow(history)
    assert (await client.get_workflow_handle("w", run_id=first_run).describe()).status is (
        WorkflowExecutionStatus.COMPLETED
    )


async def test_a_step_is_named_by_any_of_its_events_in_either_numbering(client: Client) -> None:
    """By the workflow task that made it, by one that the task is scheduled or started with, or by our own number of it."""
    first_run = await ended(client)
    handle = client.get_workflow_handle("w", run_id=first_run, task_queue=QUEUE)
    history = await handle.fetch_history()
    tasks = [
        event
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    done, recorded = tasks[-2].workflow_task_completed_event_attributes, tasks[-2].recorded
    assert recorded is not None

    runs = [
        await handle.reset(event_id=tasks[-2].event_id),
        await handle.reset(event_id=done.scheduled_event_id),
        await handle.reset(event_id=done.started_event_id),
        await handle.reset(seq=recorded.seq),
    ]

    assert await runs[-1].result() == ["FIRST", "hello", "SECOND"]
    kept = [(await run.fetch_history()).recorded[: recorded.seq - 1] for run in runs]
    assert [[type(one.event) for one in events] for events in kept] == [
        [type(one.event) for one in history.recorded[: recorded.seq - 1]]
    ] * len(runs)
    assert "first" not in calls[1:]


async def test_one_number_is_given(client: Client) -> None:
    handle = client.get_workflow_handle("w", task_queue=QUEUE)
    with pytest.raises(ValueError, match="Expected event_id or seq"):
        await handle.reset()
    with pytest.raises(ValueError, match="Expected event_id or seq"):
        await handle.reset(event_id=1, seq=1)


async def test_signals_from_there_on_are_given_again_or_not(client: Client) -> None:
    """To the very beginning: the new run knows the signal only if it is reapplied."""
    first_run = await ended(client)
    handle = client.get_workflow_handle("w", run_id=first_run, task_queue=QUEUE)

    again = await handle.reset(event_id=1)
    assert await again.result() == ["FIRST", "hello", "SECOND"]
    assert calls == ["first", "second", "first", "second"]

    without = await handle.reset(event_id=1, reapply_signals=False)
    assert await without.query(Two.said) == []
    await without.signal(Two.say, "other")
    assert await without.result() == ["FIRST", "other", "SECOND"]


async def test_an_open_run_is_terminated_by_going_back(client: Client) -> None:
    """What was pending at that point is pending in the new run."""
    handle = await client.start_workflow(Two.run, id="w", task_queue=QUEUE)
    await handle.signal(Two.say, "hello")
    assert await handle.query(Two.said) == ["hello"]
    event_id = await event_of(client, "WORKFLOW_EXECUTION_SIGNALED")

    fresh = await client.get_workflow_handle("w").reset(event_id=event_id)

    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result(follow_runs=False)
    assert isinstance(caught.value.cause, TerminatedError)
    assert await fresh.result() == ["FIRST", "hello", "SECOND"]


async def test_what_cannot_be_gone_back_to_is_refused(client: Client) -> None:
    """Events and workflows that are not there."""
    await ended(client)
    with pytest.raises(RPCError) as caught:
        await client.get_workflow_handle("w").reset(event_id=1_000)
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT
    with pytest.raises(RPCError) as caught:
        await client.get_workflow_handle("nobody", task_queue=QUEUE).reset(event_id=1)
    assert caught.value.status is RPCStatusCode.NOT_FOUND


async def test_a_child_that_had_ended_is_not_run_again(client: Client) -> None:
    """Going back to before its end was taken in: the new run is told of the same end."""
    parent = await client.start_workflow(Parent.run, id="p", task_queue=QUEUE)
    await client.get_workflow_handle("child", task_queue=QUEUE).signal(Two.say, "hello")
    ended = await parent.result()
    run_id = (await client.get_workflow_handle("child", task_queue=QUEUE).describe()).run_id

    fresh = await parent.reset(
        event_id=await event_of(client, "CHILD_WORKFLOW_EXECUTION_STARTED", workflow_id="p")
    )

    assert await fresh.result() == ended
    child = await client.get_workflow_handle("child", task_queue=QUEUE).describe()
    assert child.run_id == run_id


async def test_pausing_and_deleting(client: Client) -> None:
    """A paused run shows why; a closed one can be deleted, an open one not."""
    handle = await client.start_workflow(Two.run, id="w", task_queue=QUEUE)
    await handle.pause(reason="inventory")
    await handle.signal(Two.say, "hello")
    description = await handle.describe()
    assert description.trouble is not None
    assert description.trouble.kind == "paused"
    assert "inventory" in description.trouble.message
    paused = [run.id async for run in client.list_workflows("Trouble STARTS_WITH 'paused'")]
    assert paused == ["w"]
    with pytest.raises(RPCError) as caught:
        await handle.delete()
    assert caught.value.status is RPCStatusCode.FAILED_PRECONDITION

    await handle.unpause()
    assert await handle.result() == ["FIRST", "hello", "SECOND"]
    await handle.delete()

    with pytest.raises(RPCError) as caught:
        await handle.describe()
    assert caught.value.status is RPCStatusCode.NOT_FOUND
    assert (await client.count_workflows("WorkflowId = 'w'")).count == 0
