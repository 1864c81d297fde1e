"""The bytes of Protocol Buffers: the few forms that payloads and failures need, without that library.

Not here: what the fields are. `payload` and `streamflow.api` say that.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_LONG_MASK = (1 << 64) - 1


def varint(number: int) -> bytes:
    """A number in groups of seven bits; a negative one as its 64-bit complement."""
    number &= _LONG_MASK
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def number_field(field: int, number: int) -> bytes:
    return varint(field << 3 | VARINT) + varint(number)


def bytes_field(field: int, data: bytes) -> bytes:
    return varint(field << 3 | LENGTH) + varint(len(data)) + data


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field, in order: a number for a varint, else bytes.

    Raises:
        ValueError: these are no bytes of a message.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        field, form = tag >> 3, tag & 7
        if form == VARINT:
            number, at = _varint(data, at)
            yield field, number
            continue
        if form == LENGTH:
            size, at = _varint(data, at)
        elif form in (FIXED64, FIXED32):
            size = 8 if form == FIXED64 else 4
        else:
            raise ValueError(f"Expected the bytes of a protobuf message, found wire type {form}")
        if field == 0 or at + size > end:
            raise ValueError(
                "Expected the bytes of a protobuf message, found an end within a field"
            )
        yield field, data[at : at + size]
        at += size


def varints(data: bytes) -> list[int]:
    """The numbers that stand one behind another, as those of a list do. Raises: ValueError, as `fields`."""
    found: list[int] = []
    at = 0
    while at < len(data):
        number, at = _varint(data, at)
        found.append(number)
    return found


def signed(number: int) -> int:
    """What a varint of 64 bits says as a signed number."""
    return number - (1 << 64) if number >> 63 else number


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("Expected the bytes of a protobuf message, found an unfinished number")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & _LONG_MASK, at
        shift += 7
