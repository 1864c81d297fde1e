"""Time and chance as the history has them. Time stands still within a step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from streamflow.coroutine.context import current
from streamflow.coroutine.randomness import Randomness


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
    """The run's random generator: one for all its steps. Do not seed it. Not for secrets."""
    return _randomness().generator()


def random_seed() -> int:
    """The seed of the run's generator: the same for the whole run, unless it is reset."""
    return current().randomness.seed


def new_random(name: str | None = None) -> Random:
    """A generator of its own, seeded from the run's seed, and anew when a reset changes that.

    With a ``name``, which is mixed into the seed, its numbers differ from those of every other; without one it
    begins as `random` did.
    """
    return _randomness().new_generator(name)


def register_random_seed_callback(callback: Callable[[int], None]) -> None:
    """Calls back with each later seed: a reset run goes on with another one."""
    _randomness().on_seed(callback)


def uuid4() -> UUID:
    """A random UUID that replays alike. Not for secrets."""
    return _randomness().uuid4()


def uuid7() -> UUID:
    """A time-ordered UUID that replays alike. Not for secrets."""
    return _randomness().uuid7(current().now_ms)


def _randomness() -> Randomness:
    """Refused to code that only reads: what it drew would change what the run draws next, on this copy alone."""
    instance = current()
    instance.refuse_changes("draw random numbers")
    return instance.randomness
