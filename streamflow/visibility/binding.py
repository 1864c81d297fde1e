"""From names and literals to attributes and values: after this nothing in a filter can be wrong.

Literals become what the attribute's kind compares: milliseconds for times and durations, a status's stored word, text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final, assert_never

from streamflow.model.options import Status
from streamflow.schedules.facts import SCHEDULES_QUEUE
from streamflow.visibility import syntax
from streamflow.visibility.catalog import STATUS_NAMES, Attribute, Catalog, Kind
from streamflow.visibility.errors import FilterError, nearest
from streamflow.visibility.lexing import duration_ms
from streamflow.visibility.syntax import Literal, Name, Operator

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Compare:
    attribute: Attribute
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class Between:
    attribute: Attribute
    low: Value
    high: Value


@dataclass(frozen=True, slots=True)
class In:
    attribute: Attribute
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    attribute: Attribute


@dataclass(frozen=True, slots=True)
class Not:
    inner: Condition


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Condition, ...]


Condition = Compare | Between | In | IsNull | Not | And | Or


class Queues(Enum):
    """Whose runs are looked at: those of the engine's own workflows are, only if a filter asks for one queue."""

    USERS = "users"
    ENGINE = "engine"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Ordering:
    attribute: Attribute
    descending: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """A filter that can be carried out."""

    where: Condition | None
    group_by: tuple[Attribute, ...]
    order_by: tuple[Ordering, ...]
    queues: Queues = Queues.USERS


_EQUALITY: Final = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
_ORDER: Final = frozenset(
    {
        Operator.GREATER,
        Operator.GREATER_OR_EQUAL,
        Operator.LESS,
        Operator.LESS_OR_EQUAL,
    }
)
_WORDS: Final = frozenset({Operator.STARTS_WITH, Operator.CONTAINS})
_ALLOWED: Final = {
    Kind.KEYWORD: _EQUALITY | _ORDER | _WORDS,
    Kind.KEYWORD_LIST: _EQUALITY | _WORDS,
    Kind.TEXT: _EQUALITY | {Operator.CONTAINS},
    Kind.BOOL: _EQUALITY,
    Kind.STATUS: _EQUALITY,
    Kind.INT: _EQUALITY | _ORDER,
    Kind.DOUBLE: _EQUALITY | _ORDER,
    Kind.DATETIME: _EQUALITY | _ORDER,
    Kind.DURATION: _EQUALITY | _ORDER,
}


def bind(found: syntax.Filter, catalog: Catalog, *, now_ms: int) -> Bound:
    """The filter with its names looked up and its literals converted.

    Raises:
        FilterError: a name is unknown, a value is not of its attribute's type, or an operator is not for that type.
    """
    binder = _Binder(catalog, now_ms)
    where = None if found.where is None else binder.condition(found.where)
    return Bound(
        where=where,
        group_by=tuple(binder.single(name, "GROUP BY") for name in found.group_by),
        order_by=tuple(
            Ordering(binder.single(order.name, "ORDER BY"), order.descending)
            for order in found.order_by
        ),
        queues=_queues(where) if binder.names_queue else Queues.USERS,
    )


def _queues(where: Condition | None) -> Queues:
    for part in where.parts if isinstance(where, And) else (where,):
        match part:
            case Compare(Attribute(column="queue"), Operator.EQUAL, queue):
                return Queues.ENGINE if queue == SCHEDULES_QUEUE else Queues.USERS
            case _:
                pass
    return Queues.ALL


