"""Random numbers and UUIDs that come out the same on replay: all from the recorded seed.

A run keeps one seed for all its steps, so its generator goes on from step to step; only a run that was reset gets another.

The one module of the pure core that imports `random`, for the generator class alone.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random  # noqa: TID251  # seeded only from the log
from uuid import UUID

_UUID7_RANDOM_BITS = 74


class Randomness:
    """One run's generator. It is made on first use: most runs use no chance and pay nothing."""

    __slots__ = ("_callbacks", "_random", "seed")

    def __init__(self) -> None:
        self.seed = 0
        self._random: Random | None = None
        self._callbacks: list[Callable[[int], None]] = []

    def begin_step(self, seed: int) -> None:
        if seed == self.seed:
            return
        self.seed = seed
        if self._random is not None:
            self._random.seed(seed)
        for callback in self._callbacks:
            callback(seed)

    def on_seed(self, callback: Callable[[int], None]) -> None:
        """Calls back with each later seed: when the run was reset."""
        self._callbacks.append(callback)

    def generator(self) -> Random:
        """The run's generator; the same object for as long as the run lives."""
        if self._random is None:
            self._random = Random(self.seed)
        return self._random

    def new_generator(self, name: str | None) -> Random:
        """A generator of the caller's own. Without a name it begins where the run's own began."""

        def seed_of(seed: int) -> int | str:
            return seed if name is None else f"{seed}:{name}"

        generator = Random(seed_of(self.seed))
        self.on_seed(lambda seed: generator.seed(seed_of(seed)))
        return generator

    def uuid4(self) -> UUID:
        return UUID(int=self.generator().getrandbits(128), version=4)

    def uuid7(self, now_ms: int) -> UUID:
        """Time-ordered (RFC 9562): milliseconds, then randomness."""
        random = self.generator().getrandbits(_UUID7_RANDOM_BITS)
        high = (now_ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (random >> 62) << 64
        return UUID(int=high | 0b10 << 62 | random & ((1 << 62) - 1))
