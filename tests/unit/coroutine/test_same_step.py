"""A run's cancellation and the end of what its code waits for, in one step; and what runs do that began before it mattered."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from streamflow import workflow
from streamflow.coroutine.flags import CURRENT, Flag
from streamflow.exceptions import ActivityError, ChildWorkflowError, WorkflowAlreadyStartedError
from streamflow.model.options import Status
from streamflow.workflow import ActivityCancellationType, ChildWorkflowCancellationType
from tests.unit.coroutine.world import World, act, driven, failure, kinds

BEFORE = int(Flag.NONE)
Happens = Callable[[World], World]


async def told(waiting: Awaitable[Any]) -> str:
    """What awaiting comes to."""
    try:
        return f"result {await waiting}"
    except (
        asyncio.CancelledError,
        ActivityError,
        ChildWorkflowError,
        WorkflowAlreadyStartedError,
    ) as error:
        return type(error).__name__


def child(kind: ChildWorkflowCancellationType, **options: Any) -> Awaitable[Any]:
    return workflow.execute_child_workflow("Child", id="c", cancellation_type=kind, **options)


def ran(code: Callable[[], Awaitable[Any]], *happens: Happens, flags: int = CURRENT) -> World:
    """A world in whose second step all this has happened; rebuilt from its history, it says the same."""
    world = World(driven(code), flags=flags)
    world.step()
    for each in happens:
        each(world)
    world.step()
    return world.rebuild()


def completed(world: World) -> World:
    return world.complete(1, "r")


def cancelled(world: World) -> World:
    return world.cancel()


@pytest.mark.parametrize("kind", list(ActivityCancellationType))
@pytest.mark.parametrize("order", [(completed, cancelled), (cancelled, completed)])
def test_an_activity_that_ends_as_its_run_is_cancelled_is_a_cancelled_task(
    kind: ActivityCancellationType, order: tuple[Happens, Happens]
) -> None:
    """Whichever is recorded first; nobody asks for the cancellation of what has ended."""

    async def code() -> str:
        return await told(act(cancellation_type=kind))

    world = ran(code, *order)

    assert kinds(world.asked[-1]) == ["CompleteRun"]
    assert world.result == "CancelledError"


def test_an_activity_that_fails_as_its_run_is_cancelled_is_a_cancelled_task_too() -> None:
    assert ran(lambda: told(act()), lambda w: w.fail(1), cancelled).result == "CancelledError"


def test_a_timeout_that_comes_as_the_activity_ends_is_a_timeout() -> None:
    async def code() -> str:
        try:
            return str(await asyncio.wait_for(act(), 10))
        except TimeoutError:
            return "late"

    assert ran(code, lambda w: w.complete(2, "r"), lambda w: w.fire(1)).result == "late"


def test_of_several_that_are_awaited_together_those_that_ended_are_cancelled_too() -> None:
    async def code() -> list[str]:
        both = [asyncio.create_task(told(act())) for _ in range(2)]
        try:
            await asyncio.gather(*both)
        except asyncio.CancelledError:
            await asyncio.wait(both)
        return [task.result() for task in both]

    world = ran(code, lambda w: w.complete(1, "r"), cancelled)

    assert world.result == ["CancelledError", "ActivityError"]


async def started_then_waited() -> str:
    handle = await workflow.start_child_workflow("Child", id="c")
    return await told(handle)


def closed(world: World) -> World:
    return world.child_closed(1, "r")


@pytest.mark.parametrize("order", [(closed, cancelled), (cancelled, closed)])
def test_a_child_that_ends_as_its_parent_is_cancelled_is_a_cancelled_task(
    order: tuple[Happens, Happens],
) -> None:
    world = World(driven(started_then_waited))
    world.step()
    world.child_started(1).step()
    for each in order:
        each(world)
    world.step()

    assert kinds(world.asked[-1]) == ["CompleteRun"]
    assert world.rebuild().result == "CancelledError"


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (ChildWorkflowCancellationType.ABANDON, []),
        (ChildWorkflowCancellationType.TRY_CANCEL, ["CancelChild 1"]),
        (ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED, ["CancelChild 1"]),
        (ChildWorkflowCancellationType.WAIT_CANCELLATION_REQUESTED, ["CancelChild 1"]),
    ],
)
@pytest.mark.parametrize("starts", ["before", "after", "never"])
def test_a_run_that_is_cancelled_waits_for_the_start_of_no_child(
    kind: ChildWorkflowCancellationType, asked: list[str], starts: str
) -> None:
    """The child is asked to stop as its type says, and what becomes of it is nobody's concern any more."""

    async def code() -> str:
        said = await told(child(kind))
        await workflow.sleep(1)
        return said

    world = World(driven(code))
    world.step()
    if starts == "before":
        world.child_started(1)
    world.cancel().step()
    assert kinds(world.asked[-1]) == [*asked, "StartTimer 2"]
    if starts == "after":
        world.child_started(1).step()
    if starts != "never":
        world.child_closed(1, "r").step()
    world.fire(2).step()

    assert world.rebuild().result == "CancelledError"
    assert not world.notices


