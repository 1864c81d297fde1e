"""What people type into boxes: numbers, and arguments as JSON."""

from __future__ import annotations

import json
from typing import Any

from streamflow.ui.site import Problem


class Refused(ValueError):
    """The text cannot be read; the message says what was expected."""


def values(text: str) -> list[Any]:
    """One JSON value on each line, or one that goes over many; nothing is no arguments.

    Raises:
        Refused: it is no JSON.
    """
    if not text.strip():
        return []
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        pass
    found: list[Any] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise Refused(
                f'Expected a JSON value on each line, such as 3 or "text", found on line {number}: {error}'
            ) from error
    return found


def number(text: str, name: str) -> int:
    """0 if it is missing. Raises `Problem` for what is no number."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Problem(400, f"Expected {name} to be a number, found {text!r}")
    return int(text)
