"""The public Worker, with a client and a processor, on the log in memory."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.common import RetryPolicy
from streamflow.memory.log import MemoryLog
from streamflow.ports import Record
from streamflow.service import RPCError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker
from streamflow.worker.conflicts import AppConflict

pytestmark = pytest.mark.asyncio
LIMIT = timedelta(seconds=30)


@activity.defn
async def greet(name: str) -> str:
    return f"Hello {name}"


@activity.defn
def shout(text: str) -> str:
    return text.upper()


@activity.defn
async def third_time(name: str) -> int:
    if activity.info().attempt < 3:
        raise ValueError(f"not yet, {name}")
    return activity.info().attempt


@workflow.defn
class Welcome:
    @workflow.run
    async def run(self, name: str) -> str:
        greeting = await workflow.execute_activity(greet, name, start_to_close_timeout=LIMIT)
        return await workflow.execute_local_activity(shout, greeting, start_to_close_timeout=LIMIT)


@workflow.defn
class Stubborn:
    @workflow.run
    async def run(self, name: str) -> int:
        return await workflow.execute_activity(
            third_time,
            name,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1)),
        )


@workflow.defn
class Once:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            greet,
            name,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@workflow.defn
class Told:
    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.told)
        return "told"

    @workflow.signal
    def tell(self) -> None:
        self.told = True


@workflow.defn
class Measuring:
    """Looks at its history's size in each of its steps."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.lengths: list[int] = []

    def look(self) -> None:
        self.sizes.append(workflow.info().get_current_history_size())
        self.lengths.append(workflow.info().get_current_history_length())

    @workflow.run
    async def run(self, name: str) -> list[int]:
        self.look()
        for _ in range(3):
            await workflow.execute_local_activity(shout, name, start_to_close_timeout=LIMIT)
            self.look()
        await workflow.execute_activity(greet, name, start_to_close_timeout=LIMIT)
        self.look()
        return self.sizes

    @workflow.query
    def seen(self) -> list[list[int]]:
        return [self.sizes, self.lengths]


@workflow.defn
class Stray:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn
class Lasting:
    @workflow.run
    async def run(self) -> str:
        result: str = await workflow.execute_activity("last", start_to_close_timeout=LIMIT)
        return result


@asynccontextmanager
async def _client() -> AsyncIterator[Client]:
    async with await Client.connect(f"memory:{uuid.uuid4()}") as client:
        yield client


def _worker(client: Client, activities: Sequence[Callable[..., Any]], **options: Any) -> Worker:
    workflows = [Welcome, Stubborn, Once, Lasting, Told, Measuring]
    options = {"activity_executor": ThreadPoolExecutor(), **options}
    return Worker(client, task_queue="q", workflows=workflows, activities=activities, **options)


def _events(client: Client) -> list[Record]:
    log = client.log
    assert isinstance(log, MemoryLog)
    return [record for record in log.broker.records("default.q.history") if record.value]


async def test_a_workflow_with_a_remote_and_a_local_activity() -> None:
    """Both kinds run in the same worker; a sync one in a thread."""
    async with _client() as client, _worker(client, [greet, shout]):
        result = await client.execute_workflow(Welcome.run, "Ann", id="w", task_queue="q")

    assert result == "HELLO ANN"


async def test_a_failing_activity_is_tried_again() -> None:
    """The attempt's number tells how often."""
    async with _client() as client, _worker(client, [third_time]):
        result = await client.execute_workflow(Stubborn.run, "Ann", id="w", task_queue="q")

    assert result == 3


async def test_an_activity_that_may_run_once_runs() -> None:
    """Its announcement is acknowledged by the real processor."""
    async with _client() as client, _worker(client, [greet]):
        result = await client.execute_workflow(Once.run, "Ann", id="w", task_queue="q")

    assert result == "Hello Ann"


async def test_activities_may_be_served_by_another_worker() -> None:
    """A worker without workflows is only a worker of the queue."""
    async with _client() as client:
        others = Worker(
            client,
            task_queue="q",
            activities=[greet, shout],
            activity_executor=ThreadPoolExecutor(),
        )
        async with _worker(client, [shout], no_remote_activities=True), others:
            result = await client.execute_workflow(Welcome.run, "Ann", id="w", task_queue="q")

    assert result == "HELLO ANN"


async def test_shutdown_lets_activities_end_within_the_graceful_timeout() -> None:
    """They know of the shutdown, and their results count."""
    begun = asyncio.Event()

    @activity.defn
    async def last() -> str:
        begun.set()
        await activity.wait_for_worker_shutdown()
        return "in time"

    async with _client() as client:
        worker = _worker(client, [last], graceful_shutdown_timeout=LIMIT)
        async with worker:
            handle = await client.start_workflow(Lasting.run, id="w", task_queue="q")
            await begun.wait()
            assert worker.is_running
        assert worker.is_shutdown
        async with _worker(client, [greet]):
            assert await handle.result() == "in time"


async def test_shutdown_cancels_what_goes_on_too_long() -> None:
    """The attempt is made again by the next worker."""
    begun = asyncio.Event()
    told: list[activity.ActivityCancellationDetails | None] = []

    @activity.defn
    async def last() -> str:
        if begun.is_set():
            return "by the second"
        begun.set()
        try:
            await asyncio.sleep(1_000)
        finally:
            told.append(activity.cancellation_details())
        return "never"

    async with _client() as client:
        async with _worker(client, [last]):
            handle = await client.start_workflow(Lasting.run, id="w", task_queue="q")
            await begun.wait()
        async with _worker(client, [last]):
            assert await handle.result() == "by the second"

    assert told == [activity.ActivityCancellationDetails(worker_shutdown=True)]


