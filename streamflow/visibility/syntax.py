"""A list filter as a tree: what was written, before anybody asked what its names mean."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Operator(Enum):
    """Comparisons, as they are written."""

    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    STARTS_WITH = "STARTS_WITH"
    CONTAINS = "CONTAINS"


@dataclass(frozen=True, slots=True)
class Now:
    """A moment relative to when the question is asked."""

    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, in milliseconds."""

    ms: int


LiteralValue = str | int | float | bool | Now | Duration


@dataclass(frozen=True, slots=True)
class Literal:
    value: LiteralValue
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Compare:
    name: Name
    operator: Operator
    literal: Literal


@dataclass(frozen=True, slots=True)
class Between:
    """Both ends belong to it."""

    name: Name
    low: Literal
    high: Literal


@dataclass(frozen=True, slots=True)
class In:
    name: Name
    literals: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    name: Name


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


@dataclass(frozen=True, slots=True)
class Ordering:
    name: Name
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """A whole list filter."""

    where: Condition | None = None
    group_by: tuple[Name, ...] = ()
    order_by: tuple[Ordering, ...] = ()
