"""Many seeds at once, on every core: what failed, and how to see it again."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.checker import check
from tests.simulation.processes import Plant
from tests.simulation.quiet import be_quiet
from tests.simulation.world import PRODUCTION, run

CHUNK = 20
FAILURES_MAX = 5
"""After so many nothing more is tried: they are seldom different."""


def failures(seeds: Sequence[int]) -> list[str]:
    """What went wrong under these seeds, each with the command that repeats it."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    if len(chunks) < 2:
        return [fault for chunk in chunks for fault in _of_chunk(chunk)]
    found: list[str] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=be_quiet) as pool:
        for of_chunk in pool.map(_of_chunk, chunks):
            found += of_chunk
            if len(found) >= FAILURES_MAX:
                pool.shutdown(cancel_futures=True)
                break
    return found


def failure(seed: int, plant: Plant = PRODUCTION) -> str | None:
    """What went wrong under this seed. A simulation that cannot go on has failed as well."""
    try:
        run(seed, check, plant=plant)
    except Exception as error:  # whatever it is, the seed is what its finder needs
        return f"{type(error).__name__}: {error}\nRepeat it with: make sim SEED={seed}"
    return None


def _of_chunk(seeds: Sequence[int]) -> list[str]:
    return [fault for seed in seeds if (fault := failure(seed)) is not None]
