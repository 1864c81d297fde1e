"""What holds for every program of the grammar in `programs`, whatever the world says to it."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.coroutine.programs import play, programs
from tests.unit.coroutine.world import World

SEEDS = st.integers(0, 2**32)
RELAXED = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


def chooser(seed: int) -> random.Random:
    return random.Random(seed)


@given(programs, SEEDS)
@example([["first", [[["sleep", 1]], [["act", "a", 0]]]]], 1)
@RELAXED
def test_replaying_the_recorded_events_asks_for_the_same(program: object, seed: int) -> None:
    """`replay` compares every step; the rebuilt run then also says the same of itself."""
    world = play(program, chooser(seed).randrange)
    seen = list(world.instance.workflow.seen)

    world.rebuild()

    assert world.instance.workflow.seen == seen
    assert world.instance.evict()


@given(programs, SEEDS)
@RELAXED
def test_eviction_after_every_step_changes_nothing(program: object, seed: int) -> None:
    """A run that is taken down and rebuilt between all steps asks for what an undisturbed one asks for."""
    calm = play(program, chooser(seed).randrange)
    disturbed = play(program, chooser(seed).randrange, between=World.rebuild)

    assert disturbed.asked == calm.asked
    assert disturbed.history == calm.history
    calm.instance.evict()
    disturbed.instance.evict()


def digest_of_many(count: int) -> str:
    """A digest of what so many random programs ask for."""
    from tests.unit.coroutine.random_programs import random_program

    found = hashlib.sha256()
    for seed in range(count):
        chance = random.Random(seed)
        world = play(random_program(chance), chance.randrange)
        found.update(repr(world.asked).encode())
        found.update(repr(world.instance.workflow.seen).encode())
        world.instance.evict()
    return found.hexdigest()


def test_hash_seeds_change_nothing() -> None:
    """Two processes with different hash seeds ask for the same in the same order."""
    code = "from tests.unit.coroutine.test_properties import digest_of_many as d; print(d(150))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("0", "12345")
    }
    assert len(digests) == 1
    assert digests != {""}
