"""Search attributes as payloads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streamflow.api.common.v1 import Payload, SearchAttributes
from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from streamflow.converter import (
    decode_search_attributes,
    encode_search_attribute_value,
    encode_search_attributes,
)


def test_every_type_of_search_attribute_comes_back() -> None:
    """Names, types and values survive being stored."""
    attributes = TypedSearchAttributes(
        (
            SearchAttributePair(SearchAttributeKey.for_text("note"), "a b"),
            SearchAttributePair(SearchAttributeKey.for_keyword("customer"), "ann"),
            SearchAttributePair(SearchAttributeKey.for_int("items"), 3),
            SearchAttributePair(SearchAttributeKey.for_float("total"), 1.5),
            SearchAttributePair(SearchAttributeKey.for_bool("express"), True),
            SearchAttributePair(
                SearchAttributeKey.for_datetime("due"), datetime(2030, 1, 1, tzinfo=UTC)
            ),
            SearchAttributePair(SearchAttributeKey.for_keyword_list("tags"), ["a", "b"]),
        )
    )

    assert decode_search_attributes(encode_search_attributes(attributes)) == attributes


def test_a_value_of_another_type_is_refused() -> None:
    """A search attribute never holds what its key does not promise."""
    with pytest.raises(TypeError, match="items"):
        encode_search_attribute_value(SearchAttributeKey.for_int("items").value_set("3"))  # type: ignore[arg-type]  # the point of the test


def test_a_removal_is_null() -> None:
    """Unsetting travels as JSON's null and reads as no value."""
    payload = encode_search_attribute_value(SearchAttributeKey.for_int("items").value_unset())

    assert payload.data == b"null"
    assert decode_search_attributes({"items": payload}) == TypedSearchAttributes.empty


def test_a_message_gives_values_without_types() -> None:
    """Each name a list, as the deprecated form has it; what is a moment is read as one."""
    due = Payload({"encoding": b"json/plain", "type": b"Datetime"}, b'"2030-01-01T00:00:00Z"')
    tags = Payload({"encoding": b"json/plain"}, b'["a","b"]')
    message = SearchAttributes(indexed_fields={"due": due, "tags": tags})

    assert decode_search_attributes(message) == {
        "due": [datetime(2030, 1, 1, tzinfo=UTC)],
        "tags": ["a", "b"],
    }
