"""JSON from outside, made safe to parse: text, and no deeper than we go."""

from __future__ import annotations

import re
from typing import Final

from streamflow.wire import bounds
from streamflow.wire.errors import VALUE, Undecodable

_STRUCTURE: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A string (closed or not, so that no text makes the search go back) or one bracket."""


def check(value: bytes) -> None:
    """Refuses bytes that are not UTF-8, and documents nested too deep for any parser to be trusted with.

    Raises:
        Undecodable: one or the other.
    """
    try:
        value.decode()
    except UnicodeDecodeError as wrong:
        raise Undecodable(
            VALUE, f"Expected JSON in UTF-8, found other bytes at {wrong.start}"
        ) from None
    if (
        value.count(b"[") + value.count(b"{") > bounds.NESTING_MAX
        and _depth(value) > bounds.NESTING_MAX
    ):
        raise Undecodable(
            VALUE, f"Expected JSON nested at most {bounds.NESTING_MAX} deep, found more"
        )


def _depth(value: bytes) -> int:
    depth = deepest = 0
    for match in _STRUCTURE.finditer(value):
        mark = match[0]
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in b"]}":
            depth -= 1
    return deepest
