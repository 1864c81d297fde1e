"""Random numbers and UUIDs that come out the same on replay: all from the activation's recorded seed.

The one module of the pure core that imports `random`, for the generator class alone.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random  # noqa: TID251  # seeded only from the log
from uuid import UUID

_UUID7_RANDOM_BITS = 74


class Randomness:
    """One run's generator. It takes each activation's seed on first use: most steps use no chance and pay nothing."""

    __slots__ = ("_callbacks", "_fresh", "_random", "seed")

    def __init__(self) -> None:
        self.seed = 0
        self._fresh = False
        self._random: Random | None = None
        self._callbacks: list[Callable[[int], None]] = []

    def begin_step(self, seed: int) -> None:
        if seed == self.seed and self._random is not None:
            return
        self.seed = seed
        self._fresh = True
        for callback in self._callbacks:
            callback(seed)

    def on_seed(self, callback: Callable[[int], None]) -> None:
        """Calls back with each later seed."""
        self._callbacks.append(callback)

    def generator(self) -> Random:
        """The run's generator; the same object for as long as the run lives."""
        if self._random is None:
            self._random = Random(self.seed)
        elif self._fresh:
            self._random.seed(self.seed)
        self._fresh = False
        return self._random

    def new_generator(self) -> Random:
        """A generator of the caller's own, independent of the run's from here on."""
        return Random(self.generator().getrandbits(128))

    def uuid4(self) -> UUID:
        return UUID(int=self.generator().getrandbits(128), version=4)

    def uuid7(self, now_ms: int) -> UUID:
        """Time-ordered (RFC 9562): milliseconds, then randomness."""
        random = self.generator().getrandbits(_UUID7_RANDOM_BITS)
        high = (now_ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (random >> 62) << 64
        return UUID(int=high | 0b10 << 62 | random & ((1 << 62) - 1))