class _Binder:
    def __init__(self, catalog: Catalog, now_ms: int) -> None:
        self._catalog = catalog
        self._now_ms = now_ms
        self.names_queue = False

    def condition(self, found: syntax.Condition) -> Condition:
        match found:
            case syntax.And():
                return And(tuple(self.condition(part) for part in found.parts))
            case syntax.Or():
                return Or(tuple(self.condition(part) for part in found.parts))
            case syntax.Not():
                return Not(self.condition(found.inner))
            case syntax.IsNull():
                return IsNull(self._catalog.find(found.name))
            case syntax.Compare():
                attribute = self._attribute(found.name, found.operator)
                if found.operator is Operator.EQUAL:
                    self.names_queue |= attribute.name == "TaskQueue"
                return Compare(attribute, found.operator, self._value(attribute, found.literal))
            case syntax.Between():
                attribute = self._attribute(found.name, Operator.LESS_OR_EQUAL)
                return Between(
                    attribute, self._value(attribute, found.low), self._value(attribute, found.high)
                )
            case syntax.In():
                attribute = self._attribute(found.name, Operator.EQUAL)
                return In(
                    attribute,
                    tuple(self._value(attribute, literal) for literal in found.literals),
                )
            case _:
                assert_never(found)

    def single(self, name: Name, clause: str) -> Attribute:
        attribute = self._catalog.find(name)
        if attribute.kind in (Kind.KEYWORD_LIST, Kind.TEXT):
            raise FilterError(
                f"Expected an attribute with one value in {clause}, found {attribute.name}, which is a "
                f"{attribute.kind.value}",
                name.at,
            )
        return attribute

    def _attribute(self, name: Name, operator: Operator) -> Attribute:
        attribute = self._catalog.find(name)
        allowed = _ALLOWED[attribute.kind]
        if operator not in allowed:
            names = ", ".join(sorted(choice.value for choice in allowed))
            raise FilterError(
                f"Expected one of {names} for {attribute.name}, which is a {attribute.kind.value}, found "
                f"{operator.value}",
                name.at,
            )
        return attribute

    # -- values

    def _value(self, attribute: Attribute, literal: Literal) -> Value:
        value = literal.value
        match attribute.kind:
            case Kind.KEYWORD | Kind.KEYWORD_LIST | Kind.TEXT:
                if isinstance(value, str):
                    return value
                if isinstance(value, bool):
                    return "true" if value else "false"
                if isinstance(value, int | float):
                    return str(value)
            case Kind.STATUS:
                return self._status(literal)
            case Kind.INT:
                if isinstance(value, int) and not isinstance(value, bool):
                    return value
                if isinstance(value, float):
                    return value
                if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value):
                    return int(value)
            case Kind.DOUBLE:
                if isinstance(value, int | float) and not isinstance(value, bool):
                    return float(value)
                if isinstance(value, str) and (number := _float(value)) is not None:
                    return number
            case Kind.BOOL:
                if isinstance(value, bool):
                    return value
                if isinstance(value, str) and value.lower() in ("true", "false"):
                    return value.lower() == "true"
            case Kind.DATETIME:
                found = self._moment(value)
                if found is not None:
                    return found
            case Kind.DURATION:
                found = _length(value)
                if found is not None:
                    return found
            case _:
                assert_never(attribute.kind)
        raise FilterError(
            f"Expected {_EXPECTED[attribute.kind]} for {attribute.name}, found {_said(value)}",
            literal.at,
        )

    def _status(self, literal: Literal) -> Value:
        value = literal.value
        if isinstance(value, str):
            plain = value.replace("_", "").replace(" ", "").lower()
            for status, name in STATUS_NAMES.items():
                if plain in (name.lower(), f"workflowexecutionstatus{name.lower()}"):
                    return status.value
            hint = nearest(value, STATUS_NAMES.values())
            raise FilterError(
                f"Expected {', '.join(STATUS_NAMES.values())}, found {value!r}{hint}", literal.at
            )
        numbered: dict[object, Status] = dict(enumerate(STATUS_NAMES, start=1))
        if type(value) is int and value in numbered:
            return numbered[value].value
        raise FilterError(f"Expected {_EXPECTED[Kind.STATUS]}, found {_said(value)}", literal.at)

    def _moment(self, value: syntax.LiteralValue) -> int | float | None:
        match value:
            case syntax.Now():
                return self._now_ms + value.offset_ms
            case bool() | syntax.Duration():
                return None
            case int() | float():
                # As the model counts: nanoseconds since the epoch.
                return value / 1e6
            case str():
                return moment_ms(value)
            case _:
                assert_never(value)


def moment_ms(text: str) -> int | float | None:
    """A time of RFC 3339 in milliseconds since the epoch; without a zone it is UTC. ``None`` for anything else."""
    if re.fullmatch(r"\d{15,19}", text):
        return int(text) / 1e6
    # Python knows microseconds only; what is finer is below a row's own precision.
    shortened = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        found = datetime.fromisoformat(shortened)
    except ValueError:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        seconds = (aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    except OverflowError:
        return None
    return round(seconds * 1_000_000) / 1_000


def _length(value: syntax.LiteralValue) -> int | float | None:
    match value:
        case syntax.Duration():
            return value.ms
        case bool() | syntax.Now():
            return None
        case int() | float():
            return value / 1e6  # nanoseconds, as the model counts them
        case str():
            if re.fullmatch(r"\d{1,18}", value):
                return int(value) / 1e6
            clock = re.fullmatch(r"(\d{1,6}):(\d{2}):(\d{2})", value)
            if clock:
                hours, minutes, seconds = (int(part) for part in clock.groups())
                return ((hours * 60 + minutes) * 60 + seconds) * 1000
            return duration_ms(value)
        case _:
            assert_never(value)


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


_EXPECTED: Final = {
    Kind.KEYWORD: "text in quotes",
    Kind.KEYWORD_LIST: "text in quotes",
    Kind.TEXT: "text in quotes",
    Kind.STATUS: "a status such as 'Running'",
    Kind.INT: "a whole number",
    Kind.DOUBLE: "a number",
    Kind.BOOL: "TRUE or FALSE",
    Kind.DATETIME: "a time such as '2026-01-31T12:00:00Z' or NOW - 1h",
    Kind.DURATION: "a duration such as '90m', 'HH:MM:SS' or nanoseconds",
}


def _said(value: syntax.LiteralValue) -> str:
    match value:
        case syntax.Now():
            return "NOW"
        case syntax.Duration():
            return f"a duration of {value.ms} ms"
        case _:
            return repr(value)
