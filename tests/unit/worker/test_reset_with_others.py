"""A workflow is reset to a step while it waits for children, or for what became of a message: the new run goes on with them."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from streamflow.exceptions import ApplicationError, ChildWorkflowError
from streamflow.model.events import TimerFired
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker
from streamflow.workflow import ParentClosePolicy

pytestmark = pytest.mark.asyncio


@workflow.defn
class Child:
    """Ends when it is told to, with what it has heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: "end" in self.heard)
        return self.heard

    @workflow.query
    def so_far(self) -> list[str]:
        return self.heard

    @workflow.signal
    def hear(self, what: str) -> None:
        self.heard.append(what)


@workflow.defn
class Parent:
    """Begins a child of this policy, then takes steps of its own until it is told to look at the child."""

    def __init__(self) -> None:
        self.look = False
        self.stop = False

    @workflow.run
    async def run(self, policy: str) -> Any:
        child = await workflow.start_child_workflow(
            Child.run,
            id=f"{workflow.info().workflow_id}-child",
            parent_close_policy=ParentClosePolicy[policy],
        )
        await workflow.sleep(60)
        with suppress(ApplicationError):  # it may have ended
            await child.signal(Child.hear, "again")
        await workflow.wait_condition(lambda: self.look or self.stop)
        if self.stop:
            child.cancel()
        try:
            return await child
        except ChildWorkflowError as error:
            return type(error.cause).__name__

    @workflow.signal
    def look_now(self) -> None:
        self.look = True

    @workflow.signal
    def stop_it(self) -> None:
        self.stop = True


class Begun:
    """A parent that waits beside its child, and the number of its last event: that of the step after its sleep."""

    def __init__(self, parent: WorkflowHandle[Any, Any], child: WorkflowHandle[Any, Any]) -> None:
        self.parent = parent
        self.child = child
        self.seq = 0


async def begun(env: WorkflowEnvironment, queue: str, policy: str = "TERMINATE") -> Begun:
    id = f"p-{uuid.uuid4()}"
    parent = await env.client.start_workflow(Parent.run, policy, id=id, task_queue=queue)
    found = Begun(parent, env.client.get_workflow_handle(f"{id}-child"))
    await env.sleep(timedelta(seconds=61))
    while await found.child.query(Child.so_far) != ["again"]:
        await env.sleep(timedelta(milliseconds=20))
    events = (await parent.fetch_history()).events
    recorded = [event.recorded for event in events if event.recorded is not None]
    [found.seq] = [one.seq for one in recorded if isinstance(one.event, TimerFired)]
    return found


def serving(client: Client, queue: str) -> Worker:
    return Worker(client, task_queue=queue, workflows=[Parent, Child])


async def status(handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionStatus | None:
    return (await handle.describe()).status


async def test_a_pending_child_goes_on_and_its_end_is_told_to_the_new_run() -> None:
    """Its parent close policy is not carried out, and the new run's messages reach it."""
    async with await WorkflowEnvironment.start_time_skipping() as env, serving(env.client, "q"):
        begin = await begun(env, "q")

        new = await begin.parent.reset(seq=begin.seq)
        assert await status(begin.child) is WorkflowExecutionStatus.RUNNING
        await begin.parent.signal(Parent.look_now)
        await begin.child.signal(Child.hear, "end")

        assert await new.result() == ["again", "again", "end"]


async def test_what_a_child_said_after_the_step_is_said_to_the_new_run() -> None:
    """The old run has heard of the end; the new one, made from before it, hears of it as well."""
    async with await WorkflowEnvironment.start_time_skipping() as env, serving(env.client, "q"):
        begin = await begun(env, "q")
        await begin.child.signal(Child.hear, "end")
        await begin.parent.signal(Parent.look_now)
        assert await begin.parent.result() == ["again", "end"]

        new = await begin.parent.reset(seq=begin.seq)

        assert await new.result() == ["again", "end"]


async def test_a_reset_run_is_reset_again_with_its_child() -> None:
    """Who began the child is remembered through copies of copies."""
    async with await WorkflowEnvironment.start_time_skipping() as env, serving(env.client, "q"):
        begin = await begun(env, "q")
        await begin.parent.reset(seq=begin.seq)
        new = await begin.parent.reset(seq=begin.seq)

        await begin.parent.signal(Parent.stop_it)

        assert await new.result() == "CancelledError"
        assert await status(begin.child) is WorkflowExecutionStatus.CANCELED


async def test_the_new_run_ends_and_its_child_goes_the_way_of_its_policy() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env, serving(env.client, "q"):
        begin = await begun(env, "q")
        new = await begin.parent.reset(seq=begin.seq)
        await env.client.get_workflow_handle(begin.parent.id, run_id=new.result_run_id).terminate()
        while await status(begin.child) is WorkflowExecutionStatus.RUNNING:
            await env.sleep(timedelta(milliseconds=20))

        assert await status(begin.child) is WorkflowExecutionStatus.TERMINATED


async def test_a_child_that_the_step_began_is_begun_anew() -> None:
    """The old run's one goes the way of its policy first, so that its ID is free."""
    async with await WorkflowEnvironment.start_time_skipping() as env, serving(env.client, "q"):
        begin = await begun(env, "q")
        first = (await begin.child.describe()).run_id

        new = await begin.parent.reset(seq=1)
        await env.sleep(timedelta(seconds=61))
        await begin.parent.signal(Parent.look_now)
        await begin.child.signal(Child.hear, "end")

        assert await new.result() == ["again", "end"]
        assert (await begin.child.describe()).run_id != first


async def test_what_nobody_heard_is_refused() -> None:
    """The run had ended when its child did: no run would ever be told."""
    async with await WorkflowEnvironment.start_time_skipping() as env, serving(env.client, "q"):
        begin = await begun(env, "q", "ABANDON")
        await begin.parent.terminate()

        with pytest.raises(RPCError, match="what became of child workflows") as refused:
            await begin.parent.reset(seq=begin.seq)

    assert refused.value.status is RPCStatusCode.FAILED_PRECONDITION
