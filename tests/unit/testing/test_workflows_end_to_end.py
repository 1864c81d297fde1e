"""Workflows from client to worker and back, in each environment that needs nothing but this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from streamflow import activity, workflow
from streamflow.app import App
from streamflow.cli.shared.exits import run
from streamflow.client import (
    Client,
    PendingActivity,
    RPCError,
    RPCStatusCode,
    WorkflowAlreadyStartedError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistory,
    WorkflowQueryFailedError,
)
from streamflow.client.http.transport import HttpTransport
from streamflow.common import RetryPolicy, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from streamflow.exceptions import ActivityError, ApplicationError, CancelledError, TerminatedError
from streamflow.gateway import Gateway, application
from streamflow.testing import WorkflowEnvironment

pytestmark = pytest.mark.asyncio

QUEUE = "greetings"


@activity.defn
async def compose(name: str) -> str:
    return f"Hello, {name}"


@activity.defn
async def refuse() -> None:
    raise ApplicationError("never", non_retryable=True)


@activity.defn
async def fail_for_ever() -> None:
    raise ApplicationError("not yet")


@workflow.defn
class Greet:
    """Greets when it is told to."""

    def __init__(self) -> None:
        self.finished = False

    @workflow.run
    async def run(self, name: str) -> str:
        greeting = await workflow.execute_activity(
            compose, name, start_to_close_timeout=timedelta(seconds=10)
        )
        await workflow.wait_condition(lambda: self.finished)
        return greeting

    @workflow.signal
    def finish(self) -> None:
        self.finished = True

    @workflow.query
    def state(self) -> str:
        return "finished" if self.finished else "waiting"

    @workflow.query
    def broken(self) -> str:
        raise ApplicationError("no such state")


@workflow.defn
class Sleep:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(days=30))
        return "slept"


@workflow.defn
class Refuse:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(refuse, start_to_close_timeout=timedelta(seconds=1))


@workflow.defn
class Stubborn:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            fail_for_ever,
            start_to_close_timeout=timedelta(seconds=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(hours=1)),
        )


@workflow.defn
class CountDown:
    @workflow.run
    async def run(self, count: int) -> str:
        if count > 0:
            workflow.continue_as_new(count - 1)
        return "zero"


app = App(
    QUEUE,
    workflows=[Greet, Sleep, Refuse, Stubborn, CountDown],
    activities=[compose, refuse, fail_for_ever],
)


@pytest_asyncio.fixture(params=["time-skipping", "local", "http"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of a running App: in memory, on the embedded log, and through the HTTP API."""
    if request.param == "local":
        env = await WorkflowEnvironment.start_local()
    else:
        env = await WorkflowEnvironment.start_time_skipping()
    async with env, app.worker(env.client):
        if request.param != "http":
            yield env.client
            return
        asgi = httpx.ASGITransport(application({"default": env.client.transport}))
        async with Client(HttpTransport("http://localhost", "default", transport=asgi)) as client:
            yield client


