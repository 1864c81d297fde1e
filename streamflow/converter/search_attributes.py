"""Search attributes as payloads: always JSON with the type beside it, and never through a codec, as others read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast, overload

import msgspec

from streamflow.api.common.v1 import SearchAttributes as SearchAttributesMessage
from streamflow.common import (
    SearchAttributeIndexedValueType,
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributes,
    SearchAttributeUpdate,
    SearchAttributeValues,
    TypedSearchAttributes,
)
from streamflow.converter.scalars import is_list
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
        {"encoding": b"json/plain", "type": pair.key.indexed_value_type.type_name.encode()},
        msgspec.json.encode(pair.value),
    )


def encode_typed_search_attribute_value(key: SearchAttributeKey[Any], value: Any) -> Payload:
    """One value under its key's type; ``None`` is a removal. Raises like `encode_search_attribute_value`."""
    return encode_search_attribute_value(SearchAttributeUpdate(key, value))


def encode_search_attribute_values(vals: SearchAttributeValues) -> Payload:
    """Values without a type, as a JSON list.

    Raises:
        TypeError: not a list, or its values are not all of one type that search attributes may have.
        ValueError: a datetime has no time zone.
    """
    return Payload({"encoding": b"json/plain"}, msgspec.json.encode(_checked_values(vals)))


def encode_search_attributes(
    attributes: TypedSearchAttributes | SearchAttributes, declared: Mapping[str, str] | None = None
) -> dict[str, Payload]:
    """Payloads by name. Values without types get the type that is declared for their name, else the one they look like.

    ``declared`` has names of types (``"Text"``) by names of attributes.

    Raises:
        TypeError: a value is not of its type.
    """
    if isinstance(attributes, TypedSearchAttributes):
        return {pair.key.name: encode_search_attribute_value(pair) for pair in attributes}
    kinds = declared or {}
    return {
        name: encode_untyped(name, values, kinds.get(name)) for name, values in attributes.items()
    }


def encode_untyped(name: str, values: SearchAttributeValues, kind: str | None = None) -> Payload:
    """Under the type of this name, or as typed a payload as the values allow; without values a removal."""
    payload = encode_search_attribute_values(values)
    key = SearchAttributeKey._guessed(name, values)
    if kind is not None and values:
        key = SearchAttributeKey._of(name, SearchAttributeIndexedValueType.named(kind))
    if key is None or not (_is_list(key) or len(values) == 1):
        return payload if values else Payload({"encoding": b"json/plain"}, b"null")
    value = list(values) if _is_list(key) else values[0]
    return encode_typed_search_attribute_value(key, value)


def untyped(attributes: TypedSearchAttributes) -> dict[str, Any]:
    """The deprecated form: a list of values by name."""
    return {
        key.name: list(value) if _is_list(key) else [value]
        for key, value in attributes.search_attributes
    }


@overload
def decode_search_attributes(api: SearchAttributesMessage, /) -> SearchAttributes: ...
@overload
def decode_search_attributes(api: Mapping[str, Payload], /) -> TypedSearchAttributes: ...
def decode_search_attributes(
    api: SearchAttributesMessage | Mapping[str, Payload], /
) -> SearchAttributes | TypedSearchAttributes:
    """Of a message the values without types, each as a list; of payloads by name the typed values.

    Among typed values a payload of unknown type or without a value is left out.
    """
    if isinstance(api, SearchAttributesMessage):
        return {name: _listed(payload) for name, payload in api.indexed_fields.items()}
    return _typed(api)


def _listed(payload: Payload) -> SearchAttributeValues:
    found: Any = msgspec.json.decode(payload.data)
    values: list[Any] = [*found] if is_list(found) else [found]
    if _kind(payload) is SearchAttributeIndexedValueType.DATETIME:
        return [datetime.fromisoformat(value) for value in values]
    return values


def _typed(payloads: Mapping[str, Payload]) -> TypedSearchAttributes:
    pairs: list[SearchAttributePair[Any]] = []
    for name, payload in payloads.items():
        kind = _kind(payload)
        value: object = None if kind is None else msgspec.json.decode(payload.data)
        if kind is None or value is None:
            continue
        key = SearchAttributeKey._of(name, kind)
        if isinstance(value, list) and not _is_list(key):
            items = cast("list[object]", value)
            if len(items) != 1:
                continue
            value = items[0]
        pairs.append(SearchAttributePair(key, value_to_type(_hint(key), value)))
    return TypedSearchAttributes(tuple(pairs))


def decode_typed_search_attributes(api: SearchAttributesMessage) -> TypedSearchAttributes:
    """The typed values of a message; a payload of unknown type or without a value is left out."""
    return _typed(api.indexed_fields)


def _kind(payload: Payload) -> SearchAttributeIndexedValueType | None:
    try:
        return SearchAttributeIndexedValueType.named(payload.metadata.get("type", b"").decode())
    except ValueError:
        return None


def _hint(key: SearchAttributeKey[Any]) -> Any:
    return list[str] if _is_list(key) else key.value_type


def _is_list(key: SearchAttributeKey[Any]) -> bool:
    return key.indexed_value_type is SearchAttributeIndexedValueType.KEYWORD_LIST


def _check(key: SearchAttributeKey[Any], value: Any) -> None:
    expected: Any = (list, tuple) if _is_list(key) else key.value_type
    is_flag_for_number = isinstance(value, bool) and key.value_type is not bool
    is_number_for_float = key.value_type is float and isinstance(value, int)
    if is_flag_for_number or not (isinstance(value, expected) or is_number_for_float):
        raise TypeError(
            f"Expected a {key.indexed_value_type.type_name} for search attribute {key.name!r}, found {type(value).__name__}"
        )
    items = cast("Sequence[object]", value) if _is_list(key) else ()
    if not all(isinstance(item, str) for item in items):
        raise TypeError(f"Expected strings only in the keyword list {key.name!r}, found {value!r}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(
            f"Expected a datetime with a time zone for search attribute {key.name!r}, found one without"
        )


def _checked_values(values: object) -> Sequence[Any]:
    if not isinstance(values, list):
        raise TypeError(
            f"Expected search attribute values to be a list, found {type(values).__name__}"
        )
    given = cast("list[object]", values)
    kinds = {type(value) for value in given}
    for value in given:
        if not isinstance(value, str | int | float | bool | datetime):
            raise TypeError(
                f"Search attribute value of type {type(value).__name__} "
                "not one of str, int, float, bool, datetime"
            )
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(
                f"Timezone must be present on all search attribute dates, found {value} without one"
            )
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(
            f"Search attribute values must have the same type for the same key, found {names}"
        )
    return given
