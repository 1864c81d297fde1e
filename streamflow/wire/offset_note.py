"""What stands beside a processor's committed offset: which transaction it is of, by whom, and when.

Readable without the history: a successor learns whom to fence, and a client since when a partition has no owner.
"""

from __future__ import annotations

import msgspec

from streamflow.ports import Committed


class OffsetNote(msgspec.Struct, array_like=True):
    """The committed offset's metadata, as JSON."""

    ordinal: int
    owner: str
    """Empty after an orderly hand-over."""
    transactional_ids: tuple[str, ...] = ()
    at_ms: int = 0
    """When it was committed, by the owner's clock; 0 is unknown."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(OffsetNote).decode


def note(ordinal: int, owner: str, ids: tuple[str, ...], at_ms: int = 0) -> str:
    return _encode(OffsetNote(ordinal, owner, ids, at_ms)).decode()


def read_note(committed: Committed | None) -> OffsetNote | None:
    """The metadata as this engine wrote it; ``None`` for anything else."""
    if committed is None or not committed.metadata:
        return None
    try:
        return _decode(committed.metadata)
    except msgspec.DecodeError:
        return None
