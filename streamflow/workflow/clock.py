"""Time and chance as the history has them. Time stands still within a step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from streamflow.coroutine.context import current


def now() -> datetime:
    """The time of the current step, in UTC, with its time zone."""
    return datetime.fromtimestamp(current().now_ms / 1_000, tz=UTC)


def time() -> float:
    """The time of the current step in seconds since the epoch."""
    return current().now_ms / 1_000


def time_ns() -> int:
    """The time of the current step in nanoseconds since the epoch."""
    return current().now_ms * 1_000_000


def random() -> Random:
    """The run's random generator. Do not seed it."""
    return current().randomness.generator()


def random_seed() -> int:
    """The seed of the current step."""
    return current().randomness.seed


def new_random() -> Random:
    """A generator of its own, seeded from the run's."""
    return current().randomness.new_generator()


def register_random_seed_callback(callback: Callable[[int], None]) -> None:
    """Calls back with the seed of each later step."""
    current().randomness.on_seed(callback)


def uuid4() -> UUID:
    """A random UUID that replays alike. Not for secrets."""
    return current().randomness.uuid4()


def uuid7() -> UUID:
    """A time-ordered UUID that replays alike. Not for secrets."""
    instance = current()
    return instance.randomness.uuid7(instance.now_ms)
