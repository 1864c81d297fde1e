"""Public Avro records as plain values, by the schema each was written with: named by our fingerprint, or by the number
that a schema registry gave it. A registry's schema is an outsider's text and is trusted as little as the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from streamflow.wire import codec, decoder
from streamflow.wire.errors import VALUE, Damaged, Undecodable
from streamflow.wire.schema import RecordOf, parse

Plain = tuple[str, dict[str, Any]]
"""The record's name and its fields."""

_OWN_BODY = 10
_FRAMED_BODY = 5
"""Magic byte 0 and the schema's number in four bytes, as Confluent's serializers write."""
_SCHEMA_CHARS_MAX = 200_000


class _Reading(msgspec.Struct, frozen=True):
    name: str
    decode: decoder.Decode


def own_record(value: bytes) -> Plain:
    """A single-object value of a schema in ``schemas/public``."""
    path = codec.path_of(value)
    assert path is not None, value[:_OWN_BODY]
    return _read(_committed(path), value, _OWN_BODY)


def registered_record(value: bytes, lookup: Callable[[int], str] | None) -> Plain:
    """A framed value, with its schema as ``lookup`` knows it.

    Raises:
        Undecodable: the schema cannot be had, or the bytes do not follow it.
    """
    if len(value) <= _FRAMED_BODY:
        raise Undecodable(
            VALUE, f"Expected a schema number of four bytes and a body, found {len(value)} bytes"
        )
    number = int.from_bytes(value[1:_FRAMED_BODY], "big")
    if lookup is None:
        raise Undecodable(
            VALUE,
            f"Found a value framed by a schema registry (schema {number}), but no registry is configured; "
            "configure one, or send JSON, or Avro with single-object encoding (docs/inbox.md)",
        )
    try:
        text = lookup(number)
    except LookupError:
        raise Undecodable(
            VALUE, f"Expected a schema of the registry, found the unknown number {number}"
        ) from None
    return _read(_foreign(text), value, _FRAMED_BODY)


def _read(reading: _Reading, value: bytes, body_at: int) -> Plain:
    try:
        return reading.name, reading.decode(value, body_at)
    except decoder.BAD_BYTES as wrong:
        raise Undecodable(
            VALUE, f"Damaged Avro record {reading.name}: {codec.reason(wrong)}"
        ) from None


@lru_cache(maxsize=64)
def _committed(path: str) -> _Reading:
    return _reading(codec.schema_at(path))


@lru_cache(maxsize=256)
def _foreign(text: str) -> _Reading:
    """Raises `Undecodable` unless the text is the schema of a record that can be read safely."""
    try:
        if len(text) > _SCHEMA_CHARS_MAX:
            raise Damaged(f"Expected at most {_SCHEMA_CHARS_MAX} characters, found {len(text)}")
        return _reading(parse(json.loads(text)))
    except (Damaged, ValueError, SyntaxError, RecursionError) as wrong:
        raise Undecodable(
            VALUE, f"Expected an Avro schema that can be read safely: {wrong}"
        ) from None


def _reading(schema: RecordOf) -> _Reading:
    return _Reading(schema.name, decoder.compile_decoder(schema, None))
