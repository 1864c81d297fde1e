"""Randomness for run IDs, tokens and seeds, without a system call for each: a keyed hash of a counter."""

from __future__ import annotations

import hashlib
import os


class Entropy:
    """Each call gives 16 bytes that nobody can guess who does not know the secret."""

    def __init__(self, secret: bytes | None = None) -> None:
        """``secret`` of up to 64 bytes makes a repeatable one, for simulations; by default it is new."""
        self._secret = os.urandom(32) if secret is None else secret
        self._count = 0

    def __call__(self) -> bytes:
        self._count += 1
        count = self._count.to_bytes(8, "big")
        return hashlib.blake2b(count, key=self._secret, digest_size=16).digest()
