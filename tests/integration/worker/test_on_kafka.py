"""Every part of the workflow API once, by one worker and one client, on a real broker.

The worker keeps two runs in memory at most, so that most steps here are taken by a coroutine that was replayed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from streamflow import topology
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowAlreadyStartedError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from streamflow.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from streamflow.exceptions import ApplicationError, CancelledError, TerminatedError
from streamflow.model.events import ActivityCompleted
from streamflow.worker import Worker
from tests.integration.cli.processes import Running, Shell
from tests.integration.worker import programs
from tests.integration.worker.programs import (
    QUEUE,
    SIDE,
    Cancelling,
    Chain,
    CleaningUp,
    Concurrent,
    Counting,
    EveryKind,
    Retrying,
    Stubborn,
    TimingOut,
    Told,
)

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]


class Stage(NamedTuple):
    client: Client
    namespace: str
    bootstrap: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    namespace = f"t-{uuid.uuid4().hex[:10]}"
    client = await Client.connect(kafka_bootstrap, namespace=namespace, create_topics=True)
    async with client:
        await asyncio.to_thread(
            lambda: topology.ensure_queue(
                client.log, namespace, SIDE, kind="activity", partitions=1, create=True
            )
        )
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=programs.WORKFLOWS,
            activities=programs.ACTIVITIES,
            activity_executor=ThreadPoolExecutor(100),
            max_cached_workflows=2,
            partitions=2,
            state_dir=tmp_path_factory.mktemp("state"),
        )
        async with worker:
            yield Stage(client, namespace, kafka_bootstrap)


@pytest.fixture
def client(stage: Stage) -> Client:
    return stage.client


async def test_every_kind_of_activity_runs(client: Client) -> None:
    """Async, on threads, methods, by name, and local ones, retried in place."""
    result = await client.execute_workflow(EveryKind.run, 3, id="kinds", task_queue=QUEUE)

    assert result == [6, "LOUD", "tea from the corner", 8, "NEAR", 3]


async def test_retries_follow_the_policy_and_what_errors_say(client: Client) -> None:
    """Again until it works, after the delay an error asks for, and never what is not to be retried."""
    third, delay, declined, broken = await client.execute_workflow(
        Retrying.run, id="retries", task_queue=QUEUE
    )

    assert third == 3
    assert delay >= 0.3
    assert declined == ["Declined", "card declined", ["visa"]]
    assert broken[:2] == ["ValueError", "a bug"]


async def test_each_limit_of_an_activity_ends_it(client: Client) -> None:
    """The timeout says which of the four it was."""
    ended = await client.execute_workflow(TimingOut.run, id="limits", task_queue=QUEUE)

    assert [end.split()[0] for end in ended] == ["TimeoutError"] * 4
    kinds = [end.partition(" ")[2] for end in ended]
    assert kinds == ["START_TO_CLOSE", "SCHEDULE_TO_CLOSE", "SCHEDULE_TO_START", "HEARTBEAT"]


async def test_asyncio_works_and_what_is_random_is_recorded(client: Client) -> None:
    """gather, wait_for, timeout, TaskGroup, Queue and Lock; a later replay gives the same numbers."""
    handle = await client.start_workflow(Concurrent.run, id="asyncio", task_queue=QUEUE)
    found = await handle.result()

    assert found["doubled"] == [0, 2, 4, 6, 8]
    assert found["waited"] == "timed out twice"
    assert found["taken"] == [0, 1, 2]
    assert found["passed"] is True
    assert uuid.UUID(found["id"]).version == 4
    assert found["type"] == "Concurrent"


@pytest.mark.parametrize(
    ("how", "ends_as", "waits"),
    [
        ("try_cancel", "CancelledError", False),
        ("wait_cancellation_completed", "CancelledError", True),
        ("abandon", "CancelledError", False),
    ],
)
async def test_a_cancelled_activity_ends_in_the_way_that_was_chosen(
    client: Client, how: str, ends_as: str, waits: bool
) -> None:
    """Only WAIT_CANCELLATION_COMPLETED waits for the activity's own clean-up of 0.3 s."""
    kind, seconds = await client.execute_workflow(
        Cancelling.run, how, id=f"cancel-{how}", task_queue=QUEUE
    )

    assert kind == ends_as
    assert (seconds >= 0.3) is waits


