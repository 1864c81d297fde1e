"""Search attributes as payloads: always JSON with the type beside it, and never through a codec, as others read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from streamflow.common import (
    SearchAttributeIndexedValueType,
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)
from streamflow.converter.typed import value_to_type
from streamflow.model.payload import Payload


def encode_search_attribute_value(
    pair: SearchAttributePair[Any] | SearchAttributeUpdate[Any],
) -> Payload:
    """One value as a payload; ``None`` (a removal) is JSON's null.

    Raises:
        TypeError: the value is not of the key's type.
    """
    if pair.value is not None:
        _check(pair.key, pair.value)
    return Payload(
        {"encoding": b"json/plain", "type": pair.key.indexed_value_type.value.encode()},
        msgspec.json.encode(pair.value),
    )


def encode_search_attributes(attributes: TypedSearchAttributes) -> dict[str, Payload]:
    """Payloads by name."""
    return {pair.key.name: encode_search_attribute_value(pair) for pair in attributes}


def decode_search_attributes(payloads: Mapping[str, Payload]) -> TypedSearchAttributes:
    """The typed values; a payload of unknown type or without a value is left out."""
    pairs: list[SearchAttributePair[Any]] = []
    for name, payload in payloads.items():
        kind = _kind(payload)
        value = None if kind is None else msgspec.json.decode(payload.data)
        if kind is None or value is None:
            continue
        key = SearchAttributeKey._of(name, kind)
        pairs.append(SearchAttributePair(key, value_to_type(_hint(key), value)))
    return TypedSearchAttributes(tuple(pairs))


def _kind(payload: Payload) -> SearchAttributeIndexedValueType | None:
    try:
        return SearchAttributeIndexedValueType(payload.metadata.get("type", b"").decode())
    except ValueError:
        return None


def _hint(key: SearchAttributeKey[Any]) -> Any:
    return list[str] if key.value_type is list else key.value_type


def _check(key: SearchAttributeKey[Any], value: Any) -> None:
    expected: Any = (list, tuple) if key.value_type is list else key.value_type
    is_flag_for_number = isinstance(value, bool) and key.value_type is not bool
    is_number_for_float = key.value_type is float and isinstance(value, int)
    if is_flag_for_number or not (isinstance(value, expected) or is_number_for_float):
        raise TypeError(
            f"Expected a {key.indexed_value_type.value} for search attribute {key.name!r}, found {type(value).__name__}"
        )
    if isinstance(value, datetime) and value.tzinfo is None:
        raise TypeError(
            f"Expected a datetime with a time zone for search attribute {key.name!r}, found one without"
        )
