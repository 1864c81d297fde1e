"""Looks at the clock, for whoever calls."""

from __future__ import annotations

import time


def seconds() -> float:
    return time.time()
