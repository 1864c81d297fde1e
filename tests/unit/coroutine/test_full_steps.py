"""A step that has asked for enough ends, and the next goes on with it: what comes of the code is the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.coroutine.flags import ASKED_MAX, CURRENT, Flag
from streamflow.model.intents import (
    CancelActivity,
    CancelRun,
    CompleteRun,
    MarkPatch,
    ScheduleActivity,
)
from tests.unit.coroutine.world import World, act, driven, kinds

IN_ONE = CURRENT & ~int(Flag.ASKS_IN_PARTS)
MARKS_LATER = CURRENT & ~int(Flag.MARKS_AT_ONCE)
HOUR = timedelta(hours=1)
MANY = 2 * ASKED_MAX + 50


async def gathered() -> list[Any]:
    return await asyncio.gather(*(act() for _ in range(MANY)))


async def begun_in_a_loop() -> list[Any]:
    """All are asked for before the code gives the loop its turn."""
    handles = [workflow.start_activity("act", schedule_to_close_timeout=HOUR) for _ in range(MANY)]
    return [await handle for handle in handles]


@pytest.mark.parametrize("code", [gathered, begun_in_a_loop])
def test_a_fan_out_is_asked_for_in_parts(code: Any) -> None:
    world = World(driven(code))

    world.to_rest()

    assert [len(asked) for asked in world.asked] == [ASKED_MAX, ASKED_MAX, 50]
    assert all(type(intent) is ScheduleActivity for asked in world.asked for intent in asked)


@pytest.mark.parametrize("code", [gathered, begun_in_a_loop])
def test_every_part_can_be_gone_on_from_by_replay(code: Any) -> None:
    """As if each step found the coroutine gone."""
    world = World(driven(code))
    world.step()
    while world.instance.goes_on:
        goes_on = world.rebuild().instance.goes_on
        assert goes_on
        world.step()
    for op in range(1, MANY + 1):
        world.complete(op, op)
    world.rebuild().step()

    assert world.result == list(range(1, MANY + 1))


def test_what_comes_between_two_parts_is_taken_by_the_second() -> None:
    async def code() -> list[str]:
        await asyncio.gather(*(act() for _ in range(MANY)), return_exceptions=True)
        return []

    world = World(driven(code))
    world.step()
    world.complete(1, "early").cancel()
    world.to_rest()

    asked = [kind.split()[0] for step in world.asked for kind in kinds(step)]
    assert asked.count("CancelActivity") == asked.count("ScheduleActivity") - 1
    world.rebuild()


def test_a_run_that_ends_asks_for_all_at_once() -> None:
    """Nothing may come between what it has asked for and its end."""

    async def code() -> str:
        for _ in range(MANY):
            workflow.start_activity("act", schedule_to_close_timeout=HOUR)
        return "left"

    world = World(driven(code))
    world.step()

    assert not world.instance.goes_on
    assert len(world.asked[0]) == MANY + 1
    assert type(world.asked[0][-1]) is CompleteRun
    assert world.rebuild().result == "left"


def test_a_patch_whose_mark_comes_with_a_later_part_is_found_again() -> None:
    async def code() -> bool:
        for _ in range(ASKED_MAX + 1):
            workflow.start_activity("act", schedule_to_close_timeout=HOUR)
        newer = workflow.patched("newer")
        await act()
        return newer

    world = World(driven(code), flags=MARKS_LATER)
    world.to_rest()
    assert any(type(intent) is MarkPatch for intent in world.asked[1])
    world.rebuild().complete(ASKED_MAX + 2).step()

    assert world.result is True


def test_a_patch_behind_a_full_step_is_decided_with_it() -> None:
    """An eviction, or a crash, between the parts does not let the code take the other way."""

    async def code() -> Any:
        handles = [
            workflow.start_activity("act", schedule_to_close_timeout=HOUR) for _ in range(MANY)
        ]
        if not workflow.patched("await them"):
            return "left them"
        return await handles[-1]

    world = World(driven(code))
    world.step()
    assert world.instance.goes_on
    assert [type(intent) for intent in world.asked[0][ASKED_MAX:]] == [MarkPatch]

    world.rebuild().to_rest()
    world.rebuild().complete(MANY, "done").step()

    assert world.result == "done"


def test_a_timer_may_fire_while_its_cancellation_waits_for_the_next_part() -> None:
    fired: list[str] = []

    async def code() -> Any:
        loop = asyncio.get_running_loop()
        handles = [loop.call_later(60, fired.append, "late") for _ in range(MANY)]
        await act()
        for handle in handles:
            handle.cancel()
        return await act()

    world = World(driven(code))
    world.to_rest()
    world.complete(MANY + 1).step()
    assert world.instance.goes_on
    world.fire(MANY).to_rest()
    world.rebuild().complete(MANY + 2, "went on").step()

    assert fired == []
    assert world.result == "went on"


def test_a_child_may_begin_and_end_while_its_cancellation_waits_for_the_next_part() -> None:
    async def code() -> None:
        children = (workflow.execute_child_workflow("C", id=f"c{n}") for n in range(MANY))
        await asyncio.gather(*children)

    world = World(driven(code))
    world.to_rest()
    world.cancel().step()
    assert world.instance.goes_on
    world.child_started(MANY).child_closed(MANY, 1).to_rest()

    assert type(world.asked[-1][-1]) is CancelRun
    world.rebuild()


def test_leaving_out_the_mark_of_a_deprecated_patch_moves_no_part() -> None:
    async def with_mark() -> None:
        workflow.deprecate_patch("old")
        await asyncio.gather(*(act() for _ in range(MANY)))

    async def without() -> None:
        await asyncio.gather(*(act() for _ in range(MANY)))

    world = World(driven(with_mark))
    world.to_rest()

    world.definition = World(driven(without)).definition
    world.rebuild()


def test_conditions_are_checked_after_a_part_that_was_just_full() -> None:
    async def code() -> str:
        for _ in range(ASKED_MAX):
            workflow.start_activity("act", schedule_to_close_timeout=HOUR)
        await workflow.wait_condition(lambda: True)
        return "went on"

    world = World(driven(code))
    world.to_rest()

    assert world.rebuild().result == "went on"


def test_runs_that_began_before_ask_for_all_at_once() -> None:
    world = World(driven(gathered), flags=IN_ONE)
    world.step()

    assert not world.instance.goes_on
    assert len(world.asked[0]) == MANY
    world.rebuild()


def test_messages_begin_before_what_a_full_step_left() -> None:
    """So a run does not end without having seen a signal that was taken before."""

    class Code:
        def __init__(self) -> None:
            self.heard: list[str] = []

        @workflow.signal
        def hear(self, what: str) -> None:
            self.heard.append(what)

        @workflow.run
        async def run(self) -> list[str]:
            for _ in range(ASKED_MAX):
                workflow.start_activity("act", schedule_to_close_timeout=HOUR)
            await asyncio.sleep(0)
            return self.heard

    world = World(workflow.defn(Code))
    world.step()
    assert world.instance.goes_on
    world.signal("hear", "in time").step()

    assert world.rebuild().result == ["in time"]


def test_messages_begin_though_the_step_is_full() -> None:
    """Whether an update is accepted must be known when its step is recorded."""
    handled: list[int] = []

    class Code:
        @workflow.signal
        async def ask(self, number: int) -> None:
            handled.append(number)
            await act()

        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

    world = World(workflow.defn(Code))
    count = ASKED_MAX + 5
    for number in range(count):
        world.signal("ask", number)
    world.step()

    assert handled == list(range(count))
    assert len(world.asked[0]) == ASKED_MAX
    assert len(world.to_rest()) == 5
    world.rebuild()


def test_what_ends_before_its_cancellation_is_asked_for_is_not_cancelled() -> None:
    """The engine would leave it out, for there is nothing to cancel any more; replay must not ask for it either."""

    async def code() -> None:
        await asyncio.gather(*(act() for _ in range(MANY)))

    world = World(driven(code))
    world.to_rest()
    world.cancel().step()
    assert world.instance.goes_on
    for op in range(ASKED_MAX + 1, MANY + 1):
        world.complete(op)
    asked = world.to_rest()

    assert not any(type(intent) is CancelActivity for intent in asked)
    world.rebuild()
