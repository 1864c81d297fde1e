"""Child workflows from client to worker and back: with every coroutine kept, and with each replayed at every step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.client import Client, WorkflowFailureError, WorkflowHandle
from streamflow.common import Priority, RetryPolicy, WorkflowIDReusePolicy
from streamflow.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    RetryState,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from streamflow.model.options import Status
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker
from tests.unit.testing.again import replayed

pytestmark = pytest.mark.asyncio

HERE, THERE = "here", "there"


@workflow.defn
class Child:
    """Waits, returns or fails as it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self, what: str) -> str:
        match what:
            case "fail":
                raise ApplicationError("no", type="Refused", non_retryable=True)
            case "wait":
                await workflow.wait_condition(lambda: "go" in self.heard)
            case "sleep":
                await workflow.sleep(timedelta(days=300))
            case "again":
                workflow.continue_as_new("done")
            case "twice":
                if workflow.info().attempt == 1:
                    raise ApplicationError("once more")
            case "stubborn":
                try:
                    await workflow.sleep(timedelta(days=300))
                except asyncio.CancelledError:
                    await workflow.sleep(60)
                    return f"cleaned up after {workflow.cancellation_reason()!r}"
            case _:
                pass
        info = workflow.info()
        assert info.parent is not None
        assert info.root is not None
        return f"{what} on {info.task_queue} for {info.parent.workflow_id} of {info.root.workflow_id} {self.heard}"

    @workflow.signal
    def hear(self, word: str) -> None:
        self.heard.append(word)


@workflow.defn
class Parent:
    """Executes one child with these options, and says how it went."""

    @workflow.run
    async def run(self, what: str, options: dict[str, Any]) -> str:
        return await workflow.execute_child_workflow(Child.run, what, **options)


@workflow.defn
class Retrier:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_child_workflow(
            Child.run, "twice", retry_policy=RetryPolicy(maximum_attempts=2)
        )


@workflow.defn
class Impatient:
    @workflow.run
    async def run(self, limit: str) -> str:
        options: Any = {limit: timedelta(seconds=20)}
        return await workflow.execute_child_workflow(Child.run, "sleep", **options)


@workflow.defn
class Grandparent:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_child_workflow(
            Parent.run, args=["done", {}], id="middle", result_type=str
        )


@workflow.defn
class Starter:
    """Starts a child and leaves it, or does with it what it is told."""

    @workflow.run
    async def run(self, what: str, then: str, policy: int) -> list[str | None]:
        handle = await workflow.start_child_workflow(
            Child.run, what, id="child", parent_close_policy=workflow.ParentClosePolicy(policy)
        )
        if then == "signal":
            await handle.signal(Child.hear, "first")
            await handle.signal("hear", "go")
            return [await handle]
        if then == "late":
            await handle
            await handle.signal(Child.hear, "too late")
        if then == "again":
            workflow.continue_as_new(args=["done", "leave", policy])
        return [handle.id, handle.first_execution_run_id]


@workflow.defn
class Canceller:
    """Cancels its child after a while, and says what it saw of that, and when."""

    @workflow.run
    async def run(self, what: str, kind: int) -> str:
        began = workflow.now()
        task = asyncio.create_task(
            workflow.execute_child_workflow(
                Child.run,
                what,
                id="child",
                cancellation_type=workflow.ChildWorkflowCancellationType(kind),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            )
        )
        await workflow.sleep(10)
        task.cancel()
        try:
            return await task
        except ChildWorkflowError as error:
            if not isinstance(error.cause, CancelledError):
                raise
            return f"cancelled after {(workflow.now() - began).total_seconds():.0f} s"


@workflow.defn
class Abandoner:
    """Cancelled before its child is asked for at all."""

    @workflow.run
    async def run(self) -> str:
        task = asyncio.create_task(workflow.execute_child_workflow(Child.run, "done", id="child"))
        await asyncio.sleep(0)
        task.cancel()
        try:
            return await task
        except ChildWorkflowError as error:
            return f"{error.message}: {type(error.cause).__name__}"


@workflow.defn
class Twice:
    @workflow.run
    async def run(self, after: str) -> str:
        first = await workflow.start_child_workflow(Child.run, "wait", id="child")
        if after == "closed":
            await first.signal(Child.hear, "go")
            await first
        policy = WorkflowIDReusePolicy.REJECT_DUPLICATE
        try:
            await workflow.start_child_workflow(
                Child.run, "done", id="child", id_reuse_policy=policy
            )
        except WorkflowAlreadyStartedError as error:
            if after == "open":
                await first.signal(Child.hear, "go")
                await first
            return f"{error.workflow_id} {error.workflow_type} {error.message}"
        return "started"


@workflow.defn
class ManyChildren:
    @workflow.run
    async def run(self, count: int) -> int:
        handles = [
            await workflow.start_child_workflow(Child.run, "done", id=f"many-{n}", task_queue=queue)
            for n in range(count)
            for queue in (HERE, THERE)
        ]
        return len(await asyncio.gather(*handles))


WORKFLOWS = [
    Child,
    Parent,
    Retrier,
    Impatient,
    Grandparent,
    Starter,
    Canceller,
    Abandoner,
    Twice,
    ManyChildren,
]


@pytest_asyncio.fixture(params=[1_000, 0], ids=["cached", "replayed"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        workers = [
            Worker(
                env.client,
                task_queue=queue,
                workflows=WORKFLOWS,
                max_cached_workflows=request.param,
            )
            for queue in (HERE, THERE)
        ]
        async with workers[0], workers[1]:
            yield env.client


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
        (workflow.ParentClosePolicy.UNSPECIFIED, Status.TERMINATED),
        (workflow.ParentClosePolicy.TERMINATE, Status.TERMINATED),
        (workflow.ParentClosePolicy.ABANDON, Status.RUNNING),
        (workflow.ParentClosePolicy.REQUEST_CANCEL, Status.CANCELED),
    ],
)
async def test_what_becomes_of_a_child_when_its_parent_ends(
    client: Client, policy: workflow.ParentClosePolicy, status: Status
) -> None:
    child_id, run_id = await run(client, Starter.run, "sleep", "leave", int(policy))

    assert child_id == "child"
    if status is not Status.RUNNING:
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
        assert (await child_of(client).describe()).status is Status.RUNNING
    else:
        assert await child_of(client).result() == child


async def test_a_child_that_gives_way_is_seen_as_cancelled(client: Client) -> None:
    result = await run(client, Canceller.run, "sleep", int(KINDS.WAIT_CANCELLATION_COMPLETED))

    assert result == "cancelled after 10 s"
    assert (await child_of(client).describe()).status is Status.CANCELED


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
    assert (await child_of(client).describe()).status is Status.CANCELED
    replayed(await handle.fetch_history(), WORKFLOWS)


@pytest.mark.parametrize("after", ["open", "closed"])
async def test_an_id_that_is_taken_is_an_error_of_its_own(client: Client, after: str) -> None:
    said = await run(client, Twice.run, after)

    assert said == "child Child Workflow execution already started"


async def test_many_children_on_two_queues_all_come_back(client: Client) -> None:
    assert await run(client, ManyChildren.run, 20) == 40
