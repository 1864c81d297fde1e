"""The deprecated form of search attributes: lists of values by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from streamflow.converter import (
    decode_search_attributes,
    encode_search_attribute_values,
    encode_search_attributes,
)
from streamflow.converter.search_attributes import untyped


def test_values_without_types_get_those_that_they_look_like() -> None:
    """What is stored is found like attributes that were given with their types."""
    given: dict[str, Any] = {
        "customer": ["ann"],
        "due": [datetime(2030, 1, 1, tzinfo=UTC)],
        "express": [True],
        "items": [3],
        "tags": ["a", "b"],
        "total": [1.5],
    }

    stored = decode_search_attributes(encode_search_attributes(given))

    assert [pair.key for pair in stored] == [
        SearchAttributeKey.for_keyword("customer"),
        SearchAttributeKey.for_datetime("due"),
        SearchAttributeKey.for_bool("express"),
        SearchAttributeKey.for_int("items"),
        SearchAttributeKey.for_keyword_list("tags"),
        SearchAttributeKey.for_float("total"),
    ]
    assert untyped(stored) == given


def test_values_without_types_get_those_that_are_declared() -> None:
    declared = {"note": "Text", "tags": "KeywordList", "due": "Datetime"}

    stored = decode_search_attributes(
        encode_search_attributes({"note": ["a b"], "tags": ["a"], "other": ["c"]}, declared)
    )

    assert [pair.key for pair in stored] == [
        SearchAttributeKey.for_text("note"),
        SearchAttributeKey.for_keyword("other"),
        SearchAttributeKey.for_keyword_list("tags"),
    ]
    with pytest.raises(TypeError, match="Expected a Datetime"):
        encode_search_attributes({"due": ["tomorrow"]}, declared)


def test_an_empty_list_is_no_value() -> None:
    """Nothing is stored for a name without values."""
    assert decode_search_attributes(encode_search_attributes({"tags": []})) == (
        TypedSearchAttributes.empty
    )


@pytest.mark.parametrize(
    "values",
    [["a", 1], "a", [{1}], [datetime(2030, 1, 1)]],  # noqa: DTZ001  # the point
    ids=repr,
)
def test_values_that_nobody_could_look_for_are_refused(values: Any) -> None:
    """One name has values of one type, as a list."""
    with pytest.raises((TypeError, ValueError), match=r"(?i)expected|search attribute"):
        encode_search_attribute_values(values)


def test_pairs_come_apart_and_stand_in_order() -> None:
    """A pair is a tuple; attributes are ordered by name, whatever order they were given in."""
    late, early = SearchAttributeKey.for_int("z"), SearchAttributeKey.for_text("a")
    attributes = TypedSearchAttributes(
        [SearchAttributePair(late, 1), SearchAttributePair(early, "x")]
    )

    assert [(key.name, value) for key, value in attributes] == [("a", "x"), ("z", 1)]