async def test_a_workflow_is_started_asked_signalled_and_awaited(client: Client) -> None:
    """A query sees what was signalled before, and a closed run still answers."""
    handle = await client.start_workflow(Greet.run, "Moon", id="w", task_queue=QUEUE)
    assert await handle.query(Greet.state) == "waiting"
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

    await handle.signal(Greet.finish)

    assert await handle.query(Greet.state) == "finished"
    assert await handle.result() == "Hello, Moon"
    assert await handle.query(Greet.state) == "finished"
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_a_second_start_is_refused_shared_or_takes_over(client: Client) -> None:
    """The conflict policy says what an open run of the same ID means to a start."""
    first = await client.start_workflow(Greet.run, "Moon", id="w", task_queue=QUEUE)

    with pytest.raises(WorkflowAlreadyStartedError) as refused:
        await client.start_workflow(Greet.run, "Sun", id="w", task_queue=QUEUE)
    same = await client.start_workflow(
        Greet.run,
        "Sun",
        id="w",
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    other = await client.start_workflow(
        Greet.run,
        "Sun",
        id="w",
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
    )

    assert refused.value.run_id == first.result_run_id == same.result_run_id
    assert other.result_run_id != first.result_run_id
    with pytest.raises(WorkflowFailureError) as ended:
        await first.result()
    assert isinstance(ended.value.cause, TerminatedError)


async def test_a_closed_id_is_free_unless_the_policy_says_otherwise(client: Client) -> None:
    """REJECT_DUPLICATE keeps an ID taken while its run is retained."""
    await client.execute_workflow(CountDown.run, 0, id="w", task_queue=QUEUE)

    with pytest.raises(WorkflowAlreadyStartedError):
        await client.start_workflow(
            CountDown.run,
            0,
            id="w",
            task_queue=QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
    assert await client.execute_workflow(CountDown.run, 0, id="w", task_queue=QUEUE) == "zero"


async def test_signal_with_start_begins_the_run_and_signals_it(client: Client) -> None:
    """One command does both, so that no signal can come before its workflow."""
    result = await client.execute_workflow(
        Greet.run, "Moon", id="w", task_queue=QUEUE, start_signal="finish"
    )

    assert result == "Hello, Moon"


async def test_a_failure_arrives_with_its_causes(client: Client) -> None:
    """The chain leads from the workflow's end to what the activity said."""
    with pytest.raises(WorkflowFailureError) as failed:
        await client.execute_workflow(Refuse.run, id="w", task_queue=QUEUE)

    cause = failed.value.cause
    assert isinstance(cause, ActivityError)
    assert isinstance(cause.cause, ApplicationError)
    assert cause.cause.message == "never"


async def test_a_cancelled_and_a_terminated_run_say_so(client: Client) -> None:
    """Both fail the result, each with its own cause."""
    one = await client.start_workflow(Greet.run, "Moon", id="one", task_queue=QUEUE)
    two = await client.start_workflow(Greet.run, "Moon", id="two", task_queue=QUEUE)

    await one.cancel()
    await two.terminate(reason="enough")

    with pytest.raises(WorkflowFailureError) as cancelled:
        await one.result()
    assert isinstance(cancelled.value.cause, CancelledError)
    with pytest.raises(WorkflowFailureError) as terminated:
        await two.result()
    assert isinstance(terminated.value.cause, TerminatedError)
    assert terminated.value.cause.message == "enough"


async def test_continuing_as_new_is_followed(client: Client) -> None:
    """The result is that of the last run of the chain."""
    assert await client.execute_workflow(CountDown.run, 3, id="w", task_queue=QUEUE) == "zero"


async def test_a_pending_activity_is_described(client: Client) -> None:
    """Attempt, last failure and the next try are there for an operator."""
    handle = await client.start_workflow(Stubborn.run, id="w", task_queue=QUEUE)
    failed: list[PendingActivity] = []
    async with asyncio.timeout(10):
        while not failed:
            activities = (await handle.describe()).pending_activities
            failed = [activity for activity in activities if activity.last_failure is not None]

    [pending] = failed
    assert pending.activity_type == "fail_for_ever"
    assert isinstance(pending.last_failure, ApplicationError)
    assert pending.next_retry_time is not None
    await handle.terminate()


async def test_an_unknown_workflow_and_a_broken_query_have_errors_of_their_own(
    client: Client,
) -> None:
    """NOT_FOUND for what does not exist; a query's own failure with its message."""
    with pytest.raises(RPCError) as missing:
        await client.get_workflow_handle("nobody", task_queue=QUEUE).describe()
    assert missing.value.status is RPCStatusCode.NOT_FOUND

    handle = await client.start_workflow(Greet.run, "Moon", id="w", task_queue=QUEUE)
    with pytest.raises(WorkflowQueryFailedError, match="no such state"):
        await handle.query(Greet.broken)


async def test_a_fetched_history_goes_through_a_file_and_is_replayed(
    client: Client, tmp_path: Path
) -> None:
    """What was fetched, saved and read again is the history, and `streamflow replay` runs it."""
    handle = await client.start_workflow(CountDown.run, 0, id="w", task_queue=QUEUE)
    await handle.result()

    history = await handle.fetch_history()
    file = tmp_path / "history.json"
    file.write_text(history.to_json())

    assert WorkflowHistory.from_json(None, file.read_text()) == history
    code = await asyncio.to_thread(run, ["replay", str(file), f"{__name__}:app"])
    assert code == 0


async def test_thirty_days_pass_in_no_time() -> None:
    """With time skipping a long sleep takes milliseconds of the test's time."""
    async with await WorkflowEnvironment.start_time_skipping() as env, app.worker(env.client):
        began, before = time.monotonic(), await env.get_current_time()

        assert await env.client.execute_workflow(Sleep.run, id="s", task_queue=QUEUE) == "slept"

        assert await env.get_current_time() - before >= timedelta(days=30)
        assert time.monotonic() - began < 2


async def test_a_start_before_any_worker_is_taken_up_later() -> None:
    """Started while nobody serves the queue, a workflow runs as soon as somebody does."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        handle = await env.client.start_workflow(Greet.run, "Moon", id="w", task_queue=QUEUE)
        await handle.signal(Greet.finish)

        async with app.worker(env.client):
            assert await handle.result() == "Hello, Moon"


async def test_the_gateway_serves_on_a_socket_of_its_own() -> None:
    """Another process needs nothing but the address."""
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        app.worker(env.client),
        Gateway({"default": env.client.transport}) as gateway,
        await Client.connect(gateway.url) as client,
    ):
        assert await client.execute_workflow(CountDown.run, 2, id="w", task_queue=QUEUE) == "zero"
