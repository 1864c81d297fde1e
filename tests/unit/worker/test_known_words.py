"""What ported tests look for, word by word: in messages, log records and IDs."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
import structlog

from streamflow import activity, workflow
from streamflow.client import WorkflowFailureError, WorkflowQueryFailedError
from streamflow.common import RetryPolicy
from streamflow.exceptions import ApplicationError
from streamflow.service import __version__
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker, _workflow_instance

ended: list[tuple[bool, str]] = []
stumbled: list[bool] = []


@activity.defn
async def limp() -> None:
    raise RuntimeError("a stone")


@workflow.defn(sandboxed=False, failure_exception_types=[ValueError, RuntimeError])
class Walk:
    @workflow.run
    async def run(self, steps: int) -> str:
        try:
            await asyncio.sleep(steps)
        except BaseException as error:
            ended.append((workflow.unsafe.is_replaying(), type(error).__name__))
        return workflow.info().run_id

    @workflow.query
    def look(self) -> str:
        return str(workflow.random().random())


@workflow.defn(sandboxed=False)
class Stumble:
    @workflow.run
    async def run(self) -> None:
        if not stumbled:
            stumbled.append(True)
            raise RuntimeError("a root")
        await workflow.execute_activity(
            limp,
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@pytest_asyncio.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        yield env


@pytest.mark.asyncio
async def test_run_ids_are_ordered_by_time_and_evicted_code_learns_it_as_replay(
    env: WorkflowEnvironment,
) -> None:
    async with Worker(env.client, task_queue="q", workflows=[Walk], max_cached_workflows=0):
        run_id = await env.client.execute_workflow(Walk.run, 1, id="walk", task_queue="q")

    assert uuid.UUID(run_id).version == 7
    assert ended == [(True, "_WorkflowBeingEvictedError")]


@pytest.mark.asyncio
async def test_refusals_say_what_programs_look_for(env: WorkflowEnvironment) -> None:
    async with Worker(env.client, task_queue="q", workflows=[Walk]):
        handle = await env.client.start_workflow(Walk.run, 9, id="walk", task_queue="q")
        with pytest.raises(WorkflowQueryFailedError, match="While in read-only function, action"):
            await handle.query(Walk.look)
        with pytest.raises(WorkflowQueryFailedError) as unknown:
            await handle.query("listen")
        assert str(unknown.value).endswith(
            "known queries: [__enhanced_stack_trace __stack_trace __temporal_workflow_metadata look]"
        )
        trace = await handle.query("__enhanced_stack_trace")
        assert trace.sdk.version == __version__
        with pytest.raises(WorkflowFailureError) as failed:
            await env.client.execute_workflow("Walk", "far", id="other", task_queue="q")
        assert isinstance(failed.value.cause, ApplicationError)
        assert "Failed decoding arguments" in failed.value.cause.message


@pytest.mark.asyncio
async def test_steps_and_activities_that_fail_are_logged_with_who_they_are(
    env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    structlog.reset_defaults()  # as in a program that leaves logs to the standard library
    caplog.set_level(logging.INFO, logger=_workflow_instance.logger.name)
    async with Worker(env.client, task_queue="q", workflows=[Stumble], activities=[limp]):
        with pytest.raises(WorkflowFailureError):
            await env.client.execute_workflow(Stumble.run, id="stumble", task_queue="q")

    said = {record.message.partition(" (")[0]: record for record in caplog.records}
    step = next(said[text] for text in said if text.startswith("Failed activation on workflow"))
    assert step.__dict__["temporal_workflow"]["workflow_type"] == "Stumble"
    assert step.exc_info is not None
    attempt = said["Completing activity as failed"]
    assert attempt.levelno == logging.WARNING
    assert attempt.__dict__["temporal_activity"]["activity_type"] == "limp"
    marks = [record.__dict__["__temporal_error_identifier"] for record in (step, attempt)]
    assert marks == ["WorkflowTaskFailure", "ActivityFailure"]


@pytest.mark.asyncio
async def test_a_workers_refusals_say_what_programs_look_for(env: WorkflowEnvironment) -> None:
    @activity.defn
    class Carry:
        async def __call__(self) -> None: ...

    with pytest.raises(TypeError, match="is a class instead of an instance"):
        Worker(env.client, task_queue="q", activities=[Carry])
    with pytest.raises(ValueError, match="More than one workflow named Walk"):
        Worker(env.client, task_queue="q", workflows=[Walk, Walk])
