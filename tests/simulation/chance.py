"""All chance of a simulated run from its seed: run IDs, tokens, message prefixes, replies partitions."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

from streamflow.coroutine import guard


@contextmanager
def chance_from(seed: int) -> Iterator[None]:
    """While entered, `os.urandom`, `secrets`, `uuid` and the functions of `random` repeat with the seed.

    Production code asks the system for chance at many places, and rightly has no switch for it.
    """
    # First, or its own look at `os.urandom`, made at the first step, would be undone with ours.
    guard.install()
    source = random.Random(seed)
    before = random.getstate()
    system, imported = os.urandom, vars(random)["_urandom"]
    os.urandom = source.randbytes
    vars(random)["_urandom"] = source.randbytes  # the name under which `secrets` reaches it
    random.seed(seed)
    try:
        yield
    finally:
        os.urandom = system
        vars(random)["_urandom"] = imported
        random.setstate(before)
