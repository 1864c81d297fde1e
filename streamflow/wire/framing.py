"""Public Avro messages and the schema each was written with: by our fingerprint, or by a schema registry's number."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from streamflow.wire import codec
from streamflow.wire.errors import VALUE, Undecodable
from streamflow.wire.files import read_data

_HEAD = 5
"""Magic byte 0 and the schema's number in four bytes, as Confluent's serializers write."""


def own_schema(value: bytes) -> Any:
    """The public schema that a single-object value names."""
    path = codec.path_of(value)
    assert path is not None, value[:10]
    return _committed(path)


def registered_schema(value: bytes, lookup: Callable[[int], str] | None) -> tuple[Any, int]:
    """The schema of a framed value, and where its body begins.

    Raises:
        Undecodable: the schema cannot be had.
    """
    if len(value) <= _HEAD:
        raise Undecodable(VALUE, f"Expected a schema number of four bytes and a body, found {len(value)} bytes")
    number = int.from_bytes(value[1:_HEAD], "big")
    if lookup is None:
        raise Undecodable(
            VALUE,
            f"Found a value framed by a schema registry (schema {number}), but no registry is configured; "
            "configure one, or send JSON, or Avro with single-object encoding (docs/inbox.md)",
        )
    try:
        return _parsed(lookup(number)), _HEAD
    except LookupError:
        raise Undecodable(VALUE, f"Expected a schema of the registry, found the unknown number {number}") from None


@lru_cache(maxsize=64)
def _committed(path: str) -> Any:
    return json.loads(read_data("schemas", path))


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        raise Undecodable(VALUE, f"Expected an Avro schema from the registry, found {text[:120]!r}") from None
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise Undecodable(VALUE, f"Expected an Avro record from the registry, found {text[:120]!r}")
    return schema
