"""Cancelling runs and activities, in each of the ways to wait for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.exceptions import ActivityError, CancelledError
from streamflow.workflow import ActivityCancellationType
from tests.unit.coroutine.world import World, driven, kinds

MINUTE = timedelta(minutes=1)


def act(kind: ActivityCancellationType, **options: Any) -> workflow.ActivityHandle[Any]:
    return workflow.start_activity(
        "act", start_to_close_timeout=MINUTE, cancellation_type=kind, **options
    )


async def tell(kind: ActivityCancellationType) -> str:
    """What awaiting the activity comes to."""
    try:
        return f"result {await act(kind)}"
    except ActivityError as error:
        return "cancelled" if isinstance(error.cause, CancelledError) else "?"


def test_try_cancel_raises_at_once_and_asks_for_cancellation() -> None:
    world = World(driven(lambda: tell(ActivityCancellationType.TRY_CANCEL)))
    world.step()
    assert kinds(world.cancel().step()) == ["CancelActivity 1", "CompleteRun"]
    assert world.result == "cancelled"


def test_what_a_try_cancelled_activity_says_later_changes_nothing() -> None:
    async def code() -> str:
        told = await tell(ActivityCancellationType.TRY_CANCEL)
        await workflow.sleep(1)
        return told

    for late in (World.complete, World.fail, World.report_canceled):
        world = World(driven(code))
        world.step()
        world.cancel().step()
        late(world, 1)
        assert world.step() == []
        world.fire(2).step()
        assert world.result == "cancelled"


def test_waiting_for_the_cancellation_raises_when_the_activity_has_ended() -> None:
    world = World(driven(lambda: tell(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)))
    world.step()
    assert kinds(world.cancel().step()) == ["CancelActivity 1"]
    world.report_canceled(1).step()
    assert world.result == "cancelled"


def test_an_activity_that_completes_although_cancelled_gives_its_result() -> None:
    world = World(driven(lambda: tell(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)))
    world.step()
    world.cancel().step()
    world.complete(1, "anyway").step()
    assert world.result == "result anyway"


def test_abandon_raises_at_once_and_asks_for_nothing() -> None:
    world = World(driven(lambda: tell(ActivityCancellationType.ABANDON)))
    world.step()
    assert kinds(world.cancel().step()) == ["CompleteRun"]
    assert world.result == "cancelled"


@pytest.mark.parametrize("kind", list(ActivityCancellationType))
@pytest.mark.parametrize(
    ("yields", "raised"), [(0, "CancelledError"), (1, "ActivityError, CancelledError")]
)
def test_an_activity_cancelled_before_its_step_ends_is_never_scheduled(
    kind: ActivityCancellationType, yields: int, raised: str
) -> None:
    """As a task that has not run it raises asyncio's error; once others have run, the activity's own."""

    async def code() -> str:
        handle = act(kind)
        for _ in range(yields):
            await asyncio.sleep(0)
        assert handle.cancel()
        assert not handle.cancel()
        try:
            await handle
        except ActivityError as error:
            return f"ActivityError, {type(error.cause).__name__}"
        except asyncio.CancelledError as error:
            return type(error).__name__
        return "?"

    world = World(driven(code))
    assert kinds(world.step()) == ["CompleteRun"]
    assert world.result == raised


def test_a_task_that_is_cancelled_as_it_begins_an_activity_is_cancelled() -> None:
    async def begin() -> None:
        await act(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)

    async def code() -> bool:
        task = asyncio.create_task(begin())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    world = World(driven(code))
    assert kinds(world.step()) == ["CompleteRun"]
    assert world.result is True


def test_a_run_cancelled_before_its_code_began_no_activity_and_is_told_by_asyncios_error() -> None:
    async def code() -> str:
        try:
            await act(ActivityCancellationType.TRY_CANCEL)
        except asyncio.CancelledError:
            return "cancelled"
        return "?"

    world = World(driven(code))
    assert kinds(world.cancel().step()) == ["CompleteRun"]
    assert world.result == "cancelled"


def test_cancelling_twice_asks_once() -> None:
    async def code() -> str:
        handle = act(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
        await workflow.sleep(1)
        handle.cancel()
        handle.cancel()
        try:
            await handle
        except ActivityError:
            return "cancelled"
        return "?"

    world = World(driven(code))
    world.step()
    assert kinds(world.fire(2).step()) == ["CancelActivity 1"]
    world.report_canceled(1).step()
    assert world.result == "cancelled"


def test_a_run_that_lets_the_cancellation_through_is_cancelled() -> None:
    """An activity's end that was caused by the request counts as the request."""

    async def code() -> None:
        await act(ActivityCancellationType.TRY_CANCEL)

    world = World(driven(code))
    world.step()
    assert kinds(world.cancel("enough").step()) == ["CancelActivity 1", "CancelRun"]
    assert world.instance.cancel_reason == "enough"


