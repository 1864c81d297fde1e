"""From a bound filter to SQL: every value is a parameter.

Logic has two values: a comparison with what a run does not have is false, and NOT of it is true.
A search attribute is a row beside its run. A comparison with it is asked in one of two ways, which mean the same:

    one by one   a look into the run's own rows: for runs that are walked through until a page is full
    all at once  a subquery of its own, which finds every run that passes: for counting
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final, assert_never

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    false,
    not_,
    or_,
    select,
    true,
)

from streamflow.visibility import binding
from streamflow.visibility.binding import Value
from streamflow.visibility.catalog import Attribute, Kind
from streamflow.visibility.rows import START_MS_MAX, attribute_key, start_bytes
from streamflow.visibility.syntax import Operator
from streamflow.visibility.tables import ROW_BYTES, attributes, executions
from streamflow.visibility.words import clean, keyword, words

Element = ColumnElement[Any]
Test = Callable[[Element], ColumnElement[bool]]
"""Of a value that a run has. Nothing passes it where there is none, as the indexes over values know."""
Tested = binding.Compare | binding.Between | binding.In

_COMPARE: Final[dict[Operator, Callable[[Any, Any], ColumnElement[bool]]]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}
_CLIPPED: Final = frozenset({None, "queue", "workflow_type", "current_step"})
"""Columns of keywords that are compared by their first characters; ``None``: search attributes are, too."""


def condition(
    found: binding.Condition, scopes: Sequence[str], *, one_by_one: bool, negated: bool = False
) -> ColumnElement[bool]:
    """What WHERE says of `executions`. Where it is not ``negated``, SQL's third value is as good as false."""

    def has(attribute: Attribute, test: Test) -> ColumnElement[bool]:
        if attribute.column is not None:
            column = executions.c[attribute.column]
            two_valued = negated and column.nullable
            # Not everywhere: SQLite would take this for what to enter an index by.
            return and_(is_there(column), test(column)) if two_valued else test(column)
        if not one_by_one:
            return executions.c.row.in_(rows_with(attribute, scopes, test))
        own = and_(*_own(attribute), test(held(attribute.kind)))
        return exists(select(attributes.c.row).where(own).correlate(executions))

    def inner(part: binding.Condition) -> ColumnElement[bool]:
        is_not = negated or isinstance(found, binding.Not)
        return condition(part, scopes, one_by_one=one_by_one, negated=is_not)

    match found:
        case binding.And():
            return and_(true(), *(inner(part) for part in found.parts))
        case binding.Or():
            return or_(false(), *(inner(part) for part in found.parts))
        case binding.Not(binding.IsNull() as missing):
            return has(missing.attribute, is_there)
        case binding.Not():
            return not_(inner(found.inner))
        case binding.IsNull():
            return not_(has(found.attribute, is_there))
        case binding.Compare() | binding.Between() | binding.In():
            passes = has(found.attribute, test_of(found))
            return (
                and_(has(found.attribute, is_there), not_(passes)) if has_others(found) else passes
            )
        case _:
            assert_never(found)


def is_there(value: Element) -> ColumnElement[bool]:
    return value.is_not(None)


def has_others(found: Tested) -> bool:
    """Whether this asks for runs with values of which none passes `test_of`: what != says of several values."""
    several = found.attribute.kind in (Kind.TEXT, Kind.KEYWORD_LIST)
    return several and isinstance(found, binding.Compare) and found.operator is Operator.NOT_EQUAL


def test_of(found: Tested) -> Test:
    """What one value has to pass; where `has_others`, what none may pass."""
    attribute = found.attribute
    match found:
        case binding.Between():
            low, high = _plain(attribute, found.low), _plain(attribute, found.high)
            at_least = _compared(attribute, Operator.GREATER_OR_EQUAL, low)
            at_most = _compared(attribute, Operator.LESS_OR_EQUAL, high)
            # Not as BETWEEN: PostgreSQL's grammar has no COLLATE inside of it.
            return lambda value: and_(at_least(value), at_most(value))
        case binding.In():
            values = found.values
            if attribute.kind is Kind.TEXT:
                values = tuple(word for value in values for word in words(str(value)))
            plain = [_plain(attribute, value) for value in values]
            return lambda value: value.in_(plain)
        case binding.Compare():
            if attribute.kind is Kind.TEXT:
                wanted = [keyword(word) for word in words(str(found.value))]
                return lambda value: value.in_(wanted)
            return _compared(attribute, _meant(found), _plain(attribute, found.value))
        case _:
            assert_never(found)


def rows_with(attribute: Attribute, scopes: Sequence[str], test: Test) -> Select[Any]:
    """The rows of the runs that have this attribute of users with a value that passes."""
    return select(attributes.c.row).where(
        _one_of(attributes.c.scope, scopes),
        attributes.c.attribute == attribute_key(attribute.kind, attribute.name),
        test(held(attribute.kind)),
    )


