"""Apps: what may be declared, and which may run beside each other."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from streamflow import activity, workflow
from streamflow.app import App, AppConflict, refuse_conflicts
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker


@workflow.defn
class Order:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn
class Refund:
    @workflow.run
    async def run(self) -> None: ...


@activity.defn
async def charge() -> None: ...


def test_an_app_without_work_is_refused() -> None:
    """A queue that nothing serves is a mistake of its author."""
    with pytest.raises(ValueError, match="found neither"):
        App("orders")


def test_a_class_that_is_no_workflow_is_refused_where_it_is_declared() -> None:
    """The fault shows at the declaration, not when the first workflow starts."""
    with pytest.raises(ValueError, match=r"workflow\.defn"):
        App("orders", workflows=[dict])


def test_two_apps_on_one_queue_with_different_workflows_are_refused() -> None:
    """The message shows what the second lacks and what it adds."""
    first = App("orders", workflows=[Order])
    second = App("orders", workflows=[Refund])

    with pytest.raises(AppConflict, match="without Order and with Refund"):
        refuse_conflicts([first, second])


@pytest.mark.parametrize(
    "other",
    [
        App("orders", workflows=[Order]),
        App("orders", activities=[charge]),
        App("refunds", workflows=[Refund]),
        App("orders", namespace="other", workflows=[Refund]),
    ],
)
def test_apps_that_cannot_confuse_their_runs_go_together(other: App) -> None:
    """Equal workflows, activities alone, another queue or namespace: no conflict."""
    refuse_conflicts([App("orders", workflows=[Order]), other])


@activity.defn
def where() -> str:
    return threading.current_thread().name


@workflow.defn
class Asks:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(where, start_to_close_timeout=timedelta(minutes=1))


@pytest.mark.asyncio
async def test_an_app_has_threads_for_its_sync_activities_and_a_worker_is_given_them() -> None:
    """What a Worker was not told it does not guess."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with pytest.raises(ValueError, match="where is not async so an activity_executor must be"):
            Worker(env.client, task_queue="q", workflows=[Asks], activities=[where])

        async with App("q", workflows=[Asks], activities=[where]).worker(env.client):
            thread = await env.client.execute_workflow(Asks.run, id="w", task_queue="q")

    assert thread != threading.current_thread().name


def test_half_an_app_does_one_half_of_the_work() -> None:
    """One has the workflows and takes no activity tasks, the other has nothing but those; the App stays as it is."""
    whole = App("orders", workflows=[Order], activities=[charge], max_concurrent_activities=3)

    steps, tasks = whole.only("workflows"), whole.only("activities")

    assert steps is not None
    assert (steps.workflows, steps.options["no_remote_activities"]) == ((Order,), True)
    assert tasks is not None
    assert (tasks.workflows, tasks.activities) == ((), (charge,))
    assert tasks.options == whole.options == {"max_concurrent_activities": 3}
    assert whole.workflows == (Order,)


def test_an_app_without_such_work_has_no_such_half() -> None:
    assert App("orders", workflows=[Order]).only("activities") is None
    assert App("orders", activities=[charge]).only("workflows") is None
    local = App("orders", workflows=[Order], activities=[charge], no_remote_activities=True)
    assert local.only("activities") is None
