"""Workflows that do one thing of each kind, for tests of how histories look."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta

from streamflow import activity, workflow
from streamflow.common import RetryPolicy, SearchAttributeKey
from streamflow.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)

SOON = timedelta(seconds=10)
COLOR = SearchAttributeKey.for_keyword("Color")
mended: set[str] = set()
"""IDs of the workflows whose code is not broken any more."""


@activity.defn
async def shout(word: str) -> str:
    return word.upper()


@activity.defn
async def refuse() -> None:
    raise ApplicationError("not today", "because", type="Closed", non_retryable=True)


@activity.defn
async def linger() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.01)


@workflow.defn
class Works:
    """Activities that complete, fail, time out and are cancelled; timers that fire and are cancelled."""

    @workflow.run
    async def run(self, word: str) -> str:
        shouted = await workflow.execute_activity(
            shout, word, start_to_close_timeout=SOON, summary="loud"
        )
        with contextlib.suppress(ActivityError):
            await workflow.execute_activity(refuse, start_to_close_timeout=SOON)
        with contextlib.suppress(ActivityError):
            await workflow.execute_activity(
                linger,
                start_to_close_timeout=timedelta(milliseconds=200),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        lingering = workflow.start_activity(
            linger,
            start_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=timedelta(minutes=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.sleep(1, summary="a nap")
        lingering.cancel()
        with contextlib.suppress(ActivityError):
            await lingering
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 1)
        late = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(1)
        late.cancel()
        await asyncio.sleep(0)
        return shouted


@workflow.defn
class Notes:
    """Patches, memo and search attributes; local activities."""

    def __init__(self) -> None:
        self.ready = False

    @workflow.run
    async def run(self) -> str:
        workflow.patched("newer")
        workflow.upsert_memo({"kept": 1, "gone": 2})
        workflow.upsert_memo({"gone": None})
        workflow.upsert_search_attributes([COLOR.value_set("red")])
        local = await workflow.execute_local_activity(shout, "here", start_to_close_timeout=SOON)
        with contextlib.suppress(ApplicationError):
            await workflow.execute_local_activity(refuse, start_to_close_timeout=SOON)
        await workflow.wait_condition(lambda: self.ready)
        return local

    @workflow.signal
    def go(self, _: str) -> None:
        self.ready = True

    @workflow.update
    async def ask(self, number: int) -> int:
        await workflow.sleep(1)
        if number < 0:
            raise ApplicationError("too small")
        return number


@workflow.defn
class Ends:
    """Ends as it is told."""

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "fail":
            raise ApplicationError("over", type="Over")
        if how == "continue":
            workflow.continue_as_new("complete")
        if how == "wait":
            await workflow.wait_condition(lambda: False)
        return how

    @workflow.signal
    def nothing(self) -> None: ...


@workflow.defn
class Parents:
    """Children that complete, fail, are cancelled and are not started; messages to others."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_child_workflow(Ends.run, "complete", id="c1")
        child = await workflow.start_child_workflow(Ends.run, "wait", id="c2")
        for id_, how in (("c3", "fail"), ("c2", "complete")):
            with contextlib.suppress(ChildWorkflowError, WorkflowAlreadyStartedError):
                await workflow.execute_child_workflow(Ends.run, how, id=id_)
        await child.signal(Ends.nothing)
        await workflow.get_external_workflow_handle("c2").signal("nothing")
        for message in ("signal", "cancel"):
            nobody = workflow.get_external_workflow_handle("nobody")
            with contextlib.suppress(ApplicationError):
                await (nobody.signal("x") if message == "signal" else nobody.cancel())
        await workflow.get_external_workflow_handle("c2").cancel()
        with contextlib.suppress(ChildWorkflowError):
            await child
        other = await workflow.start_child_workflow(Ends.run, "wait", id="c4")
        other.cancel()
        with contextlib.suppress(ChildWorkflowError):
            await other


@workflow.defn
class Fragile:
    @workflow.run
    async def run(self) -> str:
        if workflow.info().workflow_id not in mended:
            raise RuntimeError("this code is broken")
        return "mended"


WORKFLOWS: Sequence[type] = [Works, Notes, Ends, Parents, Fragile]


ACTIVITIES: Sequence[Callable[..., object]] = [shout, refuse, linger]
