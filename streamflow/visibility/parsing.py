"""From a list filter's text to its tree.

    filter    := [or] [GROUP BY name {, name}] [ORDER BY name [ASC | DESC] {, ...}]
    or        := and {OR and}
    and       := unary {AND unary}
    unary     := NOT unary | ( or ) | predicate
    predicate := name (= | != | > | >= | < | <=) value
               | name [NOT] IN ( value {, value} ) | name [NOT] BETWEEN value AND value
               | name [NOT] STARTS_WITH value | name [NOT] CONTAINS value | name IS [NOT] NULL
    value     := 'text' | "text" | number | TRUE | FALSE | duration | NOW[()] [(+ | -) duration]

Words are read in any case. Names that are no plain words stand in backquotes.
"""

from __future__ import annotations

from typing import Final

from streamflow.visibility.errors import FilterError, nearest
from streamflow.visibility.lexing import Token, duration_ms, tokens
from streamflow.visibility.syntax import (
    And,
    Between,
    Compare,
    Condition,
    Duration,
    Filter,
    In,
    IsNull,
    Literal,
    Name,
    Not,
    Now,
    Operator,
    Or,
    Ordering,
)

FILTER_CHARS_MAX: Final = 16_384
DEPTH_MAX: Final = 50
"""Of parentheses and NOTs: deeper ones would exhaust our stack, and nobody's reader follows them."""
VALUES_MAX: Final = 1_000
"""In one IN list."""
CONDITIONS_MAX: Final = 200
"""Predicates of one filter: SQL databases bound the depth of an expression, and this is well within."""

_SYMBOLS: Final = {
    operator.value: operator for operator in Operator if not operator.value[0].isalpha()
}
_WORDED: Final = ("IN", "BETWEEN", "STARTS_WITH", "CONTAINS", "IS")
"""What follows a name that no symbol follows."""
_CLAUSES: Final = ("GROUP", "ORDER")
_RESERVED: Final = frozenset(["AND", "OR", "NOT", "NULL", "BY", *_WORDED, *_CLAUSES])


