"""Topics as files: every record that a read-committed reader was given, byte for byte, to be judged again by anyone.

partition, offset, time of the append in ms; then key, header sf and value, each with its length before it (-1: none)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from streamflow.wire.header import SF, unpack
from streamflow.wire.keys import parse_key
from tests.faults.raw import Entry, Topic

_PLACE: Final = struct.Struct(">iqq")
_LENGTH: Final = struct.Struct(">i")


def save(bootstrap: str, topic: str, file: Path) -> int:
    """Writes the whole topic, partition by partition as it comes; how many records."""
    count = 0
    with Topic(bootstrap, topic) as found, file.open("wb") as out:
        for batch in found.batches():
            for message in batch:
                count += 1
                packed = dict(message.headers() or []).get(SF)
                place = message.partition() or 0, message.offset() or 0, message.timestamp()[1]
                out.write(_PLACE.pack(*place))
                for part in (message.key(), packed, message.value()):
                    assert part is None or isinstance(part, bytes), message
                    out.write(_LENGTH.pack(-1 if part is None else len(part)))
                    out.write(part or b"")
    return count


def entries(file: Path) -> Iterator[Entry]:
    """Of a history topic."""
    for place, key, packed, value in raw(file):
        assert key is not None, f"no key at {place}"
        assert packed is not None, f"no header {SF} at {place}"
        yield Entry(*place, parse_key(key), unpack(packed), packed, value)


def raw(
    file: Path,
) -> Iterator[tuple[tuple[int, int, int], bytes | None, bytes | None, bytes | None]]:
    """Place, key, header and value of each record."""
    with file.open("rb") as saved:
        while head := saved.read(_PLACE.size):
            place = _PLACE.unpack(head)
            parts: list[bytes | None] = []
            for _ in range(3):
                [length] = _LENGTH.unpack(saved.read(_LENGTH.size))
                parts.append(None if length < 0 else saved.read(length))
            yield (place, *parts)  # type: ignore[misc]  # three parts