async def test_who_waits_for_a_result_is_sent_on_at_a_hand_over() -> None:
    """A caller of the processor that leaves hears the end from the next one, without waiting for its own renewal."""
    async with _client() as client:
        async with _worker(client, [greet]):
            handle = await client.start_workflow(Told.run, id="w", task_queue="q")
            waiting = asyncio.ensure_future(handle.result())
            await handle.describe()  # answered behind the wait that was sent before it
        async with _worker(client, [greet]), asyncio.timeout(5):
            await handle.signal(Told.tell)
            assert await waiting == "told"


async def test_the_size_of_the_history_is_the_same_when_it_is_replayed() -> None:
    """Code may decide by it, so it must not depend on how steps shared batches: local activities often do."""
    async with _client() as client:
        async with _worker(client, [greet, shout]):
            handle = await client.start_workflow(Measuring.run, "Ann", id="w", task_queue="q")
            sizes = await handle.result()
            lengths = (await handle.query(Measuring.seen))[1]
        async with _worker(client, [greet, shout]):
            assert await handle.query(Measuring.seen) == [sizes, lengths]
        total = sum(len(record.value or b"") for record in _events(client))

    assert sizes == sorted(set(sizes))  # it grows with each step
    assert 0 < sizes[0] < sizes[-1] < total


async def test_a_second_worker_with_other_workflows_is_refused() -> None:
    """Either might be given any run of the queue, so both must know its code; the message shows the difference."""
    async with _client() as client, _worker(client, [greet]):
        other = Worker(client, task_queue="q", workflows=[Welcome, Stray], activities=[greet])
        with pytest.raises(AppConflict, match=r"without .*Once.* and with Stray"):
            await other.run()
        async with Worker(client, task_queue="q", activities=[greet]):
            pass  # it runs activities only
        async with Worker(client, task_queue="another", workflows=[Stray]):
            pass
        async with (
            await Client.connect(f"memory:{uuid.uuid4()}") as elsewhere,
            Worker(elsewhere, task_queue="q", workflows=[Stray]),
        ):
            pass

    async with _client() as client, Worker(client, task_queue="q", workflows=[Stray]):
        pass  # those that have ended are in nobody's way


async def test_closed_runs_are_kept_as_long_as_the_worker_says() -> None:
    """Retention is the queue's, except for the types that have their own; then a run is not found any more."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        worker = _worker(
            env.client,
            [greet, shout],
            retention=timedelta(days=2),
            retention_by_type={Measuring: timedelta(days=9), "Told": timedelta(hours=1)},
        )
        async with worker:
            for workflow_type, arguments in ((Welcome, ["Ann"]), (Measuring, ["Ann"]), (Told, [])):
                name = workflow_type.__name__
                handle = await env.client.start_workflow(
                    name, args=arguments, id=name, task_queue="q", start_signal="tell"
                )
                await handle.result()
            left = [await _retained(env.client)]
            for days in (1, 2, 7):
                await env.sleep(timedelta(days=days))
                left.append(await _retained(env.client))

    assert left == [["Welcome", "Measuring", "Told"], ["Welcome", "Measuring"], ["Measuring"], []]
    assert worker.config()["retention_by_type"][Measuring] == timedelta(days=9)


async def _retained(client: Client) -> list[str]:
    found: list[str] = []
    for name in ("Welcome", "Measuring", "Told"):
        with suppress(RPCError):
            await client.get_workflow_handle(name, task_queue="q").describe()
            found.append(name)
    return found


async def test_a_worker_runs_once() -> None:
    """A second run is refused with what to do instead."""
    async with _client() as client:
        worker = _worker(client, [greet])
        async with worker:
            pass
        with pytest.raises(RuntimeError, match="make another"):
            await worker.run()


async def test_a_cancelled_run_shuts_down() -> None:
    """Nothing is left behind when the task that runs the worker is cancelled."""
    async with _client() as client:
        worker = _worker(client, [greet])
        running = asyncio.ensure_future(worker.run())
        while not worker.is_running:  # noqa: ASYNC110  # there is no event for users
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert worker.is_shutdown


@pytest.mark.parametrize(
    ("options", "error", "complaint"),
    [
        ({"tuner": object()}, TypeError, "tuner"),
        ({"max_concurent_activities": 3}, TypeError, "max_concurent_activities"),
        ({"max_concurrent_activities": 0}, ValueError, "max_concurrent_activities"),
    ],
)
async def test_what_is_not_there_is_refused_by_name(
    options: dict[str, Any], error: type[Exception], complaint: str
) -> None:
    """Options of ported code are accepted when they say nothing, never ignored when they say something."""
    async with _client() as client:
        _worker(client, [greet], interceptors=[], tuner=None, plugins=())
        with pytest.raises(error, match=complaint):
            _worker(client, [greet], **options)


async def test_a_worker_with_nothing_to_run_is_refused() -> None:
    """An empty worker would only look alive."""
    async with _client() as client:
        with pytest.raises(ValueError, match="found neither"):
            Worker(client, task_queue="q")
