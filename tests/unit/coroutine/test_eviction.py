"""Taking an instance down: at once, on its own thread, without a word to the history."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.coroutine.errors import Evicted
from streamflow.coroutine.eviction import parked_count
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.loop import REFUSALS_MAX
from streamflow.model.intents import ScheduleActivity
from tests.unit.coroutine.world import World, act, driven


def test_every_task_ends_on_the_thread_that_evicts() -> None:
    threads: list[int] = []

    async def wait() -> None:
        try:
            await workflow.sleep(10)
        finally:
            threads.append(threading.get_ident())

    async def code() -> None:
        await asyncio.gather(*(wait() for _ in range(3)))

    world = World(driven(code))
    world.step()
    assert world.instance.evict()
    assert threads == [threading.get_ident()] * 3


def test_clean_up_code_can_begin_nothing() -> None:
    """Each way to ask for something raises Evicted, which ``except Exception`` lets through."""
    refused: list[str] = []

    async def code() -> None:
        try:
            await workflow.sleep(10)
        finally:
            ways: dict[str, Callable[[], object]] = {
                "activity": lambda: workflow.start_activity(
                    "a", start_to_close_timeout=timedelta(seconds=1)
                ),
                "task": lambda: asyncio.create_task(workflow.sleep(1)),
                "timer": lambda: asyncio.get_running_loop().call_later(1, print),
                "handler": lambda: workflow.set_signal_handler("a", print),
                "continue": lambda: workflow.continue_as_new(),
            }
            for name, way in ways.items():
                try:
                    way()
                except Exception:
                    refused.append(f"{name} by Exception")
                except Evicted:
                    refused.append(name)

    world = World(driven(code))
    world.step()
    operations = world.instance.operations
    assert world.instance.evict()
    assert refused == ["activity", "task", "handler", "continue"]
    assert operations.collect() == []  # no timer either, though asking for one is let through


def test_code_that_waits_in_its_finally_is_ended_too() -> None:
    """Up to three times it may wait for something more."""
    waits: list[int] = []

    async def code() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            try:
                waits.append(1)
                await asyncio.Event().wait()
            finally:
                waits.append(2)
                await asyncio.Event().wait()

    world = World(driven(code))
    world.step()
    assert world.instance.evict()
    assert waits == [1, 2]


def test_a_survivor_is_parked_and_counted() -> None:
    """It is never collected, so its ``finally`` never runs on a foreign thread."""

    async def code() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except BaseException:
                continue

    before = parked_count()
    world = World(driven(code))
    world.step()
    assert not world.instance.evict()
    assert parked_count() == before + 1
    del world
    gc.collect()


@pytest.mark.parametrize(
    "wait",
    [
        lambda: workflow.wait_condition(lambda: False),
        lambda: workflow.sleep(1),
        lambda: asyncio.sleep(1),
        lambda: workflow.wait_condition(lambda: False, timeout=1),
    ],
)
def test_code_that_swallows_its_end_and_waits_anew_comes_back(
    wait: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """Waiting is not refused while it is taken down: a refusal that is swallowed as well would be asked for for ever."""

    async def code() -> None:
        while True:
            try:
                await wait()
            except BaseException:
                continue

    world = World(driven(code))
    world.step()
    assert not world.instance.evict()


async def _nothing() -> None: ...


async def _in_a_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_nothing())


async def _in_time() -> None:
    async with asyncio.timeout(1):
        await act()


async def _gathered() -> None:
    await asyncio.gather(act())


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "ask",
    [
        act,
        lambda: act(retry_policy=None, summary="again"),
        lambda: workflow.execute_local_activity("a", start_to_close_timeout=timedelta(seconds=1)),
        lambda: workflow.execute_child_workflow("Child", id="c"),
        lambda: workflow.get_external_workflow_handle("x").signal("s"),
        lambda: asyncio.create_task(_nothing()),
        lambda: asyncio.wait_for(_nothing(), 1),
        _in_a_group,
        _in_time,
        _gathered,
    ],
)
def test_code_that_swallows_its_end_and_asks_anew_for_ever_is_parked(
    ask: Callable[[], Awaitable[Any]],
) -> None:
    """It never lets go of the thread by itself: each refusal is swallowed within the call that is refused."""

    async def code() -> None:
        while True:
            try:
                await ask()
                await asyncio.Event().wait()
            except BaseException:
                continue

    before = parked_count()
    world = World(driven(code))
    world.step()

    assert not world.instance.evict()
    assert parked_count() == before + 1


def test_each_coroutine_is_refused_what_it_asks_for_however_many_there_are() -> None:
    refused: list[int] = []

    async def wait(number: int) -> None:
        try:
            await workflow.sleep(10)
        finally:
            try:
                await act()
            finally:
                refused.append(number)

    async def code() -> None:
        await asyncio.gather(*(wait(number) for number in range(2 * REFUSALS_MAX)))

    world = World(driven(code))
    world.to_rest()

    assert world.instance.evict()
    assert sorted(refused) == list(range(2 * REFUSALS_MAX))


def test_tasks_that_never_began_end_without_running() -> None:
    ran: list[str] = []

    async def never() -> None:
        ran.append("ran")

    async def code() -> None:
        await workflow.sleep(1)

    world = World(driven(code))
    world.step()
    world.instance.loop.create_task(never())
    assert world.instance.evict()
    assert ran == []


def test_async_generators_end_with_their_run() -> None:
    ended: list[str] = []

    async def numbers() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await workflow.sleep(10)
            yield 2
        finally:
            ended.append("generator")

    async def code() -> None:
        async for _ in numbers():
            pass

    world = World(driven(code))
    world.step()
    assert world.instance.evict()
    assert ended == ["generator"]


def test_an_evicted_run_goes_on_by_replay() -> None:
    async def code() -> str:
        first = await workflow.execute_activity("a", start_to_close_timeout=timedelta(seconds=1))
        await workflow.sleep(1)
        return str(first)

    world = World(driven(code))
    world.step()
    world.rebuild()
    world.complete(1, "first").step()
    world.rebuild()
    world.fire(2).step()
    assert world.result == "first"
    world.rebuild()
    assert world.instance.done


@pytest.mark.filterwarnings("error")
def test_an_evicted_instance_leaves_no_warning_behind() -> None:
    """No task complains of being destroyed, no coroutine of never being awaited."""

    async def code() -> None:
        task = asyncio.create_task(workflow.sleep(10))
        await asyncio.gather(task, workflow.sleep(1))

    world = World(driven(code))
    world.step()
    notices = world.notices
    assert world.instance.evict()
    del world
    gc.collect()
    assert notices == []


def _evicted(world: World) -> None:
    assert world.instance.evict()


def _ended(world: World) -> None:
    [asked] = world.asked[0]
    (world.complete if isinstance(asked, ScheduleActivity) else world.fire)(1)
    world.step()
    assert world.instance.done
    assert world.instance.evict()


@pytest.mark.parametrize(
    ("wait", "finishes"),
    [
        (act, [_evicted, _ended]),
        (lambda: workflow.sleep(5), [_evicted, _ended]),
        (lambda: asyncio.sleep(5), [_evicted, _ended]),
        (lambda: asyncio.create_task(workflow.sleep(5)), [_evicted, _ended]),
        (lambda: asyncio.wait_for(act(), 9), [_evicted]),
        (lambda: workflow.execute_child_workflow("c", id="c"), [_evicted]),
        (lambda: workflow.get_external_workflow_handle("x").signal("s"), [_evicted]),
    ],
)
def test_what_is_done_with_is_freed_without_the_collector(
    wait: Callable[[], Awaitable[Any]], finishes: list[Callable[[World], None]]
) -> None:
    """A dozen objects that hold each other, of thousands of steps a second, would hold a processor up for half a second now and
    then."""

    async def code() -> None:
        await wait()

    for finish in finishes:
        made = weakref.WeakSet[Instance]()
        gc.disable()
        try:
            world = World(driven(code))
            made.add(world.instance)
            world.step()
            finish(world)
            del world
            assert not made
        finally:
            gc.enable()
