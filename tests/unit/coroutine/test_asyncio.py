"""What asyncio offers works on the workflow's loop, with durable timers and in an order that replays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.coroutine.errors import CodeFailed
from streamflow.exceptions import ActivityError
from streamflow.model.intents import StartTimer
from tests.unit.coroutine.world import World, driven, kinds

MINUTE = timedelta(minutes=1)


def act(name: str, **options: Any) -> workflow.ActivityHandle[Any]:
    return workflow.start_activity(name, start_to_close_timeout=MINUTE, **options)


def test_asyncio_sleep_is_a_durable_timer() -> None:
    async def code() -> str:
        await asyncio.sleep(0.1)  # 100 ms, although 0.1 in binary is a little more
        return "slept"

    world = World(driven(code))
    assert world.step() == [StartTimer(op=1, duration_ms=100)]  # type: ignore[arg-type]
    world.fire(1).step()
    assert world.result == "slept"


def test_a_sleep_of_nothing_needs_no_timer() -> None:
    async def code() -> None:
        await asyncio.sleep(0)
        await workflow.sleep(0)
        asyncio.get_running_loop().call_later(-1, lambda: None)

    assert kinds(World(driven(code)).step()) == ["CompleteRun"]


def test_timers_fire_in_the_recorded_order() -> None:
    """Also those that are due at the same time."""

    async def code() -> list[int]:
        woken: list[int] = []

        async def wait(number: int) -> None:
            await asyncio.sleep(5)
            woken.append(number)

        await asyncio.gather(*(wait(number) for number in range(4)))
        return woken

    world = World(driven(code))
    world.step()
    for op in (3, 1, 4, 2):
        world.fire(op)
    world.step()
    assert world.result == [2, 0, 3, 1]


def test_wait_for_within_the_timeout_cancels_its_timer() -> None:
    async def code() -> Any:
        return await asyncio.wait_for(act("a"), timeout=10)

    world = World(driven(code))
    assert sorted(kinds(world.step())) == ["ScheduleActivity 1", "StartTimer 2"]
    assert kinds(world.complete(1, "in time").step()) == ["CancelTimer 2", "CompleteRun"]


def test_wait_for_past_the_timeout_raises() -> None:
    async def code() -> str:
        try:
            await asyncio.wait_for(asyncio.sleep(100), timeout=10)
        except TimeoutError:
            return "late"
        return "in time"

    world = World(driven(code))
    assert kinds(world.step()) == ["StartTimer 1", "StartTimer 2"]
    assert kinds(world.fire(1).step()) == ["CancelTimer 2", "CompleteRun"]
    assert world.result == "late"


def test_a_timeout_that_is_not_needed_leaves_no_trace() -> None:
    """Begun and cancelled within one step, neither intent is recorded."""

    async def code() -> str:
        async with asyncio.timeout(10):  # noqa: ASYNC100  # that is what is tested
            return "at once"

    assert kinds(World(driven(code)).step()) == ["CompleteRun"]


def test_asyncio_timeout_raises_timeout_error() -> None:
    async def code() -> str:
        try:
            async with asyncio.timeout(1):
                await asyncio.sleep(5)
        except TimeoutError:
            return "late"
        return "?"

    world = World(driven(code))
    world.step()
    world.fire(1).step()
    assert world.result == "late"


def test_gather_keeps_the_order_of_its_arguments() -> None:
    async def code() -> list[Any]:
        return list(await asyncio.gather(act("a"), act("b"), asyncio.sleep(1, "c")))

    world = World(driven(code))
    world.step()
    world.fire(3).complete(2, "B").complete(1, "A").step()
    assert world.result == ["A", "B", "c"]


def test_a_task_group_cancels_the_others_when_one_fails() -> None:
    """In an order that depends on nothing but the order of their creation."""

    async def code() -> list[Any]:
        ended: list[int] = []

        async def member(number: int) -> None:
            try:
                await act(f"a{number}")
            finally:
                ended.append(number)

        try:
            async with asyncio.TaskGroup() as group:
                for number in range(12):
                    group.create_task(member(number))
        except* ActivityError:
            pass
        return ended

    first, second = World(driven(code)), World(driven(code))
    for world in (first, second):
        world.step()
        world.fail(4).step()
    assert first.result == second.result
    assert first.result[0] == 3
    assert sorted(first.result) == list(range(12))


def test_queues_locks_events_and_semaphores() -> None:
    async def code() -> list[Any]:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        lock, event, places = asyncio.Lock(), asyncio.Event(), asyncio.Semaphore(2)
        seen: list[Any] = []

        async def produce() -> None:
            for number in range(3):
                await queue.put(number)
            event.set()

        async def consume() -> None:
            while not (event.is_set() and queue.empty()):
                async with lock:
                    seen.append(await queue.get())

        async def limited(name: str) -> None:
            async with places:
                await act(name)
                seen.append(name)

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            group.create_task(consume())
            for name in "abc":
                group.create_task(limited(name))
        return seen

    world = World(driven(code))
    assert len(world.step()) == 2  # the semaphore holds the third back
    world.complete(1).step()
    world.complete(2).complete(3).step()
    assert world.result == [0, 1, 2, "a", "b", "c"]


def test_shield_keeps_an_activity_from_its_waiters_cancellation() -> None:
    async def code() -> Any:
        handle = act("precious")
        try:
            await asyncio.shield(handle)
        except asyncio.CancelledError:
            return await handle
        return "not cancelled"

    world = World(driven(code))
    world.step()
    assert world.cancel().step() == []
    world.complete(1, "kept").step()
    assert world.result == "kept"


def test_ordered_wait_gives_lists_in_the_order_given() -> None:
    async def code() -> list[Any]:
        handles = [act(name) for name in "abcd"]
        done, pending = await workflow.wait(handles, return_when=asyncio.FIRST_COMPLETED)
        return [[handles.index(x) for x in done], [handles.index(x) for x in pending]]

    world = World(driven(code))
    world.step()
    world.complete(4).complete(2).step()
    assert world.result == [[1, 3], [0, 2]]


def test_wait_with_a_timeout_is_durable() -> None:
    async def code() -> list[int]:
        done, pending = await workflow.wait([act("a")], timeout=3)
        return [len(done), len(pending)]

    world = World(driven(code))
    assert kinds(world.step()) == ["ScheduleActivity 1", "StartTimer 2"]
    world.fire(2).step()
    assert world.result == [0, 1]


@pytest.mark.parametrize("name", ["workflow", "asyncio"])
def test_as_completed_begins_in_the_order_given_and_gives_in_the_order_of_ends(name: str) -> None:
    """asyncio's own would make tasks in the order of a set; in a workflow it is ours."""

    async def run(activity: str) -> Any:
        return await act(activity)

    async def code() -> list[Any]:
        ways: dict[str, Any] = {"workflow": workflow, "asyncio": asyncio}
        return [await next_ for next_ in ways[name].as_completed([run(x) for x in "abcdefgh"])]

    world = World(driven(code))
    assert [intent.activity_type for intent in world.step()] == list("abcdefgh")  # type: ignore[union-attr]
    for op in (5, 1, 8, 2):
        world.complete(op, op).step()
    for op in (7, 3, 6, 4):
        world.complete(op, op)
    world.step()
    assert world.result == [5, 1, 8, 2, 7, 3, 6, 4]


