"""Priority and fairness of a workflow: known to its code, and inherited by what it begins, field by field."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streamflow import activity, workflow
from streamflow.common import Priority
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio
OWN = Priority(priority_key=1, fairness_key="tenant-7", fairness_weight=2.5)


@activity.defn
async def priority_of_activity() -> Priority:
    return activity.info().priority


@workflow.defn
class Inheriting:
    """Tells its own priority, and those of an activity and of a child that were given this one."""

    @workflow.run
    async def run(self, depth: int, given: Priority | None) -> list[Priority]:
        found = [
            workflow.info().priority,
            await workflow.execute_activity(
                priority_of_activity,
                start_to_close_timeout=timedelta(seconds=30),
                priority=given or Priority.default,
            ),
        ]
        if depth:
            found += await workflow.execute_child_workflow(
                Inheriting.run,
                args=[0, None],
                id=f"{workflow.info().workflow_id}-child",
                priority=given or Priority.default,
            )
        return found


async def priorities(given: Priority | None, own: Priority) -> list[Priority]:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client, task_queue="q", workflows=[Inheriting], activities=[priority_of_activity]
        ),
    ):
        return await env.client.execute_workflow(
            Inheriting.run, args=[1, given], id="w", task_queue="q", priority=own
        )


async def test_what_a_workflow_begins_has_its_priority() -> None:
    """Its activities, its children, and their activities."""
    assert await priorities(None, OWN) == [OWN] * 4


async def test_what_is_given_goes_before_what_is_inherited() -> None:
    """For each field: a key alone takes the workflow's priority and weight with it."""
    mixed = Priority(priority_key=1, fairness_key="other", fairness_weight=2.5)
    assert await priorities(Priority(fairness_key="other"), OWN) == [OWN, mixed, mixed, mixed]


async def test_what_has_none_has_none() -> None:
    assert await priorities(None, Priority.default) == [Priority.default] * 4
