"""The language's meaning in plain Python, on summaries as they are: what the SQL must agree with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from streamflow.converter import decode_search_attributes
from streamflow.model.answers import ExecutionSummary
from streamflow.visibility import binding
from streamflow.visibility.catalog import Attribute, Kind
from streamflow.visibility.rows import execution_row, row_id
from streamflow.visibility.syntax import Operator
from streamflow.visibility.tables import executions
from streamflow.visibility.words import words
from tests.unit.visibility.fleet import NS

COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.STARTS_WITH: lambda held, value: held.startswith(value),
    Operator.CONTAINS: lambda held, value: value in held,
}


def lets_through(condition: binding.Condition | None, summary: ExecutionSummary) -> bool:
    match condition:
        case None:
            return True
        case binding.And():
            return all(lets_through(part, summary) for part in condition.parts)
        case binding.Or():
            return any(lets_through(part, summary) for part in condition.parts)
        case binding.Not():
            return not lets_through(condition.inner, summary)
        case binding.IsNull():
            return not values(condition.attribute, summary)
        case binding.In():
            wanted: list[Any] = list(condition.values)
            if condition.attribute.kind is Kind.TEXT:
                wanted = [word for value in wanted for word in words(value)]
            return any(held in wanted for held in values(condition.attribute, summary))
        case binding.Between():
            return any(
                condition.low <= held <= condition.high
                for held in values(condition.attribute, summary)
            )
        case binding.Compare():
            return compares(condition, summary)


def compares(condition: binding.Compare, summary: ExecutionSummary) -> bool:
    held = values(condition.attribute, summary)
    value: Any = condition.value
    match condition.attribute.kind, condition.operator:
        case Kind.TEXT, Operator.NOT_EQUAL:
            return bool(held) and not set(held) & set(words(value))
        case Kind.TEXT, _:
            return bool(set(held) & set(words(value)))
        case Kind.KEYWORD_LIST, Operator.NOT_EQUAL:
            return bool(held) and value not in held
        case Kind.KEYWORD_LIST, Operator.CONTAINS:
            return value in held
        case _, found:
            return any(COMPARE[found](one, value) for one in held)


def values(attribute: Attribute, summary: ExecutionSummary) -> list[Any]:
    """Every value that a comparison looks at; none if the run has none."""
    if attribute.column is not None:
        row = execution_row(b"row", "ns", summary, b"")
        value = dict(zip(executions.columns.keys(), row, strict=True))[attribute.column]
        return [] if value is None else [value]
    for pair in decode_search_attributes(summary.search_attributes):
        if pair.key.name == attribute.name:
            match attribute.kind:
                case Kind.KEYWORD_LIST:
                    return list(pair.value)
                case Kind.TEXT:
                    return words(pair.value)
                case Kind.DATETIME:
                    assert isinstance(pair.value, datetime)
                    return [pair.value.timestamp() * 1000]
                case _:
                    return [pair.value]
    return []


def in_order(bound: binding.Bound, runs: Sequence[ExecutionSummary]) -> list[ExecutionSummary]:
    """Sorted by what ORDER BY says, runs without a value last, then by their rows: by start, or else by chance."""
    # What is named again decides nothing more.
    first: dict[Attribute, binding.Ordering] = {}
    for ordering in bound.order_by:
        first.setdefault(ordering.attribute, ordering)
    orderings = list(first.values())
    descending = not orderings or orderings[0].descending
    if orderings and orderings[-1].attribute.column == "started_ms":
        descending = orderings[-1].descending
    found = sorted(runs, key=lambda run: row_id(NS, run), reverse=descending)
    for ordering in reversed(orderings):
        attribute = ordering.attribute
        having = [run for run in found if values(attribute, run)]
        without = [run for run in found if not values(attribute, run)]
        # Sorting keeps equals as they are, and so it does backwards.
        having.sort(key=lambda run: values(attribute, run)[0], reverse=ordering.descending)
        found = having + without
    return found
