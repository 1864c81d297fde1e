"""Compresses payloads, and only where that saves something."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from streamflow.api.common.v1 import Payload
from streamflow.converter import PayloadCodec

ENCODING = b"binary/zlib"
LEAST_BYTES = 200
"""A smaller payload hardly becomes smaller."""
MOST_BYTES = 64 * 1024 * 1024
"""What a payload may be once it is decompressed: a few bytes of another program could ask for all memory."""


class CompressionCodec(PayloadCodec):
    """The whole payload is compressed, with its metadata, so that nothing is to be guessed when it is read."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [_compressed(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [_decompressed(payload) for payload in payloads]


def _compressed(payload: Payload) -> Payload:
    data = payload.SerializeToString()
    if len(data) < LEAST_BYTES:
        return payload
    smaller = zlib.compress(data)
    if len(smaller) >= len(data):
        return payload
    return Payload(metadata={"encoding": ENCODING}, data=smaller)


def _decompressed(payload: Payload) -> Payload:
    if payload.metadata.get("encoding") != ENCODING:
        return payload
    reader = zlib.decompressobj()
    data = reader.decompress(payload.data, MOST_BYTES)
    if reader.unconsumed_tail:
        raise ValueError(f"Expected at most {MOST_BYTES} bytes in a compressed payload, found more")
    return Payload.FromString(data)
