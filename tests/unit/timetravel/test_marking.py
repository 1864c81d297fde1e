"""What a step changed is marked, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.timetravel.marking import marked
from streamflow.timetravel.values import Part, Reading


def changes(before: dict[str, Any], now: dict[str, Any]) -> dict[str, str]:
    """What is marked, by its path."""
    found: dict[str, str] = {}

    def note(parts: tuple[Part, ...], path: str) -> None:
        for part in parts:
            if part.change:
                found[f"{path}{part.name}"] = part.change
            note(part.value.parts, f"{path}{part.name}/")

    note(marked(Reading().variables(before), Reading().variables(now)), "")
    return found


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": "changed"}),
        ({}, {"a": 1}, {"a": "new"}),
        ({"a": 1}, {}, {"a": "gone"}),
        ({"a": None}, {"a": [1]}, {"a": "changed"}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": "inside", "a/1": "new"}),
        ({"a": [1, 2]}, {"a": [1]}, {"a": "inside", "a/1": "gone"}),
        ({"a": {"x": [1], "y": 2}}, {"a": {"x": [3], "y": 2}}, {"a": "inside", "a/'x'": "inside", "a/'x'/0": "changed"}),
        ({"a": {1, 2}}, {"a": {2, 3}}, {"a": "inside", "a/": "gone"}),
        ({"a": {1: 1}}, {"a": {"1": 1}}, {"a": "inside", "a/'1'": "new", "a/1": "gone"}),
    ],
)  # fmt: skip
def test_what_is_marked(
    before: dict[str, Any], now: dict[str, Any], expected: dict[str, str]
) -> None:
    """The innermost part that differs says how; what contains it, that something within it does."""
    assert changes(before, now) == expected


def test_more_of_what_is_not_shown_is_a_change() -> None:
    """A list that grows beyond what is shown has changed, though none of the parts shown has."""
    assert changes({"a": [0] * 500}, {"a": [0] * 501}) == {"a": "changed"}


values = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), values))
def test_nothing_is_marked_where_nothing_changed(value: dict[str, Any]) -> None:
    assert changes(value, value) == {}