async def test_signals_arrive_in_order_and_queries_see_them_also_after_the_end(
    client: Client,
) -> None:
    """A query is answered from what was sent before it, by open and by closed runs."""
    handle = await client.start_workflow(Told.run, id="told", task_queue=QUEUE)
    words = [str(number) for number in range(10)]
    for number, word in enumerate(words, 1):
        await handle.signal(Told.say, word)
        assert len(await handle.query(Told.words)) == number
    await handle.signal("say", "stop")

    assert await handle.result() == [*words, "stop"]
    assert await handle.query(Told.words) == [*words, "stop"]
    assert await handle.query(Told.nth, 3) == "3"
    with pytest.raises(WorkflowQueryFailedError):
        await handle.query(Told.nth, 99)
    with pytest.raises(RPCError) as closed:
        await handle.signal(Told.say, "late")
    assert closed.value.status is RPCStatusCode.NOT_FOUND


async def test_a_wait_has_an_end(client: Client) -> None:
    """wait_condition raises TimeoutError after its timeout, and the code goes on."""
    handle = await client.start_workflow(Told.run, 0.1, id="short", task_queue=QUEUE)

    assert await handle.result() == []
    assert await handle.query(Told.was_late) is True


async def test_signal_with_start_begins_once_and_then_only_signals(client: Client) -> None:
    """The second finds the run open and adds its signal to it."""
    options: Any = {"id": "both", "task_queue": QUEUE, "start_signal": "say"}
    first = await client.start_workflow(Told.run, **options, start_signal_args=["one"])
    second = await client.start_workflow(Told.run, **options, start_signal_args=["stop"])

    assert first.result_run_id == second.result_run_id
    assert await first.result() == ["one", "stop"]


async def test_cancellation_lets_the_code_clean_up(client: Client) -> None:
    """Its activities still run, and then it has ended as cancelled."""
    handle = await client.start_workflow(CleaningUp.run, id="clean", task_queue=QUEUE)
    await handle.cancel(reason="enough")

    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()

    assert isinstance(ended.value.cause, CancelledError)
    assert await handle.query(CleaningUp.state) == "CLEAN"
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_termination_asks_nobody(client: Client) -> None:
    """No code runs any more; the reason and details are kept."""
    handle = await client.start_workflow(CleaningUp.run, id="terminate", task_queue=QUEUE)
    await handle.terminate("detail", reason="enough")

    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()

    assert isinstance(ended.value.cause, TerminatedError)
    assert ended.value.cause.message == "enough"
    assert await handle.query(CleaningUp.state) == ""


async def test_continuing_as_new_is_a_chain_of_runs(client: Client) -> None:
    """The result is the last run's, and each run has a history of its own."""
    handle = await client.start_workflow(Chain.run, args=[4, 0], id="chain", task_queue=QUEUE)

    assert await handle.result() == 10
    last = await client.get_workflow_handle("chain").describe()
    assert last.run_id != handle.result_run_id
    first = client.get_workflow_handle("chain", run_id=handle.result_run_id)
    assert (await first.describe()).status is WorkflowExecutionStatus.CONTINUED_AS_NEW


async def test_a_delayed_start_waits_and_a_signal_ends_the_wait(client: Client) -> None:
    """The run is there at once; its code begins after the delay, or with a signal-with-start's signal."""
    begun = time.monotonic()
    handle = await client.start_workflow(
        Told.run, 0, id="delayed", task_queue=QUEUE, start_delay=timedelta(seconds=1)
    )
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert await handle.result() == []
    assert time.monotonic() - begun >= 1

    early = await client.start_workflow(
        Told.run, 30, id="early", task_queue=QUEUE, start_delay=timedelta(minutes=5)
    )
    await early.signal(Told.say, "stop")
    assert await early.result() == ["stop"]


async def test_an_id_in_use_is_refused_shared_or_taken_over(client: Client) -> None:
    """The conflict policy decides while its run is open."""
    first = await client.start_workflow(Told.run, id="used", task_queue=QUEUE)

    with pytest.raises(WorkflowAlreadyStartedError) as refused:
        await client.start_workflow(Told.run, id="used", task_queue=QUEUE)
    shared = await _start(client, "used", conflict=WorkflowIDConflictPolicy.USE_EXISTING)
    other = await _start(client, "used", conflict=WorkflowIDConflictPolicy.TERMINATE_EXISTING)

    assert refused.value.run_id == first.result_run_id == shared.result_run_id
    assert other.result_run_id != first.result_run_id
    its_run = client.get_workflow_handle("used", run_id=first.result_run_id)
    assert (await its_run.describe()).status is WorkflowExecutionStatus.TERMINATED
    await other.terminate()


