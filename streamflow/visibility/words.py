"""Text as the store compares it; filters' values and runs' values come through here alike."""

from __future__ import annotations

import re
from typing import Final

KEYWORD_CHARS_MAX: Final = 400
"""Of a keyword, as many are compared: PostgreSQL's index entries have at most 2,704 bytes."""


def clean(text: str) -> str:
    """PostgreSQL takes no NUL, and no half of a surrogate pair."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def keyword(text: str) -> str:
    return clean(text)[:KEYWORD_CHARS_MAX]


def words(text: str) -> list[str]:
    """A text's words, as its search finds them: letters and digits, in any case."""
    return [word.casefold() for word in re.findall(r"\w+", text)]
