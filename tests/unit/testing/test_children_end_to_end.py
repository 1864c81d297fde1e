"""Child workflows from client to worker and back: with every coroutine kept, and with each replayed at every step."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from streamflow.common import Priority
from streamflow.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    RetryState,
    TerminatedError,
    TimeoutError,
)
from streamflow.worker import Worker
from tests.unit.testing.again import CACHED, HERE, THERE, replayed, two_queues
from tests.unit.testing.families import (
    WORKFLOWS,
    Abandoner,
    Canceller,
    Grandparent,
    Impatient,
    ManyChildren,
    Parent,
    Retrier,
    Starter,
    Twice,
)

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(params=CACHED, ids=["cached", "replayed"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with two_queues(WORKFLOWS, request.param) as client:
        yield client


async def run(client: Client, workflow_: Any, *args: Any, id: str = "parent") -> Any:
    handle = await client.start_workflow(workflow_, args=args, id=id, task_queue=HERE)
    try:
        return await handle.result()
    finally:
        replayed(await handle.fetch_history(), WORKFLOWS)


async def failed(client: Client, workflow_: Any, *args: Any) -> ChildWorkflowError:
    with pytest.raises(WorkflowFailureError) as error:
        await run(client, workflow_, *args)
    cause = error.value.cause
    assert isinstance(cause, ChildWorkflowError)
    return cause


def child_of(client: Client, queue: str = HERE) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle("child", task_queue=queue)


async def test_a_child_knows_its_parent_and_its_result_comes_back(client: Client) -> None:
    assert await run(client, Parent.run, "done", {}) == "done on here for parent of parent []"


async def test_a_grandchild_knows_who_is_at_the_top(client: Client) -> None:
    assert await run(client, Grandparent.run) == "done on here for middle of parent []"


@pytest.mark.parametrize(("options", "key"), [({}, 1), ({"priority": Priority(priority_key=4)}, 4)])
async def test_a_child_has_its_parents_priority_unless_told_otherwise(
    client: Client, options: dict[str, Any], key: int
) -> None:
    @workflow.defn
    class Hurried:
        @workflow.run
        async def run(self) -> list[int | None]:
            theirs = await workflow.execute_child_workflow("Urgency", id="child", **options)
            return [workflow.info().priority.priority_key, theirs]

    @workflow.defn
    class Urgency:
        @workflow.run
        async def run(self) -> int | None:
            return workflow.info().priority.priority_key

    async with Worker(client, task_queue="hurry", workflows=[Hurried, Urgency]):
        said = await client.execute_workflow(
            Hurried.run, id="parent", task_queue="hurry", priority=Priority(priority_key=1)
        )

    assert said == [1, key]


async def test_a_child_may_run_on_another_queue(client: Client) -> None:
    result = await run(client, Parent.run, "done", {"task_queue": THERE})

    assert result == "done on there for parent of parent []"


async def test_a_failure_comes_back_with_who_failed_and_why(client: Client) -> None:
    error = await failed(client, Parent.run, "fail", {"id": "child"})

    assert error.message == "Child Workflow execution failed"
    assert (error.namespace, error.workflow_id, error.workflow_type) == (
        "default",
        "child",
        "Child",
    )
    assert error.run_id == (await child_of(client).describe()).run_id
    assert error.retry_state is RetryState.RETRY_POLICY_NOT_SET
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.message, error.cause.type) == ("no", "Refused")


async def test_a_terminated_child_fails_its_parent(client: Client) -> None:
    handle = await client.start_workflow(
        Parent.run, args=["wait", {"id": "child"}], id="parent", task_queue=HERE
    )
    while not (await handle.describe()).pending_children:
        continue  # asking takes its time
    [pending] = (await handle.describe()).pending_children
    assert (pending.workflow_id, pending.parent_close_policy) == ("child", "terminate")

    await child_of(client).terminate()

    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    cause = error.value.cause
    assert isinstance(cause, ChildWorkflowError)
    assert isinstance(cause.cause, TerminatedError)


@pytest.mark.parametrize("limit", ["execution_timeout", "run_timeout"])
async def test_a_child_that_takes_too_long_times_out(client: Client, limit: str) -> None:
    error = await failed(client, Impatient.run, limit)

    assert error.message == "Child Workflow execution timed out"
    assert error.retry_state is RetryState.TIMEOUT
    assert isinstance(error.cause, TimeoutError)


async def test_a_chain_of_runs_reports_at_its_end_only(client: Client) -> None:
    """Continued, or retried: the parent hears of the last run."""
    assert "done on here" in await run(client, Parent.run, "again", {}, id="continued")
    assert "twice on here" in await run(client, Retrier.run, id="retried")


async def test_a_queue_that_nobody_made_is_an_error_for_the_code(client: Client) -> None:
    error = await failed(client, Parent.run, "done", {"task_queue": "nowhere"})

    assert isinstance(error.cause, ApplicationError)
    assert error.cause.type == "TaskQueueNotFound"
    assert "topology apply --queue nowhere" in error.cause.message


async def test_signals_reach_a_child_in_their_order(client: Client) -> None:
    [result] = await run(client, Starter.run, "wait", "signal", 1)

    assert result == "wait on here for parent of parent ['first', 'go']"


async def test_a_signal_for_a_child_that_has_ended_finds_nobody(client: Client) -> None:
    with pytest.raises(WorkflowFailureError) as error:
        await run(client, Starter.run, "done", "late", 1)

    cause = error.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.message == "Unable to signal external workflow because it was not found"
    assert cause.type == "ExternalWorkflowExecutionNotFound"


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (workflow.ParentClosePolicy.UNSPECIFIED, WorkflowExecutionStatus.TERMINATED),
        (workflow.ParentClosePolicy.TERMINATE, WorkflowExecutionStatus.TERMINATED),
        (workflow.ParentClosePolicy.ABANDON, WorkflowExecutionStatus.RUNNING),
        (workflow.ParentClosePolicy.REQUEST_CANCEL, WorkflowExecutionStatus.CANCELED),
    ],
)
async def test_what_becomes_of_a_child_when_its_parent_ends(
    client: Client, policy: workflow.ParentClosePolicy, status: WorkflowExecutionStatus
) -> None:
    child_id, run_id = await run(client, Starter.run, "sleep", "leave", int(policy))

    assert child_id == "child"
    if status is not WorkflowExecutionStatus.RUNNING:
        with pytest.raises(WorkflowFailureError):
            await child_of(client).result()
    described = await child_of(client).describe()
    assert (described.status, described.run_id) == (status, run_id)
    assert (described.parent_id, described.root_id) == ("parent", "parent")


async def test_a_parent_that_continues_as_new_ends_too(client: Client) -> None:
    """Its next run starts a child of the same ID: the former one has gone with the former run."""
    child_id, _ = await run(client, Starter.run, "sleep", "again", 1)

    assert child_id == "child"


KINDS = workflow.ChildWorkflowCancellationType


@pytest.mark.parametrize(
    ("kind", "said", "child"),
    [
        (KINDS.ABANDON, "cancelled after 10 s", "running"),
        (KINDS.TRY_CANCEL, "cancelled after 10 s", "cleaned up after ''"),
        (KINDS.WAIT_CANCELLATION_REQUESTED, "cancelled after 10 s", "cleaned up after ''"),
        (KINDS.WAIT_CANCELLATION_COMPLETED, "cleaned up after ''", "cleaned up after ''"),
    ],
)
async def test_what_cancelling_a_child_waits_for(
    client: Client, kind: workflow.ChildWorkflowCancellationType, said: str, child: str
) -> None:
    assert await run(client, Canceller.run, "stubborn", int(kind)) == said

    if child == "running":
        assert (await child_of(client).describe()).status is WorkflowExecutionStatus.RUNNING
    else:
        assert await child_of(client).result() == child


async def test_a_child_that_gives_way_is_seen_as_cancelled(client: Client) -> None:
    result = await run(client, Canceller.run, "sleep", int(KINDS.WAIT_CANCELLATION_COMPLETED))

    assert result == "cancelled after 10 s"
    assert (await child_of(client).describe()).status is WorkflowExecutionStatus.CANCELED


async def test_a_child_cancelled_before_it_is_sent_never_was(client: Client) -> None:
    result = await run(client, Abandoner.run)

    assert result == "Child Workflow execution cancelled before scheduled: CancelledError"


async def test_cancelling_a_parent_cancels_its_child(client: Client) -> None:
    handle = await client.start_workflow(
        Parent.run, args=["sleep", {"id": "child"}], id="parent", task_queue=HERE
    )
    while not (await handle.describe()).pending_children:
        continue  # asking takes its time

    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    assert isinstance(error.value.cause, CancelledError)
    assert (await child_of(client).describe()).status is WorkflowExecutionStatus.CANCELED
    replayed(await handle.fetch_history(), WORKFLOWS)


@pytest.mark.parametrize("after", ["open", "closed"])
async def test_an_id_that_is_taken_is_an_error_of_its_own(client: Client, after: str) -> None:
    said = await run(client, Twice.run, after)

    assert said == "child Child Workflow execution already started"


async def test_many_children_on_two_queues_all_come_back(client: Client) -> None:
    assert await run(client, ManyChildren.run, 20) == 40
