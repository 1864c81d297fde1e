"""Where a workflow lives: the partition that Java's default partitioner picks for its ID.

MurmurHash2 of the key's bytes, 32 bits, with the seed that Kafka's clients use, its sign bit cleared, modulo the count.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

_SEED: Final = 0x9747B28C
_MIX: Final = 0x5BD1E995
_WORD: Final = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The hash as a signed integer, as Java shows it."""
    hashed = _SEED ^ len(key)
    words = len(key) // 4
    for word in struct.unpack_from(f"<{words}I", key):
        mixed = word * _MIX & _WORD
        mixed ^= mixed >> 24
        hashed = (hashed * _MIX & _WORD) ^ (mixed * _MIX & _WORD)
    tail = key[words * 4 :]
    if tail:
        hashed = (hashed ^ int.from_bytes(tail, "little")) * _MIX & _WORD
    hashed ^= hashed >> 13
    hashed = hashed * _MIX & _WORD
    hashed ^= hashed >> 15
    return hashed - (1 << 32) if hashed >> 31 else hashed


def partition_of_key(key: bytes, partitions: int) -> int:
    return (murmur2(key) & 0x7FFFFFFF) % partitions


@lru_cache(maxsize=16_384)
def partition_for(workflow_id: str, partitions: int) -> int:
    """The partition of a workflow's inbox and history, of ``partitions``."""
    return partition_of_key(workflow_id.encode(), partitions)