async def test_a_closed_id_is_used_again_as_the_policy_says(client: Client) -> None:
    """Always, only after failures, or never while the run is retained."""
    first = await client.start_workflow(Told.run, 0, id="again", task_queue=QUEUE)
    await first.result()
    for policy in (
        WorkflowIDReusePolicy.REJECT_DUPLICATE,
        WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    ):
        with pytest.raises(WorkflowAlreadyStartedError):
            await _start(client, "again", reuse=policy)

    second = await _start(client, "again", reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE)
    await second.terminate()
    third = await _start(client, "again", reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)

    assert len({handle.result_run_id for handle in (first, second, third)}) == 3
    await third.terminate()


async def test_a_description_shows_what_a_run_waits_for(client: Client) -> None:
    """A pending activity with its attempt, its last failure, and when it is tried again."""
    handle = await client.start_workflow(Stubborn.run, id="stubborn", task_queue=QUEUE)
    async with asyncio.timeout(20):
        while True:
            described = await handle.describe()
            pending = described.pending_activities[0] if described.pending_activities else None
            if pending is not None and pending.state == "backing_off" and pending.attempt >= 3:
                break

    assert pending.activity_type == "break_down"
    assert isinstance(pending.last_failure, ApplicationError)
    assert pending.last_failure.type == "ValueError"
    assert pending.next_retry_time is not None
    assert pending.next_retry_time > datetime.now(UTC)
    assert described.workflow_type == "Stubborn"
    await handle.terminate()


async def test_a_history_is_fetched_whole(client: Client) -> None:
    """From the start to the end, gapless, page by page."""
    handle = await client.start_workflow(EveryKind.run, 1, id="history", task_queue=QUEUE)
    await handle.result()

    history = await handle.fetch_history()

    assert [event.seq for event in history.recorded] == list(range(1, len(history.recorded) + 1))
    assert type(history.recorded[0].event).__name__ == "WorkflowStarted"
    assert type(history.recorded[-1].event).__name__ == "WorkflowCompleted"


async def test_heartbeats_outlive_the_worker_that_made_them(
    stage: Stage, side_worker: SideWorker
) -> None:
    """After kill -9 of its worker an activity goes on where the last heartbeat said, though its task was sent before.

    Its code is told of a second attempt, while the run still counts the first.
    """
    first = side_worker.start()
    handle: WorkflowHandle[Any, Any] = await stage.client.start_workflow(
        Counting.run, 200, id="counting", task_queue=QUEUE
    )
    async with asyncio.timeout(30):
        while True:
            pending = (await handle.describe()).pending_activities
            if pending and pending[0].heartbeat_details and pending[0].heartbeat_details[0] >= 5:
                break
            await asyncio.sleep(0.05)

    os.kill(first.process.pid, signal.SIGKILL)
    side_worker.start()
    begun, attempt = await asyncio.wait_for(handle.result(), 60)

    assert begun >= 5
    assert attempt == 2
    completed = [
        recorded.event
        for recorded in (await handle.fetch_history()).recorded
        if isinstance(recorded.event, ActivityCompleted)
    ]
    assert [event.attempt for event in completed] == [1]


class SideWorker:
    """The worker of the side queue, as a process."""

    def __init__(self, shell: Shell, stage: Stage) -> None:
        self._shell = shell
        self._stage = stage
        shell.environment["SIDE_NAMESPACE"] = stage.namespace

    def start(self) -> Running:
        app = "tests.integration.worker.programs:side"
        words = ["worker", app, "--kafka", self._stage.bootstrap, "--name", "side"]
        return self._shell.start(*words, "--state-dir", str(self._shell.home / "w"))


@pytest.fixture
def side_worker(tmp_path: Path, stage: Stage) -> Iterator[SideWorker]:
    shell = Shell(tmp_path)
    yield SideWorker(shell, stage)
    shell.close()


async def _start(
    client: Client,
    workflow_id: str,
    *,
    conflict: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.FAIL,
    reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        Told.run,
        id=workflow_id,
        task_queue=QUEUE,
        id_conflict_policy=conflict,
        id_reuse_policy=reuse,
    )
