"""What workflows keep and show of themselves, from client to worker and back; every step replays the run from scratch."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from streamflow import activity, workflow
from streamflow.client import WorkflowFailureError
from streamflow.common import (
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from streamflow.exceptions import ApplicationError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import UnsandboxedWorkflowRunner, Worker
from streamflow.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

pytestmark = pytest.mark.asyncio
TEXT = SearchAttributeKey.for_text("Note")
COUNT = SearchAttributeKey.for_int("Count")
DUE = SearchAttributeKey.for_datetime("Due")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest_asyncio.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping() as made:
        yield made


def worker(env: WorkflowEnvironment, *classes: type, **options: Any) -> Worker:
    """One that keeps no run in memory."""
    return Worker(env.client, task_queue="q", workflows=classes, max_cached_workflows=0, **options)


@workflow.defn
class Changes:
    """Changes memo and search attributes, continues as new, and changes them once more."""

    @workflow.run
    async def run(self, again: bool) -> list[Any]:
        if again:
            workflow.upsert_memo({"first": None, "second": {"n": 2}})
            workflow.upsert_search_attributes([TEXT.value_unset(), DUE.value_set(NOON)])
            await workflow.sleep(timedelta(days=1))
            workflow.continue_as_new(False)
        workflow.upsert_search_attributes([COUNT.value_set(2)])
        typed = workflow.info().typed_search_attributes
        return [dict(workflow.memo()), typed.get(TEXT), typed[COUNT], typed[DUE] == NOON]


async def test_memo_and_search_attributes_are_shown_as_they_stand_and_carried_over(
    env: WorkflowEnvironment,
) -> None:
    async with worker(env, Changes):
        handle = await env.client.start_workflow(
            Changes.run,
            True,
            id="w",
            task_queue="q",
            memo={"first": 1, "kept": "x"},
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(TEXT, "old"), SearchAttributePair(COUNT, 1)]
            ),
        )
        first = await env.client.get_workflow_handle(
            "w", run_id=handle.first_execution_run_id
        ).describe()
        result = await handle.result()
        last = await env.client.get_workflow_handle("w").describe()

    assert await first.memo() == {"kept": "x", "second": {"n": 2}}
    assert list(first.typed_search_attributes) == [
        SearchAttributePair(COUNT, 1),
        SearchAttributePair(DUE, NOON),
    ]
    assert result == [{"kept": "x", "second": {"n": 2}}, None, 2, True]
    assert last.typed_search_attributes[COUNT] == 2
    assert await last.memo_value("second") == {"n": 2}


@workflow.defn
class Patched:
    @workflow.run
    async def run(self) -> None:
        assert workflow.patched("in-cents")
        await workflow.sleep(1)
        workflow.deprecate_patch("by-train")


async def test_runs_are_found_by_their_patches(env: WorkflowEnvironment) -> None:
    """Under the name that the model has for it."""
    key = SearchAttributeKey.for_keyword_list("TemporalChangeVersion")
    async with worker(env, Patched, TellsAll):
        await env.client.execute_workflow(TellsAll.run, id="other", task_queue="q")
        handle = await env.client.start_workflow(Patched.run, id="w", task_queue="q")
        await handle.result()
        description = await handle.describe()
        found = env.client.list_workflows("TemporalChangeVersion = 'by-train'")

        assert [execution.id async for execution in found] == ["w"]
    assert description.typed_search_attributes[key] == ["in-cents", "by-train"]


@workflow.defn
class TellsAll:
    @workflow.run
    async def run(self) -> dict[str, Any]:
        info: dict[str, Any] = json.loads(
            json.dumps(dataclasses.asdict(workflow.info()), default=str)
        )
        return info


async def test_a_runs_info_is_complete_and_plain(env: WorkflowEnvironment) -> None:
    """It can be taken apart like any dataclass."""
    async with worker(env, TellsAll):
        handle = await env.client.start_workflow(
            TellsAll.run,
            id="w",
            task_queue="q",
            retry_policy=RetryPolicy(maximum_attempts=5, non_retryable_error_types=["nope"]),
            run_timeout=timedelta(hours=1),
        )
        info = await handle.result()

    assert info["workflow_id"] == "w"
    assert info["run_id"] == info["first_execution_run_id"] == handle.first_execution_run_id
    assert (info["task_timeout"], info["run_timeout"]) == ("0:00:10", "1:00:00")
    assert info["execution_timeout"] is info["cron_schedule"] is info["parent"] is None
    assert info["retry_policy"]["non_retryable_error_types"] == ["nope"]
    assert (info["attempt"], info["namespace"], info["workflow_type"]) == (1, "default", "TellsAll")


@activity.defn
async def nothing() -> None:
    """Does nothing."""


@workflow.defn
class Summarized:
    @workflow.run
    async def run(self) -> None:
        workflow.set_current_details("**half** way")
        await workflow.execute_activity(
            nothing, start_to_close_timeout=timedelta(minutes=1), summary="do nothing"
        )
        await workflow.sleep(60, summary="rest")
        with pytest.raises(TimeoutError):
            await workflow.wait_condition(lambda: False, timeout=1, timeout_summary="give up")
        assert workflow.get_current_details() == "**half** way"

    @workflow.query
    def details(self) -> str:
        return workflow.get_current_details()


async def test_summaries_and_details_are_kept_and_shown(env: WorkflowEnvironment) -> None:
    async with worker(env, Summarized, activities=[nothing]):
        handle = await env.client.start_workflow(
            Summarized.run,
            id="w",
            task_queue="q",
            static_summary="an order",
            static_details="*of books*",
        )
        await handle.result()
        description = await handle.describe()
        history = (await handle.fetch_history()).to_json()

        assert await description.static_summary() == "an order"
        assert await description.static_details() == "*of books*"
        assert await handle.query(Summarized.details) == "**half** way"
    assert all(f'"{said}"' in history for said in ("do nothing", "rest", "give up"))


def fails(count: int) -> type:
    @workflow.defn(name="Fails")
    class Fails:
        @workflow.run
        async def run(self) -> list[Any]:
            if workflow.info().attempt <= count:
                raise ApplicationError(f"attempt {workflow.info().attempt}")
            return [str(workflow.get_last_failure()), workflow.has_last_completion_result()]

    return Fails


async def test_a_retried_workflow_knows_why_the_last_attempt_failed(
    env: WorkflowEnvironment,
) -> None:
    async with worker(env, fails(2)):
        result = await env.client.execute_workflow(
            "Fails", id="w", task_queue="q", retry_policy=RetryPolicy(maximum_attempts=3)
        )

    assert result == ["attempt 2", False]


def waits(code: str) -> type:
    """Two codes of one workflow, which begin different things."""

    @workflow.defn(name="Waits")
    class Waits:
        def __init__(self) -> None:
            self.told = False

        @workflow.run
        async def run(self) -> str:
            if code == "old":
                await workflow.sleep(0.01)
            else:
                await workflow.execute_activity(
                    nothing, start_to_close_timeout=timedelta(minutes=1)
                )
            await workflow.wait_condition(lambda: self.told)
            return code

        @workflow.signal
        def tell(self) -> None:
            self.told = True

    return Waits


async def test_changed_code_leaves_a_run_stuck_or_fails_it_where_that_is_asked_for(
    env: WorkflowEnvironment,
) -> None:
    """By naming NondeterminismError among the failure types."""
    async with worker(env, waits("old")):
        handle = await env.client.start_workflow("Waits", id="w", task_queue="q")
        await handle.query("__stack_trace")
    async with worker(env, waits("new"), activities=[nothing]):
        await handle.signal("tell")
        trouble = (await handle.describe()).trouble
        assert trouble is not None
        assert trouble.kind == "nondeterminism"
    failing = [workflow.NondeterminismError]
    async with worker(
        env, waits("new"), activities=[nothing], workflow_failure_exception_types=failing
    ):
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "NondeterminismError"
    assert "Nondeterminism" in failed.value.cause.message


@workflow.defn
class LooksAtTheClock:
    @workflow.run
    async def run(self) -> bool:
        return datetime.now(UTC) > datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "runner", [UnsandboxedWorkflowRunner(), SandboxedWorkflowRunner()], ids=["free", "sandboxed"]
)
async def test_a_workers_runner_guards_or_frees_its_workflows(
    env: WorkflowEnvironment, runner: Any
) -> None:
    failing = [workflow.NondeterminismError]
    async with worker(
        env, LooksAtTheClock, workflow_runner=runner, workflow_failure_exception_types=failing
    ):
        asked = env.client.execute_workflow(LooksAtTheClock.run, id="w", task_queue="q")
        if isinstance(runner, UnsandboxedWorkflowRunner):
            assert await asked
            return
        with pytest.raises(WorkflowFailureError) as failed:
            await asked
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "RestrictedWorkflowAccessError"


@workflow.defn
class UsesAsyncio:
    @workflow.run
    async def run(self) -> str:
        done, _ = await asyncio.wait([asyncio.create_task(asyncio.sleep(0, "done"))])
        return done.pop().result()


async def test_a_worker_without_a_runner_of_its_own_warns_of_nothing(
    env: WorkflowEnvironment,
) -> None:
    """What is warned of elsewhere replays here. Warnings fail tests."""
    async with worker(env, UsesAsyncio) as made:
        assert await env.client.execute_workflow(UsesAsyncio.run, id="w", task_queue="q") == "done"
        assert isinstance(made.config()["workflow_runner"], SandboxedWorkflowRunner)


async def test_restrictions_are_taken_by_a_worker(env: WorkflowEnvironment) -> None:
    restrictions = SandboxRestrictions.default.with_passthrough_modules("pytest")
    async with worker(
        env, TellsAll, workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions)
    ) as made:
        assert (await env.client.execute_workflow(TellsAll.run, id="w", task_queue="q"))["attempt"]
        assert made.config()["workflow_runner"] == SandboxedWorkflowRunner(restrictions)
