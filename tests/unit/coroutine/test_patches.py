"""Changed code beside open runs: which way each run takes, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamflow import workflow
from streamflow.coroutine.errors import CodeFailed, NondeterminismError, ReadOnlyContextError
from streamflow.coroutine.replay import replay
from streamflow.coroutine.traits import Traits
from streamflow.model.intents import MarkPatch
from tests.unit.coroutine.world import World, act, driven, kinds


async def before() -> str:
    await act("old")
    return "old"


async def changed() -> str:
    if workflow.patched("p"):
        await act("new")
        return "new"
    await act("old")
    return "old"


async def deprecated() -> str:
    workflow.deprecate_patch("p")
    await act("new")
    return "new"


async def after() -> str:
    await act("new")
    return "new"


def half_way(code: Callable[..., Any]) -> World:
    """A run that waits for its first activity."""
    world = World(driven(code))
    world.step()
    return world


def goes_on_with(world: World, code: Callable[..., Any]) -> str:
    """The result of an open run after this code was deployed."""
    world.instance.evict()
    world.definition = World(driven(code)).definition
    world.instance = world.fresh()
    replay(world.instance, world.history)
    world.complete(1).step()
    return str(world.result)


@pytest.mark.parametrize(
    ("first", "then", "result"),
    [
        (before, changed, "old"),
        (changed, changed, "new"),
        (changed, deprecated, "new"),
        (deprecated, changed, "new"),
        (deprecated, deprecated, "new"),
        (deprecated, after, "new"),
        (after, after, "new"),
    ],
)
def test_an_open_run_goes_on_as_it_began(
    first: Callable[..., Any], then: Callable[..., Any], result: str
) -> None:
    """Whatever step of a change is deployed meanwhile."""
    assert goes_on_with(half_way(first), then) == result


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        (changed, after, "PatchMarked 'p'"),
        (changed, before, "PatchMarked 'p'"),
        (before, after, "ActivityScheduled 'old'"),
        (before, deprecated, "ActivityScheduled 'old'"),
    ],
)
def test_a_step_of_the_change_left_out_is_told(
    first: Callable[..., Any], then: Callable[..., Any], expected: str
) -> None:
    """A mark that the code does not know of, or an old run under code without the older way."""
    with pytest.raises(NondeterminismError, match=expected):
        goes_on_with(half_way(first), then)


def test_a_patch_is_marked_once() -> None:
    """However often the code asks."""

    async def asks() -> list[bool]:
        return [workflow.patched("p"), workflow.patched("p"), workflow.patched("q")]

    world = World(driven(asks))

    assert kinds(world.step()) == ["MarkPatch", "MarkPatch", "CompleteRun"]
    assert world.asked[0][0] == MarkPatch(patch_id="p")
    assert world.rebuild().instance.done


async def loops() -> list[str]:
    seen: list[str] = []
    for _ in range(3):
        seen.append("new" if workflow.patched("p") else "old")
        await workflow.sleep(1)
    return seen


async def loops_without() -> list[str]:
    for _ in range(3):
        await workflow.sleep(1)
    return []


def test_what_was_decided_once_holds_for_the_rest_of_the_run() -> None:
    """A run that passed the place before the change takes the older way there for ever, also when no replay goes on."""
    world = World(driven(loops_without))
    world.step()
    world.fire(1).step()

    world.instance.evict()
    world.definition = World(driven(loops)).definition
    world.instance = world.fresh()
    replay(world.instance, world.history)
    world.fire(2).step()
    world.rebuild()
    world.fire(3).step()

    assert world.result == ["old", "old", "old"]


def test_a_place_that_no_step_had_reached_takes_the_newer_way() -> None:
    """Replay of what was before it does not matter."""

    async def first() -> str:
        await workflow.sleep(1)
        await act("old")
        return "old"

    async def then() -> str:
        await workflow.sleep(1)
        return await changed()

    world = World(driven(first))
    world.step()
    world.instance.evict()
    world.definition = World(driven(then)).definition
    world.instance = world.fresh()
    replay(world.instance, world.history)

    assert kinds(world.fire(1).step()) == ["MarkPatch", "ScheduleActivity 2"]
    world.rebuild()


def test_a_query_may_not_patch() -> None:
    """It only reads."""

    @workflow.defn
    class Asked:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.query
        def ask(self) -> bool:
            return workflow.patched("p")

    world = World(Asked)
    world.step()

    with pytest.raises(ReadOnlyContextError):
        world.query("ask")


def test_the_callback_of_the_worker_decides_on_new_patches_only() -> None:
    """It is asked once for each patch of a run, never on replay, and what it says holds."""
    asked: list[tuple[str, str]] = []

    def may_begin(info: workflow.Info, patch_id: str) -> bool:
        asked.append((info.workflow_id, patch_id))
        return patch_id == "yes"

    async def asks() -> list[bool]:
        first = [workflow.patched("yes"), workflow.patched("no"), workflow.patched("no")]
        await workflow.sleep(1)
        return [*first, workflow.patched("yes"), workflow.patched("no")]

    world = World(driven(asks), traits=Traits(may_begin_patch=may_begin))
    assert kinds(world.step()) == ["MarkPatch", "StartTimer 1"]
    world.rebuild()
    world.fire(1).step()

    assert world.result == [True, False, False, True, False]
    assert asked == [("order-1", "yes"), ("order-1", "no")]


def test_a_callback_that_changes_the_run_or_gives_no_bool_leaves_it_stuck() -> None:
    """It only reads, and it decides."""

    def changes(info: workflow.Info, patch_id: str) -> bool:
        workflow.upsert_memo({"a": 1})
        return True

    def undecided(info: workflow.Info, patch_id: str) -> Any:
        return 1

    for callback in (changes, undecided):
        world = World(driven(changed), traits=Traits(may_begin_patch=callback))
        with pytest.raises(CodeFailed):
            world.step()
        world.instance.evict()
