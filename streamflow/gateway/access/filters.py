"""List filters narrowed to some workflow types."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from streamflow.service import RPCError, RPCStatusCode
from streamflow.visibility import FilterError
from streamflow.visibility.lexing import tokens
from streamflow.visibility.parsing import parse


def quoted(text: str) -> str:
    """As a value of a list filter."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def among_types(query: str, types: Collection[str]) -> str:
    """The filter that finds what ``query`` finds, of these types.

    Raises:
        RPCError: it is no filter (INVALID_ARGUMENT). So no text can close our parentheses and add a condition of its own.
    """
    assert types, "Expected who sees no type to be refused before"
    try:
        parse(query)
        clause = _clause(query)
    except FilterError as error:
        raise RPCError(f"invalid query: {error}", RPCStatusCode.INVALID_ARGUMENT) from error
    where, rest = query[:clause].strip(), query[clause:]
    allowed = f"WorkflowType IN ({', '.join(quoted(one) for one in sorted(types))})"
    return f"({where}) AND {allowed} {rest}".strip() if where else f"{allowed} {rest}".strip()


def _clause(query: str) -> int:
    """Where GROUP BY or ORDER BY begins; the end where there is neither. `BY` is no name, so it follows nothing else."""
    found = tokens(query)
    for token, following in pairwise(found):
        words = (token.kind, following.kind)
        if words == ("word", "word") and following.text.upper() == "BY":
            return token.at
    return len(query)