def test_as_completed_times_out() -> None:
    async def code() -> list[Any]:
        seen: list[Any] = []
        for next_ in workflow.as_completed([act("a"), act("b")], timeout=1):
            try:
                seen.append(await next_)
            except TimeoutError:
                seen.append("late")
        return seen

    world = World(driven(code))
    world.step()
    world.complete(1, "A").step()
    world.fire(3).step()
    assert world.result == ["A", "late"]


def test_wait_condition_sees_what_signals_change() -> None:
    @workflow.defn
    class Waits:
        def __init__(self) -> None:
            self.count = 0

        @workflow.run
        async def run(self) -> str:
            await workflow.wait_condition(lambda: self.count >= 2, timeout=MINUTE)
            return f"{self.count}"

        @workflow.signal
        def add(self) -> None:
            self.count += 1

    world = World(Waits)
    assert kinds(world.step()) == ["StartTimer 1"]
    assert world.signal("add").step() == []
    assert kinds(world.signal("add").step()) == ["CancelTimer 1", "CompleteRun"]


def test_conditions_are_checked_until_nothing_more_comes_of_it() -> None:
    """What one waiter does may be what the next waits for."""

    async def code() -> list[int]:
        state: list[int] = []

        async def after(number: int) -> None:
            await workflow.wait_condition(lambda: len(state) == number)
            state.append(number)

        await asyncio.gather(*(after(number) for number in reversed(range(5))))
        return state

    world = World(driven(code))
    world.step()
    assert world.result == [0, 1, 2, 3, 4]


