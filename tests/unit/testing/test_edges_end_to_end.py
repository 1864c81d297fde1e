"""Edges that ported programs meet: too many arguments, failures that cannot be converted, queues that come a little late."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.api.failure.v1 import Failure
from streamflow.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from streamflow.common import WorkflowIDConflictPolicy
from streamflow.converter import DefaultFailureConverter, PayloadConverter
from streamflow.exceptions import ApplicationError, CancelledError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio
cached = pytest.mark.parametrize("max_cached_workflows", [1_000, 0])


def name() -> str:
    return f"edges-{uuid.uuid4()}"


@activity.defn
async def pick(shelf: str) -> str:
    return f"picked from {shelf}"


@workflow.defn
class Counting:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        return workflow.info().get_current_build_id()

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def build_id(self) -> str:
        return workflow.info().get_current_build_id()

    @workflow.update
    def count(self, shelf: str) -> str:
        return shelf

    @count.validator
    def check_count(self, shelf: str) -> None:
        del shelf

    @workflow.update
    async def pick_and_drop(self) -> str:
        picked = workflow.start_activity(pick, "A", start_to_close_timeout=timedelta(seconds=5))
        picked.cancel()
        return await picked


async def test_a_signal_that_comes_with_a_delayed_start_waits_with_it() -> None:
    """The history says how long; a later signal-with-start lets the run begin at once."""
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Counting]),
    ):
        began = await env.get_current_time()

        async def begin(workflow_id: str) -> WorkflowHandle[Any, str]:
            return await env.client.start_workflow(
                Counting.run,
                id=workflow_id,
                task_queue="q",
                start_delay=timedelta(hours=1),
                start_signal="finish",
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )

        hasty = await begin("hasty")
        await begin("hasty")
        await hasty.result()
        assert await env.get_current_time() - began < timedelta(minutes=1)

        patient = await begin("patient")
        first = (await patient.fetch_history()).events[0]
        await patient.result()
        closed = (await patient.describe()).close_time

    told = first.workflow_execution_started_event_attributes.first_workflow_task_backoff
    assert told.ToTimedelta() == timedelta(hours=1)
    assert closed is not None
    assert closed - began >= timedelta(hours=1)


@cached
async def test_too_many_arguments_are_the_calls_fault_not_the_converters(
    max_cached_workflows: int,
) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue=name(),
            workflows=[Counting],
            max_cached_workflows=max_cached_workflows,
        ) as worker,
    ):
        handle = await env.client.start_workflow(
            Counting.run, id=name(), task_queue=worker.task_queue
        )
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update("count", args=[12, "B"])

    assert isinstance(caught.value.cause, ApplicationError)
    assert "takes 2 positional arguments but 3 were given" in caught.value.cause.message


@cached
async def test_an_update_that_awaits_what_it_cancelled_at_once_was_cancelled(
    max_cached_workflows: int,
) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue=name(),
            workflows=[Counting],
            activities=[pick],
            max_cached_workflows=max_cached_workflows,
        ) as worker,
    ):
        handle = await env.client.start_workflow(
            Counting.run, id=name(), task_queue=worker.task_queue
        )
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(Counting.pick_and_drop)

    assert isinstance(caught.value.cause, CancelledError)


@cached
async def test_the_build_id_is_that_of_the_code_that_steps(max_cached_workflows: int) -> None:
    queue = name()
    async with await WorkflowEnvironment.start_time_skipping() as env:

        def worker(build_id: str) -> Worker:
            return Worker(
                env.client,
                task_queue=queue,
                workflows=[Counting],
                build_id=build_id,
                max_cached_workflows=max_cached_workflows,
            )

        async with worker("1.0"):
            handle = await env.client.start_workflow(Counting.run, id=name(), task_queue=queue)
            assert await handle.query(Counting.build_id) == "1.0"
        async with worker("1.1"):
            assert await handle.query(Counting.build_id) == "1.0"
            await handle.signal(Counting.finish)
            assert await handle.result() == "1.1"
            assert await handle.query(Counting.build_id) == "1.1"


@workflow.defn
class Elsewhere:
    @workflow.run
    async def run(self, queue: str) -> str:
        return await workflow.execute_activity(
            pick, "A", task_queue=queue, schedule_to_close_timeout=timedelta(seconds=30)
        )


async def test_an_activity_finds_a_queue_that_is_made_a_moment_later() -> None:
    queue, elsewhere = name(), name()
    async with (
        await WorkflowEnvironment.start_local() as env,
        Worker(env.client, task_queue=queue, workflows=[Elsewhere]),
    ):
        handle = await env.client.start_workflow(
            Elsewhere.run, elsewhere, id=name(), task_queue=queue
        )
        await handle.query("__stack_trace")  # its first step was taken
        async with Worker(env.client, task_queue=elsewhere, activities=[pick]):
            assert await asyncio.wait_for(handle.result(), 10) == "picked from A"


class Broken(Exception):
    pass


class Stubborn(DefaultFailureConverter):
    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        if isinstance(exception, Broken):
            raise RuntimeError("cannot say what broke")
        super().to_failure(exception, payload_converter, failure)


@workflow.defn
class Breaking:
    @workflow.run
    async def run(self) -> None:
        raise Broken


async def trouble_of(handle: WorkflowHandle[Any, Any]) -> str:
    while True:
        trouble = (await handle.describe()).trouble
        if trouble is not None:
            return trouble.message
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("local", [False, True])  # the local one keeps large payloads outside
async def test_a_failure_that_cannot_be_converted_is_told_as_such(local: bool) -> None:
    start = WorkflowEnvironment.start_local if local else WorkflowEnvironment.start_time_skipping
    async with await start() as env:
        config = env.client.config()
        config["data_converter"] = replace(
            config["data_converter"], failure_converter_class=Stubborn
        )
        client = Client(**config)
        async with Worker(client, task_queue=name(), workflows=[Breaking]) as worker:
            handle = await client.start_workflow(
                Breaking.run, id=name(), task_queue=worker.task_queue
            )
            message = await asyncio.wait_for(trouble_of(handle), 10)

    assert "Failed converting activation exception: cannot say what broke" in message


_swallowing = True


@workflow.defn(sandboxed=False)
class Swallowing:
    @workflow.run
    async def run(self) -> str:
        async def swallow() -> None:
            while _swallowing:
                try:
                    await workflow.wait_condition(lambda: False)
                except BaseException:
                    continue

        self.task = asyncio.create_task(swallow())
        return "done"


async def test_code_that_cannot_be_taken_down_is_named_and_holds_up_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue=name(), workflows=[Swallowing]) as worker,
    ):
        handle = await env.client.start_workflow(
            Swallowing.run, id=name(), task_queue=worker.task_queue
        )
        assert await handle.result() == "done"

    said = f"Timed out running eviction job for run ID {handle.result_run_id}"
    assert any(record.getMessage().startswith(said) for record in caplog.records)


@workflow.defn
class Local:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_local_activity(
            pick, "A", schedule_to_close_timeout=timedelta(seconds=5)
        )


@activity.defn
async def pack() -> None: ...


@pytest.mark.parametrize(
    ("activities", "here"),
    [([pack], "available activities: pack"), ([], "no available activities")],
)
async def test_a_local_activity_that_the_worker_does_not_have_is_the_codes_fault(
    activities: list[Any], here: str
) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue=name(), workflows=[Local], activities=activities) as worker,
    ):
        handle = await env.client.start_workflow(Local.run, id=name(), task_queue=worker.task_queue)
        message = await asyncio.wait_for(trouble_of(handle), 10)

    assert f"Activity function pick is not registered on this worker, {here}" in message


@workflow.defn
class Noting:
    def __init__(self) -> None:
        self.word = ""

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: bool(self.word))
        return self.word

    @workflow.signal
    def note(self, word: str) -> None:
        self.word = word


async def test_a_signal_that_cannot_be_decoded_is_dropped_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue=name(), workflows=[Noting]) as worker,
    ):
        handle = await env.client.start_workflow(
            Noting.run, id=name(), task_queue=worker.task_queue
        )
        await handle.signal("note", args=[{"not": "a word"}])
        await handle.signal("note", args=["word"])
        assert await handle.result() == "word"

    said = "Failed deserializing signal input for note"
    assert any(record.getMessage().startswith(said) for record in caplog.records)