def test_code_may_work_on_after_catching_the_cancellation() -> None:
    """It is delivered once: the clean-up is not cancelled too."""

    async def code() -> str:
        try:
            await workflow.sleep(100)
        except asyncio.CancelledError:
            assert workflow.cancellation_reason() == "enough"
            await workflow.execute_activity("clean_up", start_to_close_timeout=MINUTE)
            return "cleaned up"
        return "?"

    world = World(driven(code))
    world.step()
    assert kinds(world.cancel().step()) == ["CancelTimer 1", "ScheduleActivity 2"]
    assert world.cancel("again").step() == []
    world.complete(2).step()
    assert world.result == "cleaned up"


def test_a_run_cancelled_before_it_began_begins_first() -> None:
    """So that its code can clean up what a signal may have begun."""

    async def code() -> str:
        begun = "begun"
        try:
            await workflow.sleep(1)
        except asyncio.CancelledError:
            return begun
        return "?"

    world = World(driven(code)).cancel()
    assert kinds(world.step()) == ["CompleteRun"]
    assert world.result == "begun"


def test_signal_handlers_are_not_cancelled_with_the_run() -> None:
    @workflow.defn
    class Handles:
        def __init__(self) -> None:
            self.handled = False

        @workflow.run
        async def run(self) -> bool:
            try:
                await workflow.wait_condition(lambda: False)
            except asyncio.CancelledError:
                await workflow.wait_condition(workflow.all_handlers_finished)
            return self.handled

        @workflow.signal
        async def slow(self) -> None:
            await workflow.sleep(1)
            self.handled = True

    world = World(Handles).signal("slow")
    world.step()
    assert world.cancel().step() == []
    world.fire(1).step()
    assert world.result is True


def test_cancelling_a_task_cancels_what_it_awaits_in_order() -> None:
    async def code() -> list[str]:
        ended: list[str] = []

        async def member(name: str, wait: Any) -> None:
            try:
                await wait
            except (asyncio.CancelledError, ActivityError):
                ended.append(name)
                raise

        tasks = [
            asyncio.create_task(member("timer", asyncio.sleep(5))),
            asyncio.create_task(member("act", act(ActivityCancellationType.TRY_CANCEL))),
        ]
        await asyncio.sleep(1)
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return ended

    world = World(driven(code))
    assert kinds(world.step()) == ["ScheduleActivity 1", "StartTimer 2", "StartTimer 3"]
    assert kinds(world.fire(2).step())[:2] == ["CancelActivity 1", "CancelTimer 3"]
    assert world.result == ["act", "timer"]


def test_a_timer_that_fires_in_the_step_of_its_cancellation_is_not_cancelled() -> None:
    """Results are taken in before code runs, so an operation that has ended is never asked to stop."""

    async def code() -> str:
        try:
            await workflow.sleep(1)
        except asyncio.CancelledError:
            return "cancelled"
        return "slept"

    world = World(driven(code))
    world.step()
    assert kinds(world.cancel().fire(1).step()) == ["CompleteRun"]
