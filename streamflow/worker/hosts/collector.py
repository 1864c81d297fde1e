"""How often Python looks for garbage that refers to itself, where a processor runs.

A step makes thousands of objects, nearly all of which go when nothing refers to them any more. With Python's default the
collector looks at the youngest after every 700 of them, and took a quarter of a processor's time.
"""

from __future__ import annotations

import gc

ALLOCATIONS = 50_000
"""Objects made, less those that went, before the collector looks at the youngest."""


def collect_less_often() -> None:
    """For the whole process, and for good. A higher threshold stays as it is, and so does a collector that is switched off."""
    youngest, middle, oldest = gc.get_threshold()
    if 0 < youngest < ALLOCATIONS:
        gc.set_threshold(ALLOCATIONS, middle, oldest)
