"""Many seeds at once, on every core: what failed, and how to see it again."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from tests.simulation.checker import check
from tests.simulation.processes import Plant
from tests.simulation.quiet import be_quiet
from tests.simulation.world import PRODUCTION, run

CHUNK = 20
FAILURES_MAX = 5
"""After so many nothing more is tried: they are seldom different."""


class Outcome(NamedTuple):
    """What seeds came to: how many were tried, how many faults struck, and what went wrong."""

    seeds: int = 0
    faults: int = 0
    failures: tuple[str, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:  # type: ignore[override]  # not the tuples' sum
        return Outcome(
            self.seeds + other.seeds,
            self.faults + other.faults,
            self.failures + other.failures,
        )


def failures(seeds: Sequence[int]) -> list[str]:
    """What went wrong under these seeds, each with the command that repeats it."""
    return list(outcome(seeds).failures)


def outcome(seeds: Sequence[int]) -> Outcome:
    """Tries them on every core."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    if len(chunks) < 2:
        return sum(map(_of_chunk, chunks), Outcome())
    found = Outcome()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=be_quiet) as pool:
        for of_chunk in pool.map(_of_chunk, chunks):
            found += of_chunk
            if len(found.failures) >= FAILURES_MAX:
                pool.shutdown(cancel_futures=True)
                break
    return found


def failure(seed: int, plant: Plant = PRODUCTION) -> str | None:
    """What went wrong under this seed. A simulation that cannot go on has failed as well."""
    return next(iter(_of_seed(seed, plant).failures), None)


def _of_seed(seed: int, plant: Plant = PRODUCTION) -> Outcome:
    try:
        world = run(seed, check, plant=plant)
    except Exception as error:  # whatever it is, the seed is what its finder needs
        message = f"{type(error).__name__}: {error}\nRepeat it with: make sim SEED={seed}"
        return Outcome(1, 0, (message,))
    return Outcome(1, world.faults.struck + len(world.plan.blows))


def _of_chunk(seeds: Sequence[int]) -> Outcome:
    return sum(map(_of_seed, seeds), Outcome())