def in_scopes(scopes: Sequence[str]) -> ColumnElement[bool]:
    return _one_of(executions.c.scope, scopes)


def sort_value(attribute: Attribute) -> Element:
    """What ORDER BY and GROUP BY take of a run; NULL where it has none."""
    if attribute.column is not None:
        return executions.c[attribute.column]
    # By the primary key alone: it says all there is to say.
    own = and_(*_own(attribute), attributes.c.place == 0)
    return select(held(attribute.kind)).where(own).correlate(executions).scalar_subquery()


def held(kind: Kind) -> Element:
    """The column of `attributes` that has values of this kind."""
    match kind:
        case Kind.KEYWORD | Kind.KEYWORD_LIST | Kind.TEXT | Kind.STATUS:
            return attributes.c.word
        case Kind.INT | Kind.BOOL:
            return attributes.c.number
        case Kind.DOUBLE | Kind.DATETIME | Kind.DURATION:
            return attributes.c.real
        case _:
            assert_never(kind)


def _own(attribute: Attribute) -> tuple[ColumnElement[bool], ...]:
    key = attribute_key(attribute.kind, attribute.name)
    return attributes.c.row == executions.c.row, attributes.c.attribute == key


def _one_of(column: Element, scopes: Sequence[str]) -> ColumnElement[bool]:
    return column == scopes[0] if len(scopes) == 1 else column.in_(scopes)


def _meant(found: binding.Compare) -> Operator:
    """For lists: CONTAINS an element is to have it, and != is the contrary of having it."""
    if found.attribute.kind is Kind.KEYWORD_LIST and found.operator in (
        Operator.CONTAINS,
        Operator.NOT_EQUAL,
    ):
        return Operator.EQUAL
    return found.operator


def _compared(attribute: Attribute, found: Operator, plain: Value) -> Test:
    match found:
        case Operator.STARTS_WITH:
            return lambda value: _starts_with(value, str(plain))
        case Operator.CONTAINS:
            return lambda value: and_(is_there(value), value.contains(str(plain), autoescape=True))
        case _:
            compare = _COMPARE[found]
            if isinstance(plain, float) and (attribute.column or attribute.kind is Kind.INT):
                plain = _whole(found, plain)
            if attribute.column == "started_ms" and not isinstance(plain, str):
                bounds = _row_bounds(found, plain)
                return lambda value: and_(compare(value, plain), *bounds)
            return lambda value: compare(value, plain)


def _whole(found: Operator, number: float) -> float:
    """For columns of whole numbers, as PostgreSQL enters no index of those by another number.

    Where no whole number means the same, the number stays what it is.
    """
    if not -(2.0**63) <= number < 2.0**63:
        return number
    match found:
        case Operator.GREATER | Operator.LESS_OR_EQUAL:
            return math.floor(number)
        case Operator.LESS | Operator.GREATER_OR_EQUAL:
            above = math.ceil(number)
            return above if above < 2**63 else number
        case _:
            return int(number) if number.is_integer() else number


def _row_bounds(found: Operator, started_ms: float) -> list[ColumnElement[bool]]:
    """What a comparison with the start says of rows, as those begin with it: indexes end with rows."""
    whole = math.floor(started_ms)
    beyond = _beginning(whole + 1)
    least = executions.c.row >= _beginning(math.ceil(started_ms))
    match found:
        case Operator.GREATER | Operator.GREATER_OR_EQUAL:
            return [executions.c.row >= beyond if found is Operator.GREATER else least]
        case Operator.LESS:
            return [executions.c.row < _beginning(math.ceil(started_ms))]
        case Operator.LESS_OR_EQUAL:
            return [executions.c.row < beyond]
        case Operator.EQUAL:
            return [least, executions.c.row < beyond]
        case _:
            return []


def _beginning(started_ms: int) -> bytes:
    """Not above any row that started then or later, and above all that started before."""
    if started_ms > START_MS_MAX:
        return b"\xff" * (ROW_BYTES + 1)
    return start_bytes(started_ms) if started_ms > 0 else b""


def _starts_with(value: Element, prefix: str) -> ColumnElement[bool]:
    """As a range, which an index serves: columns compare by code points."""
    if not prefix:
        return is_there(value)
    return and_(value >= prefix, value < prefix + "\U0010ffff")


def _plain(attribute: Attribute, value: Value) -> Value:
    """A flag as the number that it is stored as; text as it is stored."""
    match value:
        case bool():
            return int(value)
        case str():
            return keyword(value) if attribute.column in _CLIPPED else clean(value)
        case _:
            return value
