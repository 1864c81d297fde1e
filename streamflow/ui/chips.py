"""Chips beside the filter box: each is a condition of the list filter, so that the text and the chips say the same.

The text is the truth. Its top is read as conditions joined by AND; those that are a chip's make the chip pressed, and
pressing a chip writes the text anew. A text with OR at its top is one condition, and is put in parentheses.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.model.control import PAUSED
from streamflow.visibility import FilterError
from streamflow.visibility.lexing import Token, tokens


@dataclass(frozen=True)
class Status:
    """A chip for what a run is doing."""

    name: str
    label: str
    value: str
    """Of ``ExecutionStatus``."""
    more: tuple[str, ...] = ()
    """Conditions beside that."""

    @property
    def conditions(self) -> tuple[str, ...]:
        return (f"ExecutionStatus = '{self.value}'", *self.more)


RUNNING = "ExecutionStatus = 'Running'"
STATUSES = (
    Status("running", "Running", "Running"),
    Status("retrying", "Retrying", "Running", ("MaxAttempt > 1",)),
    Status(
        "stuck",
        "Stuck",
        "Running",
        ("Trouble IS NOT NULL", f"NOT Trouble STARTS_WITH '{PAUSED}'"),
    ),
    Status("paused", "Paused", "Running", (f"Trouble STARTS_WITH '{PAUSED}'",)),
    Status("completed", "Completed", "Completed"),
    Status("failed", "Failed", "Failed"),
    Status("canceled", "Canceled", "Canceled"),
    Status("terminated", "Terminated", "Terminated"),
    Status("timed_out", "Timed out", "TimedOut"),
    Status("continued_as_new", "Continued", "ContinuedAsNew"),
)
_WORDS = frozenset({"IS", "NOT", "NULL", "STARTS_WITH"})
"""Words of the language in the chips' conditions; names are read exactly as they are."""
_KNOWN = {condition for status in STATUSES for condition in status.conditions}


@dataclass(frozen=True)
class Query:
    """A list filter, with what chips say taken out of it."""

    status: Status | None
    workflow_type: str | None
    others: tuple[str, ...]
    """Conditions that no chip stands for."""
    order: str = ""
    """From ORDER BY on."""

    @property
    def text(self) -> str:
        conditions = [*self.others]
        if self.workflow_type is not None:
            conditions.append(f"WorkflowType = {quoted(self.workflow_type)}")
        if self.status is not None:
            conditions += self.status.conditions
        return " ".join(filter(None, [" AND ".join(conditions), self.order]))


def read(text: str) -> Query:
    """What the text says. Raises `FilterError` where it cannot be read as words; what names mean is not asked here."""
    found = [token for token in tokens(text) if token.kind != "end"]
    where, order = _split_order(found, text)
    parts = _conjuncts(where, text)
    workflow_type: str | None = None
    statuses: list[str] = []
    others: list[str] = []
    for part in parts:
        chosen = _type_of(part)
        condition = _canonical(part)
        if chosen is not None and workflow_type is None:
            workflow_type = chosen
        elif condition in _KNOWN:
            statuses.append(condition)
        else:
            others.append(_text_of(part, text))
    status = next((one for one in STATUSES if set(one.conditions) == set(statuses)), None)
    if status is None:
        # Conditions of chips that no one chip stands for are conditions like others.
        others += statuses
    return Query(status, workflow_type, tuple(others), order)


def quoted(text: str) -> str:
    """As a value of a list filter."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


@dataclass(frozen=True)
class _Part:
    tokens: tuple[Token, ...]
    end: int
    """Where in the text the part ends."""


def _split_order(found: list[Token], text: str) -> tuple[_Part, str]:
    depth = 0
    for index, token in enumerate(found):
        depth += _depth(token)
        if depth == 0 and _is_word(token, "ORDER", "GROUP"):
            following = found[index + 1] if index + 1 < len(found) else None
            if following is not None and _is_word(following, "BY"):
                if _is_word(token, "GROUP"):
                    raise FilterError("Expected no GROUP BY in a list, found one", token.at)
                return _Part(tuple(found[:index]), token.at), text[token.at :].strip()
    return _Part(tuple(found), len(text)), ""


def _conjuncts(where: _Part, text: str) -> list[_Part]:
    """The conditions joined by AND at the top; all of it as one, in parentheses, if there is an OR."""
    parts: list[_Part] = []
    begun, depth, between = 0, 0, False
    for index, token in enumerate(where.tokens):
        depth += _depth(token)
        if depth:
            continue
        if _is_word(token, "OR"):
            return [_Part(where.tokens, where.end)]
        if _is_word(token, "BETWEEN"):
            between = True
        elif _is_word(token, "AND"):
            if between:
                between = False
            else:
                parts.append(_Part(where.tokens[begun:index], token.at))
                begun = index + 1
    if where.tokens[begun:]:
        parts.append(_Part(where.tokens[begun:], where.end))
    return parts


def _text_of(part: _Part, text: str) -> str:
    found = text[part.tokens[0].at : part.end].strip() if part.tokens else ""
    depth = 0
    for token in part.tokens:
        depth += _depth(token)
        if depth == 0 and _is_word(token, "OR"):
            return f"({found})"
    return found


def _canonical(part: _Part) -> str:
    """The condition as a chip would write it, whatever spaces, quotes and cases it has."""
    words: list[str] = []
    for token in part.tokens:
        if token.kind == "string":
            words.append(quoted(token.text))
        elif token.kind == "word" and token.text.upper() in _WORDS:
            words.append(token.text.upper())
        else:
            words.append(token.text)
    return " ".join(words)


def _type_of(part: _Part) -> str | None:
    match part.tokens:
        case (
            Token(kind="word" | "name", text="WorkflowType"),
            Token(kind="symbol", text="="),
            Token(kind="string", text=text),
        ):
            return text
        case _:
            return None


def _depth(token: Token) -> int:
    if token.kind != "symbol":
        return 0
    return {"(": 1, ")": -1}.get(token.text, 0)


def _is_word(token: Token, *words: str) -> bool:
    return token.kind == "word" and token.text.upper() in words
