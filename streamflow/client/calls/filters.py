"""List filters about what is a workflow behind the scenes (an activity, a schedule): its own words, turned into those of runs."""

from __future__ import annotations

from collections.abc import Mapping

from streamflow.service import RPCError, RPCStatusCode
from streamflow.visibility.errors import FilterError
from streamflow.visibility.lexing import Token, tokens

_BEHIND = ("ORDER", "GROUP", "LIMIT")
_ENDS_CONDITION = ("AND", "OR", *_BEHIND)


def renamed(query: str, names: Mapping[str, str]) -> str:
    """The filter with the names of runs.

    Raises:
        RPCError: INVALID_ARGUMENT, for a text that is no filter.
    """
    made, at = "", 0
    for token in _tokens(query):
        if _is_name(token) and token.text in names:
            made += query[at : token.at] + names[token.text]
            at = token.at + len(token.text) + (2 if token.kind == "name" else 0)
    return made + query[at:]


def prefixed(query: str, name: str, prefix: str) -> str:
    """The filter with ``prefix`` before each text that this name is compared with."""
    made, at, compares = "", 0, False
    for token in _tokens(query):
        if _is_name(token):
            compares = token.text == name or (
                compares and token.text.upper() not in _ENDS_CONDITION
            )
        elif compares and token.kind == "string":
            made += query[at : token.at + 1] + prefix
            at = token.at + 1
    return made + query[at:]


def narrowed(query: str, condition: str) -> str:
    """``condition`` too; what comes behind the conditions (an order, a grouping) stays behind them."""
    words = [
        (token.text.upper(), token.at)
        for token in _tokens(query)
        if token.kind == "word" and token.text.upper() in ("OR", *_BEHIND)
    ]
    end = next((at for word, at in words if word != "OR"), len(query))
    conditions, rest = query[:end], query[end:]
    if not conditions.strip():
        return f"{condition} {rest}".strip()
    if any(word == "OR" for word, _ in words):
        conditions = f"({conditions})"
    return f"{conditions} AND {condition} {rest}".strip()


def _is_name(token: Token) -> bool:
    return token.kind in ("word", "name")


def _tokens(query: str) -> list[Token]:
    try:
        return tokens(query)
    except FilterError as error:
        raise RPCError(str(error), RPCStatusCode.INVALID_ARGUMENT) from error
