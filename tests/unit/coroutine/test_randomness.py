"""Chance in workflow code: one seed for a run, the same numbers on every replay."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from streamflow import workflow
from streamflow.coroutine.errors import ReadOnlyContextError
from streamflow.coroutine.randomness import Randomness
from streamflow.engine.activation import seed_of
from tests.unit.coroutine.world import START_MS, World, driven


async def draws() -> list[Any]:
    named = workflow.new_random("a")
    drawn: list[Any] = [workflow.random().random(), named.random()]
    await workflow.sleep(1)
    return [*drawn, workflow.random().random(), named.random(), str(workflow.uuid4())]


def test_steps_draw_on_and_replay_draws_the_same() -> None:
    world = World(driven(draws))
    world.step()
    world.rebuild().fire(1).step()
    live = world.result

    assert len({str(value) for value in live}) == len(live)
    assert world.rebuild().instance.done
    assert live == world.result


def test_a_generator_without_a_name_begins_like_the_runs_own() -> None:
    """And goes on by itself."""

    async def compares() -> list[bool]:
        own, named = workflow.new_random(), workflow.new_random("x")
        first = workflow.random().random()
        return [
            own.random() == first,
            named.random() == first,
            random.Random(workflow.random_seed()).random() == first,
        ]

    world = World(driven(compares))
    world.step()

    assert world.result == [True, False, True]


def test_a_new_seed_is_told_and_taken_everywhere() -> None:
    """As after a reset."""
    told: list[int] = []
    randomness = Randomness()
    randomness.begin_step(1)
    own, named = randomness.new_generator(None), randomness.new_generator("n")
    generator = randomness.generator()
    randomness.on_seed(told.append)
    for drawn in (own, named, generator):
        drawn.random()

    randomness.begin_step(1)
    randomness.begin_step(2)

    assert told == [2]
    assert generator is randomness.generator()
    assert generator.random() == own.random() == random.Random(2).random()
    assert named.random() == random.Random("2:n").random()


def test_the_seed_of_a_run_follows_from_its_id() -> None:
    """A reset, which is a run with a new ID, draws anew."""
    assert seed_of("a") == seed_of("a") != seed_of("b")
    assert 0 <= seed_of("a") < 1 << 63


def test_uuids_have_their_versions_and_the_runs_time() -> None:
    async def makes() -> list[str]:
        return [str(workflow.uuid4()), str(workflow.uuid7()), str(workflow.uuid7())]

    world = World(driven(makes))
    world.step()
    four, first, second = map(uuid.UUID, world.result)

    assert (four.version, first.version, first.variant) == (4, 7, uuid.RFC_4122)
    assert first.int >> 80 == START_MS
    assert first != second


@pytest.mark.parametrize("name", ["random", "uuid4", "uuid7", "new_random"])
def test_what_only_reads_draws_nothing(name: str) -> None:
    """It would change what this copy of the run draws next, and no other."""

    @workflow.defn
    class Asked:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.query
        def ask(self) -> None:
            getattr(workflow, name)()

    world = World(Asked)
    world.step()

    with pytest.raises(ReadOnlyContextError):
        world.query("ask")
