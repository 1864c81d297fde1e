"""What can be wrong with a list filter, or with a store."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class FilterError(ValueError):
    """The filter cannot be understood; the message says where, and what was expected."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


class StoreMismatch(Exception):
    """The store holds what another log, or another release, wrote; the message says what to do."""


def nearest(name: str, names: Iterable[str]) -> str:
    """``; did you mean X?`` for the name that comes closest, or nothing."""
    known = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {known[close[0]]}?" if close else ""
