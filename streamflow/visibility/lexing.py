"""A list filter's text as tokens, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from streamflow.visibility.errors import FilterError

Kind = Literal["word", "name", "string", "number", "duration", "symbol", "end"]

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
      | (?P<name>`(?:[^`]|``)+`)
      | (?P<duration>(?:\d+(?:\.\d+)?(?:ms|us|ns|[smhdw]))+(?![\w.]))
      | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<word>[A-Za-z_][A-Za-z0-9_.-]*)
      | (?P<symbol>!=|<>|>=|<=|=|>|<|\(|\)|,|\+|-)
    """,
    re.VERBOSE | re.DOTALL,
)
DURATION_MS_MAX: Final = 2**62
"""So that a time from now on, or that long ago, has 64 bits."""
_ESCAPED: Final = re.compile(r"\\(.)|(['\"])\2", re.DOTALL)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|[smhdw])")
_UNIT_MS: Final = {
    "ns": 1e-6,
    "us": 1e-3,
    "ms": 1.0,
    "s": 1e3,
    "m": 60e3,
    "h": 3_600e3,
    "d": 86_400e3,
    "w": 604_800e3,
}


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str
    """As meant: quotes are gone, ``<>`` is ``!=``."""
    at: int


def tokens(text: str) -> list[Token]:
    """All of them, and an end. Raises `FilterError` at the first character that begins none."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError(_trouble(text, at), at)
        kind = match.lastgroup
        if kind != "space":
            found.append(_token(kind, match.group(), at))
        at = match.end()
    found.append(Token("end", "", len(text)))
    return found


def _token(kind: str | None, text: str, at: int) -> Token:
    match kind:
        case "string":
            quote = text[0]
            inner = _ESCAPED.sub(
                lambda found: found[1] if found[1] is not None else _unquoted(found[0], quote),
                text[1:-1],
            )
            return Token("string", inner, at)
        case "name":
            return Token("name", text[1:-1].replace("``", "`"), at)
        case "symbol":
            return Token("symbol", "!=" if text == "<>" else text, at)
        case "word" | "number" | "duration":
            return Token(kind, text, at)
        case _:
            raise AssertionError(f"Expected a kind of token, found {kind}")


def _unquoted(doubled: str, quote: str) -> str:
    """A doubled quote stands for one, if it is the kind that the string is in."""
    return quote if doubled[0] == quote else doubled


def _trouble(text: str, at: int) -> str:
    if text[at] in "'\"`":
        return f"Expected a closing {text[at]}, found the end of the filter"
    return f"Expected a name, a value or an operator, found {text[at : at + 12]!r}"


def duration_ms(text: str) -> int | None:
    """``1h30m`` in milliseconds; ``None`` for anything else, and for more than can be reckoned with."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    found = sum(float(number) * _UNIT_MS[unit] for number, unit in parts)
    return round(found) if found <= DURATION_MS_MAX else None
