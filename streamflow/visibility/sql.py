"""From a bound filter to SQL: every value is a parameter.

Logic has two values: a comparison with what a run does not have is false, and NOT of it is true.
A search attribute is a row beside its run, so that a comparison with it is a subquery of its own.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, assert_never

from sqlalchemy import ColumnElement, and_, case, false, func, not_, or_, select, true

from streamflow.visibility import binding
from streamflow.visibility.binding import Value
from streamflow.visibility.catalog import Attribute, Kind
from streamflow.visibility.syntax import Operator
from streamflow.visibility.tables import attributes, executions

Element = ColumnElement[Any]
Test = Callable[[Element], ColumnElement[bool]]

_COMPARE: Final[dict[Operator, Callable[[Any, Any], ColumnElement[bool]]]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}


def condition(found: binding.Condition, namespace: str) -> ColumnElement[bool]:
    """What WHERE says of `executions`."""
    match found:
        case binding.And():
            return and_(true(), *(condition(part, namespace) for part in found.parts))
        case binding.Or():
            return or_(false(), *(condition(part, namespace) for part in found.parts))
        case binding.Not():
            return not_(condition(found.inner, namespace))
        case binding.IsNull():
            return not_(_has(found.attribute, namespace, lambda _value: true()))
        case binding.Between():
            low, high = _plain(found.low), _plain(found.high)
            # Not as BETWEEN: PostgreSQL's grammar has no COLLATE inside of it.
            return _has(found.attribute, namespace, lambda value: and_(value >= low, value <= high))
        case binding.In():
            return _in(found, namespace)
        case binding.Compare():
            return _compare(found, namespace)
        case _:
            assert_never(found)


def sort_value(attribute: Attribute) -> Element:
    """What ORDER BY and GROUP BY take of a run; NULL where it has none."""
    if attribute.column is not None:
        return executions.c[attribute.column]
    held = _held(attribute.kind)
    return (
        select(held)
        .where(
            # By the primary key alone: it says all there is to say.
            attributes.c.row == executions.c.row,
            attributes.c.name == attribute.name,
            attributes.c.place == 0,
            attributes.c.kind == attribute.kind.value,
        )
        .correlate(executions)
        .scalar_subquery()
    )


def words(text: str) -> list[str]:
    """A text's words, as its search finds them: letters and digits, in any case."""
    return [word.casefold() for word in re.findall(r"\w+", text)]


def _compare(found: binding.Compare, namespace: str) -> ColumnElement[bool]:
    attribute, value = found.attribute, found.value
    if attribute.kind is Kind.TEXT:
        wanted = words(str(value))
        matches = _has(attribute, namespace, lambda held: held.in_(wanted))
        if found.operator is Operator.NOT_EQUAL:
            return and_(_has(attribute, namespace, lambda _value: true()), not_(matches))
        return matches
    if found.operator is Operator.NOT_EQUAL and attribute.kind is Kind.KEYWORD_LIST:
        has_any = _has(attribute, namespace, lambda _value: true())
        return and_(has_any, not_(_has(attribute, namespace, lambda held: held == value)))
    match found.operator:
        case Operator.STARTS_WITH:
            return _has(attribute, namespace, lambda held: _starts_with(held, str(value)))
        case Operator.CONTAINS if attribute.kind is Kind.KEYWORD_LIST:
            return _has(attribute, namespace, lambda held: held == value)
        case Operator.CONTAINS:
            return _has(
                attribute,
                namespace,
                lambda held: held.contains(str(value), autoescape=True),
            )
        case _:
            compare, plain = _COMPARE[found.operator], _plain(value)
            return _has(attribute, namespace, lambda held: compare(held, plain))


def _in(found: binding.In, namespace: str) -> ColumnElement[bool]:
    values: Sequence[Value] = found.values
    if found.attribute.kind is Kind.TEXT:
        values = [word for value in values for word in words(str(value))]
    plain = [_plain(value) for value in values]
    return _has(found.attribute, namespace, lambda held: held.in_(plain))


def _has(attribute: Attribute, namespace: str, test: Test) -> ColumnElement[bool]:
    """Whether the run has a value that passes the test."""
    if attribute.column is not None:
        column = executions.c[attribute.column]
        passes = test(column)
        return and_(column.is_not(None), passes) if column.nullable else passes
    held = _held(attribute.kind)
    # Not as a correlated EXISTS: of that SQLite makes a search through all that match, once for each run.
    matching = select(attributes.c.row).where(
        attributes.c.namespace == namespace,
        attributes.c.name == attribute.name,
        attributes.c.kind == attribute.kind.value,
        test(held),
    )
    return executions.c.row.in_(matching)


def _held(kind: Kind) -> Element:
    match kind:
        case Kind.KEYWORD | Kind.KEYWORD_LIST | Kind.TEXT | Kind.STATUS:
            return attributes.c.word
        case Kind.INT | Kind.BOOL:
            return attributes.c.number
        case Kind.DOUBLE | Kind.DATETIME | Kind.DURATION:
            return attributes.c.real
        case _:
            assert_never(kind)


def _starts_with(held: Element, prefix: str) -> ColumnElement[bool]:
    """As a range, which an index serves: columns compare by code points."""
    if not prefix:
        return true()
    return and_(held >= prefix, held < prefix + "\U0010ffff")


def _plain(value: Value) -> Value:
    """A flag as the number that it is stored as; text without what a database cannot hold."""
    match value:
        case bool():
            return int(value)
        case str():
            return clean(value)
        case _:
            return value


def clean(text: str) -> str:
    """PostgreSQL takes no NUL, and no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def is_missing(value: Element) -> Element:
    """1 for a run without the value, so that those come last in either direction."""
    return case((value.is_(None), 1), else_=0)


def count_all() -> ColumnElement[int]:
    return func.count()