def test_a_condition_that_raises_raises_at_its_waiter() -> None:
    async def code() -> str:
        try:
            await workflow.wait_condition(lambda: 1 / 0 > 1)
        except ZeroDivisionError:
            return "raised"
        return "?"

    world = World(driven(code))
    world.step()
    assert world.result == "raised"


def test_a_condition_with_no_time_left_is_asked_once() -> None:
    async def code() -> list[bool]:
        await workflow.wait_condition(lambda: True, timeout=timedelta(0))
        try:
            await workflow.wait_condition(lambda: False, timeout=0)
        except TimeoutError:
            return [True, False]
        return [True, True]

    world = World(driven(code))
    world.step()
    assert world.result == [True, False]


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda: asyncio.to_thread(print), "do blocking work in an activity"),
        (lambda: asyncio.open_connection("localhost", 1), "do input and output in an activity"),
        (lambda: asyncio.create_subprocess_exec("true"), "do input and output in an activity"),
        (lambda: asyncio.get_running_loop().set_debug(True), "debug_mode"),
    ],
)
def test_what_reaches_out_of_the_loop_raises_with_advice(call: Any, advice: str) -> None:
    async def code() -> None:
        await call()

    with pytest.raises(CodeFailed, match=advice):
        World(driven(code)).step()


def test_a_callback_that_raises_leaves_the_run_stuck() -> None:
    """asyncio would only log it; here it is an exception of the code like any other."""

    async def code() -> None:
        def bug() -> None:
            raise ValueError("in a callback")

        asyncio.get_running_loop().call_soon(bug)
        await asyncio.sleep(1)

    with pytest.raises(CodeFailed, match="in a callback"):
        World(driven(code)).step()


def test_task_names_are_the_same_in_every_run() -> None:
    async def code() -> list[str]:
        async def name() -> str:
            task = asyncio.current_task()
            assert task is not None
            return task.get_name()

        return list(await asyncio.gather(name(), name(), asyncio.create_task(name(), name="mine")))

    first, second = World(driven(code)), World(driven(code))
    first.step()
    second.step()
    assert first.result == second.result
    assert first.result[-1] == "mine"


def test_an_abandoned_async_generator_is_not_closed_by_the_collector() -> None:
    """Its ``finally`` runs when the instance is taken down, not at a time of the collector's choosing."""
    closed: list[str] = []

    async def numbers() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            closed.append("closed")

    async def code() -> None:
        async for _ in numbers():
            break
        await asyncio.sleep(1)

    world = World(driven(code))
    world.step()
    assert closed == []
    assert world.instance.evict()
    assert closed == ["closed"]


@pytest.mark.asyncio
async def test_a_step_inside_another_loop_puts_that_loop_back() -> None:
    """The memory log turns processors on the caller's loop."""
    outer = asyncio.get_running_loop()
    task = asyncio.current_task()

    async def code() -> bool:
        return asyncio.get_running_loop() is outer

    world = World(driven(code))
    world.step()
    assert world.result is False
    assert asyncio.get_running_loop() is outer
    assert asyncio.current_task() is task
    await asyncio.sleep(0)
