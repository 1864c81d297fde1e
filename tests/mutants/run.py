"""Plants mutants, each into a process of its own, and asks their judges.

python -m tests.mutants.run                    every mutant, on every core; the score as a table
python -m tests.mutants.run --only "NAME"      one
python -m tests.mutants.run --seeds 1000       how many seeds a simulation may try
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import ROOT, SIMULATION, Mutant, plant
from tests.saying import say

SEEDS = 1_000
TIMEOUT_S = 900
NOT_JUDGED = 3
"""Of a child whose tests could not be run at all: that finds nothing."""


class Verdict(NamedTuple):
    """``by`` says what found it; empty if nothing did."""

    mutant: Mutant
    by: str

    @property
    def killed(self) -> bool:
        return bool(self.by)


def judge(mutant: Mutant, seeds: int = SEEDS) -> Verdict:
    """In a process of its own. One that hangs, or that the bug ends, is found as well."""
    child = [
        sys.executable,
        "-m",
        "tests.mutants.run",
        "--child",
        mutant.name,
        "--seeds",
        str(seeds),
    ]
    try:
        ended = subprocess.run(
            child, cwd=ROOT, check=False, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return Verdict(mutant, f"nothing in {TIMEOUT_S} s")
    if ended.returncode == 0:
        return Verdict(mutant, "")
    if ended.returncode == NOT_JUDGED:
        raise RuntimeError(f"Expected {mutant.judges} to run, found:\n{ended.stdout}")
    told = ended.stdout.strip().splitlines()
    return Verdict(mutant, told[-1] if told else f"exit {ended.returncode}")


def judge_all(mutants: Sequence[Mutant], seeds: int = SEEDS) -> Iterator[Verdict]:
    """In their order, each as soon as it is known."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda mutant: judge(mutant, seeds), mutants)


def _be_judged(name: str, seeds: int) -> int:
    """In the child: 1 is found, 0 is not. The last line of the output says by what."""
    mutant = next(one for one in MUTANTS if one.name == name)
    plant(mutant)
    if mutant.judges != SIMULATION:
        import pytest

        found = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *mutant.judges])
        say(f"\n{' '.join(mutant.judges)}")
        codes = {pytest.ExitCode.OK: 0, pytest.ExitCode.TESTS_FAILED: 1}
        return codes.get(pytest.ExitCode(found), NOT_JUDGED)
    from tests.simulation.many import failure
    from tests.simulation.quiet import be_quiet

    be_quiet()
    for seed in range(seeds):
        if failure(seed) is not None:
            say(f"seed {seed}")
            return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--child", default="")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args()
    if options.child:
        return _be_judged(options.child, options.seeds)
    found: list[bool] = []
    for verdict in judge_all([m for m in MUTANTS if options.only in m.name], options.seeds):
        kind = "safety" if verdict.mutant.safety else "progress"
        say(f"{verdict.by or 'NOT FOUND':<40} {kind:<9} {verdict.mutant.name}")
        found.append(verdict.killed)
    say(f"{sum(found)} of {len(found)} found")
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
