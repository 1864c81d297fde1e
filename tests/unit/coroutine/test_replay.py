"""A fresh instance and its history come to the same place, or the difference is shown."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.common import SearchAttributeKey
from streamflow.coroutine.errors import NondeterminismError
from streamflow.coroutine.replay import replay
from streamflow.model.intents import StartTimer
from tests.unit.coroutine.world import World, driven

MINUTE = timedelta(minutes=1)


async def act(name: str, **options: Any) -> Any:
    return await workflow.execute_activity(
        name, start_to_close_timeout=options.pop("timeout", MINUTE), **options
    )


def replay_with(world: World, other: Callable[..., Any]) -> None:
    """Replays a history with other code than it was recorded with."""
    changed = World(driven(other))
    try:
        replay(changed.instance, world.history)
    finally:
        changed.instance.evict()


async def original() -> str:
    await act("charge")
    await workflow.sleep(60)
    await act("ship")
    return "done"


def recorded() -> World:
    world = World(driven(original))
    world.step()
    world.complete(1).step()
    world.fire(2).step()
    world.complete(3).step()
    assert world.result == "done"
    return world


def test_the_same_code_replays() -> None:
    world = recorded()
    world.rebuild()
    assert world.instance.done
    assert not world.instance.replaying


def test_other_arguments_timeouts_durations_and_results_replay() -> None:
    """They may be changed while runs are open."""

    async def changed() -> str:
        await act("charge", args=[1], timeout=2 * MINUTE)
        await workflow.sleep(30)
        await act("ship", retry_policy=None, summary="new")
        return "done differently"

    replay_with(recorded(), changed)


@pytest.mark.parametrize(
    ("change", "expected", "found"),
    [
        ("renamed", "event 3 ActivityScheduled 'charge'", "ScheduleActivity 'pay'"),
        ("swapped", "event 3 ActivityScheduled 'charge'", "StartTimer"),
        ("dropped", "event 6 TimerStarted", "ScheduleActivity 'ship'"),
        ("added", "nothing more in this step", "ScheduleActivity 'extra'"),
        ("early", "event 3 ActivityScheduled 'charge'", "CompleteRun"),
        ("waits", "event 3 ActivityScheduled 'charge'", "nothing asked for; the code waits at"),
        ("late", "event 12 WorkflowCompleted", "StartTimer (operation 4)"),
    ],
)
def test_changed_code_shows_what_was_expected_and_found(
    change: str, expected: str, found: str
) -> None:
    """With the line of the code that asks for something else."""

    async def changed() -> str:
        if change == "early":
            return "done"
        if change == "waits":
            await workflow.wait_condition(lambda: False)
        if change == "swapped":
            await workflow.sleep(1)
        if change == "added":
            workflow.start_activity("charge", start_to_close_timeout=MINUTE)
            await act("extra")
        await act("pay" if change == "renamed" else "charge")
        if change != "dropped":
            await workflow.sleep(60)
        await act("ship")
        if change == "late":
            await workflow.sleep(1)
        return "done"

    with pytest.raises(NondeterminismError) as caught:
        replay_with(recorded(), changed)
    message = str(caught.value)
    assert message.startswith(f"[TMPRL1100] Nondeterminism error: Expected {expected}")
    assert f"found {found}" in message
    if change != "early":
        assert "test_replay.py:" in message
    if "Scheduled" in expected or "Started" in expected:
        assert re.search(r"asked for at test_replay\.py:\d+ in \w+ then, found", message)
    assert "run run-1" in message


def test_code_that_ends_too_early_is_told_at_the_next_step() -> None:
    """Even if what it asked for in its last step was what the history has."""
    world = recorded()
    without_end = [recorded for recorded in world.history if recorded.seq < 12]

    async def changed() -> str:
        await act("charge")
        await workflow.sleep(60)
        workflow.start_activity("ship", start_to_close_timeout=MINUTE)
        return "done"

    fresh = World(driven(changed)).instance
    with pytest.raises(NondeterminismError, match="found CompleteRun"):
        replay(fresh, without_end)
    fresh.evict()


def test_inputs_that_no_step_consumed_stay_for_the_next() -> None:
    """A failed activation has recorded its inputs and nothing else."""
    world = World(driven(original))
    world.step()
    world.complete(1, "waits in the history")
    waiting = world.waiting
    world.rebuild()
    world.waiting = waiting
    assert len(world.step()) == 1


def test_replayed_steps_know_that_they_are() -> None:
    seen: list[bool] = []

    async def code() -> None:
        seen.append(workflow.unsafe.is_replaying())
        await workflow.sleep(1)
        seen.append(workflow.unsafe.is_replaying())

    world = World(driven(code))
    world.step()
    world.rebuild()
    world.fire(1).step()
    assert seen == [False, True, False]


def test_the_logger_is_silent_on_replay(caplog: pytest.LogCaptureFixture) -> None:
    async def code() -> None:
        workflow.logger.warning("before")
        await workflow.sleep(1)
        workflow.logger.warning("after")

    with caplog.at_level(logging.INFO):
        world = World(driven(code))
        world.step()
        world.rebuild()
        world.fire(1).step()
    said = [record for record in caplog.records if record.name == "streamflow.workflow"]
    assert [record.message.split(" ")[0] for record in said] == ["before", "after"]
    assert said[0].temporal_workflow["workflow_id"] == "order-1"  # type: ignore[attr-defined]


def test_a_history_of_a_newer_runtime_is_refused() -> None:
    from streamflow.model.intents import Activation

    world = World(driven(original))
    with pytest.raises(NondeterminismError, match="newer streamflow"):
        world.instance.activate(Activation(inputs=(), now_ms=1, seed=1, flags=1 << 30))


KINDS: dict[str, Callable[[], Any]] = {
    "ScheduleActivity": lambda: workflow.start_activity("a", start_to_close_timeout=MINUTE),
    "StartTimer": lambda: asyncio.create_task(asyncio.sleep(1)),
    "MarkPatch": lambda: workflow.patched("p"),
    "UpsertMemo": lambda: workflow.upsert_memo({"a": 1}),
    "UpsertSearchAttributes": lambda: workflow.upsert_search_attributes(
        [SearchAttributeKey.for_int("n").value_set(1)]
    ),
}


def one(kind: str) -> Callable[[], Any]:
    async def code() -> None:
        KINDS[kind]()
        await workflow.wait_condition(lambda: False)

    return code


@pytest.mark.parametrize("before", KINDS)
@pytest.mark.parametrize("after", KINDS)
def test_each_kind_of_operation_is_told_from_the_others(before: str, after: str) -> None:
    """On replay; and itself is no difference. A patch is taken only by runs that come to it for the first time."""
    world = World(driven(one(before)))
    world.step()
    if before == after:
        replay_with(world, one(after))
        return

    with pytest.raises(NondeterminismError) as caught:
        replay_with(world, one(after))
    found = "nothing asked for" if after == "MarkPatch" else after
    assert f"found {found}" in str(caught.value)
    assert f"event 3 {type(world.history[2].event).__name__}" in str(caught.value)


async def cancels() -> None:
    sleeping = asyncio.create_task(asyncio.sleep(9))
    working = workflow.start_activity("a", start_to_close_timeout=MINUTE)
    await workflow.sleep(1)
    sleeping.cancel()
    working.cancel()
    await workflow.wait_condition(lambda: False)


async def cancels_nothing() -> None:
    sleeping = asyncio.create_task(asyncio.sleep(9))
    working = workflow.start_activity("a", start_to_close_timeout=MINUTE)
    await workflow.sleep(1)
    await asyncio.gather(sleeping, working)


def test_cancellations_are_part_of_what_a_run_did() -> None:
    """In both directions."""
    for first, then in ((cancels, cancels_nothing), (cancels_nothing, cancels)):
        world = World(driven(first))
        timer = next(
            intent.op
            for intent in world.step()
            if isinstance(intent, StartTimer) and intent.duration_ms == 1_000
        )
        world.fire(timer).step()
        with pytest.raises(NondeterminismError, match="Cancel"):
            replay_with(world, then)