def refused(world: World) -> World:
    return world.child_refused(1)


def test_a_start_that_is_refused_as_the_run_is_cancelled_is_a_cancelled_wait() -> None:
    async def code() -> str:
        return await told(child(ChildWorkflowCancellationType.TRY_CANCEL))

    for order in ((refused, cancelled), (cancelled, refused)):
        assert ran(code, *order).result == "CancelledError"


def test_a_child_that_starts_and_ends_as_the_run_is_cancelled_leaves_nothing_behind() -> None:
    async def code() -> str:
        return await told(child(ChildWorkflowCancellationType.TRY_CANCEL))

    for ends in (closed, lambda w: w.child_closed(1, status=Status.FAILED, why=failure())):
        world = ran(code, lambda w: w.child_started(1), ends, cancelled)

        assert world.result == "CancelledError"
        gc.collect()
        assert not world.notices


def test_a_start_that_the_code_itself_stops_waiting_for_raises_the_childs_error() -> None:
    async def code() -> str:
        waiting = asyncio.create_task(told(child(ChildWorkflowCancellationType.TRY_CANCEL)))
        await workflow.sleep(1)
        waiting.cancel()
        return await waiting

    assert ran(code, lambda w: w.fire(1)).result == "ChildWorkflowError"


def test_a_child_that_was_not_sent_yet_is_not_sent_and_its_start_is_a_cancelled_wait() -> None:
    """The cancellation comes in the step in which the code asks for the child."""

    async def code() -> str:
        return await told(child(ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED))

    world = World(driven(code))
    world.cancel()

    assert kinds(world.step()) == ["CompleteRun"]
    assert world.result == "CancelledError"


def answered(world: World) -> World:
    return world.answered(1)


def test_a_signal_that_is_answered_as_the_run_is_cancelled_is_a_cancelled_wait() -> None:
    async def code() -> str:
        return await told(workflow.get_external_workflow_handle("x").signal("s"))

    for order in ((answered, cancelled), (cancelled, answered)):
        assert ran(code, *order).result == "CancelledError"


def test_runs_that_began_before_go_on_as_they_were_recorded() -> None:
    """The result comes first where it was recorded first; a cancelled start is the child's error."""

    async def activity() -> str:
        result = await told(act())
        return f"{result}, {await told(asyncio.sleep(9))}"

    async def started() -> str:
        return await told(child(ChildWorkflowCancellationType.TRY_CANCEL))

    world = ran(activity, completed, cancelled, flags=BEFORE)
    assert world.result == "result r, CancelledError"
    world = ran(activity, cancelled, completed, flags=BEFORE)
    world.fire(2).step()
    assert world.result == "CancelledError, result None"
    assert ran(started, cancelled, flags=BEFORE).result == "ChildWorkflowError"