def parse(text: str) -> Filter:
    """The tree of a filter; an empty text is the filter that lets everything through.

    Raises:
        FilterError: it does not follow the grammar above.
    """
    if len(text) > FILTER_CHARS_MAX:
        raise FilterError(
            f"Expected a filter of at most {FILTER_CHARS_MAX} characters, found {len(text)}", 0
        )
    return _Parser(tokens(text)).filter()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._next = 0
        self._depth = 0
        self._conditions = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def filter(self) -> Filter:
        where = None
        if self._token.kind != "end" and not self._at_word("ORDER", "GROUP"):
            where = self._or()
        group_by: tuple[Name, ...] = ()
        order_by: tuple[Ordering, ...] = ()
        if self._take_word("GROUP"):
            self._expect_word("BY")
            group_by = self._names()
        if self._take_word("ORDER"):
            self._expect_word("BY")
            order_by = self._orderings()
        if self._token.kind != "end":
            raise self._unexpected(
                "AND, OR, GROUP BY, ORDER BY or the end", "AND", "OR", *_CLAUSES, "ASC", "DESC"
            )
        return Filter(where, group_by, order_by)

    # -- conditions

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._take_word("OR"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Condition:
        parts = [self._unary()]
        while self._take_word("AND"):
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _unary(self) -> Condition:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise FilterError(
                f"Expected at most {DEPTH_MAX} parentheses and NOTs within each other, found more",
                self._token.at,
            )
        try:
            if self._take_word("NOT"):
                return Not(self._unary())
            if self._take_symbol("("):
                inner = self._or()
                self._expect_symbol(")")
                return inner
            return self._predicate()
        finally:
            self._depth -= 1

    def _predicate(self) -> Condition:
        self._conditions += 1
        if self._conditions > CONDITIONS_MAX:
            raise FilterError(
                f"Expected at most {CONDITIONS_MAX} conditions, found more: use IN for many values",
                self._token.at,
            )
        name = self._name("a search attribute's name, NOT or (")
        self._refuse_misspelt_clause(name)
        token = self._token
        if token.kind == "symbol" and token.text in _SYMBOLS:
            self._next += 1
            return Compare(name, _SYMBOLS[token.text], self._value())
        if self._take_word("IS"):
            negated = self._take_word("NOT")
            self._expect_word("NULL")
            return Not(IsNull(name)) if negated else IsNull(name)
        negated = self._take_word("NOT")
        found = self._worded(name)
        return Not(found) if negated else found

    def _worded(self, name: Name) -> Condition:
        if self._take_word("IN"):
            return In(name, self._values())
        if self._take_word("BETWEEN"):
            low = self._value()
            self._expect_word("AND")
            return Between(name, low, self._value())
        for operator in (Operator.STARTS_WITH, Operator.CONTAINS):
            if self._take_word(operator.value):
                return Compare(name, operator, self._value())
        raise self._unexpected(
            "=, !=, >, >=, <, <=, IN, BETWEEN, STARTS_WITH, CONTAINS or IS", "NOT", *_WORDED
        )

    def _refuse_misspelt_clause(self, name: Name) -> None:
        """``ORDR BY`` is no attribute that lacks an operator."""
        token = self._token
        followed = token.kind == "word" and nearest(token.text, ["BY"])
        if followed and (meant := nearest(name.text, _CLAUSES)):
            raise FilterError(
                f"Expected a condition, GROUP BY or ORDER BY, found {name.text!r}{meant}", name.at
            )

    # -- values

    def _values(self) -> tuple[Literal, ...]:
        self._expect_symbol("(")
        values = [self._value()]
        while self._take_symbol(","):
            values.append(self._value())
            if len(values) > VALUES_MAX:
                raise FilterError(
                    f"Expected at most {VALUES_MAX} values in IN, found more", self._token.at
                )
        self._expect_symbol(")")
        return tuple(values)

    def _value(self) -> Literal:
        token = self._token
        at = token.at
        if self._take_symbol("-"):
            if self._token.kind != "number":
                raise self._unexpected("a number after -")
            number = self._number(self._take())
            return Literal(-number, at)
        match token.kind:
            case "string":
                return Literal(self._take().text, at)
            case "number":
                return Literal(self._number(self._take()), at)
            case "duration":
                return Literal(Duration(self._duration()), at)
            case "word" if token.text.upper() in ("TRUE", "FALSE"):
                return Literal(self._take().text.upper() == "TRUE", at)
            case "word" if token.text.upper() == "NOW":
                return Literal(self._now(), at)
            case _:
                raise self._unexpected(
                    "a value: 'text', a number, TRUE, FALSE, a duration such as 90m, or NOW - 1h",
                    "TRUE",
                    "FALSE",
                    "NOW",
                )

    def _now(self) -> Now:
        self._take()
        if self._take_symbol("("):
            self._expect_symbol(")")
        for sign, symbol in ((1, "+"), (-1, "-")):
            if self._take_symbol(symbol):
                if self._token.kind != "duration":
                    raise self._unexpected("a duration such as 90m")
                return Now(sign * self._duration())
        return Now()

    def _duration(self) -> int:
        token = self._take()
        found = duration_ms(token.text)
        if found is None:  # the lexer's durations are durations
            raise FilterError(
                "Expected a duration of at most 62 bits of milliseconds, found a longer one",
                token.at,
            )
        return found

    @staticmethod
    def _number(token: Token) -> int | float:
        number = int(token.text) if token.text.isdigit() else float(token.text)
        if not -(2.0**63) <= number < 2.0**63:
            raise FilterError("Expected a number of at most 64 bits, found a larger one", token.at)
        return number

    # -- names

    def _name(self, expected: str) -> Name:
        token = self._token
        plain = token.kind == "word" and token.text.upper() not in _RESERVED
        if not plain and token.kind != "name":
            raise self._unexpected(expected)
        self._next += 1
        return Name(token.text, token.at)

    def _names(self) -> tuple[Name, ...]:
        names = [self._name("a search attribute's name")]
        while self._take_symbol(","):
            names.append(self._name("a search attribute's name"))
        return tuple(names)

    def _orderings(self) -> tuple[Ordering, ...]:
        found: list[Ordering] = []
        while True:
            name = self._name("a search attribute's name")
            descending = self._take_word("DESC")
            if not descending:
                self._take_word("ASC")
            found.append(Ordering(name, descending))
            if not self._take_symbol(","):
                return tuple(found)

    # -- tokens

    def _take(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _at_word(self, *words: str) -> bool:
        return self._token.kind == "word" and self._token.text.upper() in words

    def _take_word(self, word: str) -> bool:
        taken = self._at_word(word)
        self._next += taken
        return taken

    def _expect_word(self, word: str) -> None:
        if not self._take_word(word):
            raise self._unexpected(word, word)

    def _take_symbol(self, symbol: str) -> bool:
        taken = self._token.kind == "symbol" and self._token.text == symbol
        self._next += taken
        return taken

    def _expect_symbol(self, symbol: str) -> None:
        if not self._take_symbol(symbol):
            raise self._unexpected(symbol)

    def _unexpected(self, expected: str, *words: str) -> FilterError:
        """``words`` are those that might have been meant."""
        token = self._token
        found = "the end" if token.kind == "end" else repr(token.text)
        meant = nearest(token.text, words) if token.kind == "word" else ""
        return FilterError(f"Expected {expected}, found {found}{meant}", token.at)
