"""Workflows that start others, and what they do with them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from streamflow import workflow
from streamflow.common import RetryPolicy, WorkflowIDReusePolicy
from streamflow.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)
from tests.unit.testing.again import HERE, THERE


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
