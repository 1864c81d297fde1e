"""The fixed binary header ``sf`` of a history record: enough to verify and index a record without reading its value.

    offset  bytes  field
    0       1      version, 1
    1       1      kind (`EntityKind`)
    2       1      event code, 0 for other kinds (`events.event_code`)
    3       2      flags
    5       36     run ID in ASCII, padded with NUL
    41      4      seq
    45      4      step
    49      8      time, ms since the epoch
    57      8      next due time of the run after this entry, ms since the epoch; 0 is none
    65      8      hash of the run's previous event

Numbers are big-endian. The hash chains a run's events over raw bytes: header and value.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Final

import msgspec

from streamflow.wire.errors import HEADER, Undecodable

SF: Final = "sf"
"""Name of the Kafka header."""

HASH_BYTES: Final = 8
NO_HASH: Final = bytes(HASH_BYTES)
"""The predecessor of a run's first event."""

_VERSION: Final = 1
_LAYOUT: Final = struct.Struct(">BBBH36sIIqq8s")
SIZE: Final = _LAYOUT.size


class EntryHeader(msgspec.Struct, frozen=True, gc=False):
    """What restore needs of an entry. ``kind`` is an `EntityKind`."""

    kind: int
    code: int
    run_id: str
    seq: int
    step: int
    time_ms: int
    due_ms: int = 0
    flags: int = 0
    previous_hash: bytes = NO_HASH


def pack(header: EntryHeader) -> bytes:
    run_id = header.run_id.encode("ascii")
    if len(run_id) > 36 or len(header.previous_hash) != HASH_BYTES:
        raise ValueError(
            f"Expected a run ID of at most 36 characters and a hash of 8 bytes, found {header}"
        )
    return _LAYOUT.pack(
        _VERSION,
        header.kind,
        header.code,
        header.flags,
        run_id,
        header.seq,
        header.step,
        header.time_ms,
        header.due_ms,
        header.previous_hash,
    )


def unpack(packed: bytes) -> EntryHeader:
    """The header as it was packed.

    Raises:
        Undecodable: not a header of this version.
    """
    if len(packed) != SIZE or packed[0] != _VERSION:
        raise Undecodable(
            HEADER,
            f"Expected header sf of {SIZE} bytes and version {_VERSION}, found {packed[:80]!r}",
        )
    _, kind, code, flags, run_id, seq, step, time_ms, due_ms, previous = _LAYOUT.unpack(packed)
    try:
        text = run_id.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        raise Undecodable(HEADER, f"Expected a run ID in ASCII, found {run_id!r}") from None
    return EntryHeader(kind, code, text, seq, step, time_ms, due_ms, flags, previous)


def entry_hash(packed: bytes, value: bytes) -> bytes:
    """Names an entry by its bytes; the run's next event carries it."""
    digest = blake2b(packed, digest_size=HASH_BYTES)
    digest.update(value)
    return digest.digest()
