"""One argument, or several through ``args``: the two ways in which every call passes values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NO_ARGUMENT: Any = object()
"""Stands for an argument that was not given; None is a value."""


def arguments_of(arg: Any, args: Sequence[Any]) -> Sequence[Any]:
    """All arguments in order.

    Raises:
        ValueError: both ways were used.
    """
    if arg is NO_ARGUMENT:
        return args
    if args:
        raise ValueError(
            "Expected one argument or args=[...], found both; put all of them into args"
        )
    return (arg,)
