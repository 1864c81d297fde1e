"""What an activity or a child ended with is stored as it came, whatever the workflow raises it from."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from streamflow import activity, workflow
from streamflow.client import WorkflowFailureError
from streamflow.common import RetryPolicy
from streamflow.exceptions import ActivityError, ApplicationError, ChildWorkflowError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

QUEUE = "again"


@activity.defn
async def deposit() -> None:
    raise ApplicationError("No such account", type="AccountUnknown", non_retryable=True)


@workflow.defn
class Deposit:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            deposit,
            start_to_close_timeout=timedelta(minutes=1),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@workflow.defn
class GiveBack:
    """Raises the first error again within its own handling, and from itself."""

    @workflow.run
    async def run(self, of_child: bool) -> None:
        try:
            if of_child:
                await workflow.execute_child_workflow(Deposit.run)
            else:
                await Deposit().run()
        except (ActivityError, ChildWorkflowError) as first:
            try:
                raise first
            except (ActivityError, ChildWorkflowError) as again:
                raise again from first


def ended_with(*, of_child: bool) -> BaseException:
    async def scene() -> BaseException:
        async with (
            await WorkflowEnvironment.start_time_skipping() as environment,
            Worker(
                environment.client,
                task_queue=QUEUE,
                workflows=[GiveBack, Deposit],
                activities=[deposit],
                max_cached_workflows=0,
            ),
        ):
            with pytest.raises(WorkflowFailureError) as failed:
                await environment.client.execute_workflow(
                    GiveBack.run, of_child, id="give-back", task_queue=QUEUE
                )
            return failed.value.cause

    return asyncio.run(scene())


def test_of_an_activity() -> None:
    error = ended_with(of_child=False)

    assert isinstance(error, ActivityError)
    assert error.activity_type == "deposit"
    assert isinstance(error.cause, ApplicationError)
    assert error.cause.type == "AccountUnknown"
    assert error.cause.cause is None


def test_of_a_child() -> None:
    error = ended_with(of_child=True)

    assert isinstance(error, ChildWorkflowError)
    assert error.workflow_type == "Deposit"
    assert isinstance(error.cause, ActivityError)
    assert isinstance(error.cause.cause, ApplicationError)
