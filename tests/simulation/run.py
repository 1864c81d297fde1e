"""Runs seeds from the command line: ``python -m tests.simulation.run SEED [COUNT]``."""

from __future__ import annotations

import sys
import time
import traceback

from tests.saying import say
from tests.simulation.checker import Broken, check
from tests.simulation.quiet import be_quiet
from tests.simulation.world import run


def main() -> None:
    be_quiet()
    first = int(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    failed: list[int] = []
    begun = time.perf_counter()
    for seed in range(first, first + count):
        try:
            run(seed, check)
        except Broken as broken:
            failed.append(seed)
            say(f"seed {seed}: {str(broken)[:1500]}")
        except Exception as error:
            failed.append(seed)
            say(f"seed {seed}: {error!r}")
            if count == 1:
                traceback.print_exc()
    seconds = (time.perf_counter() - begun) / count
    say(f"{count} seeds, {seconds:.3f} s each; failed: {failed}")


if __name__ == "__main__":
    main()
