"""Options and values that workflows, activities and clients share. Durations are `timedelta`; the log keeps milliseconds.

``_to_model`` and ``_from_model`` stand between these and what the log keeps; user code has no need of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import Any, ClassVar, Generic, TypeVar, overload

from streamflow.model import options as model
from streamflow.model.payload import Payload

__all__ = [
    "HeaderCodecBehavior",
    "Priority",
    "QueryRejectCondition",
    "RawValue",
    "RetryPolicy",
    "SearchAttributeIndexedValueType",
    "SearchAttributeKey",
    "SearchAttributePair",
    "SearchAttributeUpdate",
    "TypedSearchAttributes",
    "VersioningBehavior",
    "WorkflowIDConflictPolicy",
    "WorkflowIDReusePolicy",
]

_MILLISECOND = timedelta(milliseconds=1)


def _to_ms(duration: timedelta) -> int:
    """Whole milliseconds, rounded up so that a short positive wait never becomes none."""
    return -(-duration // _MILLISECOND)


def _optional_ms(duration: timedelta | None) -> int | None:
    return None if duration is None else _to_ms(duration)


def _from_ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


def _optional_duration(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else _from_ms(milliseconds)


# -- retries ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon a failed attempt is made again.

    The wait before retry ``n`` is ``initial_interval * backoff_coefficient ** (n - 1)``, at most ``maximum_interval``.
    """

    initial_interval: timedelta = timedelta(seconds=1)
    backoff_coefficient: float = 2.0
    maximum_interval: timedelta | None = None
    """Default: 100 times the initial interval."""
    maximum_attempts: int = 0
    """0 is without limit; 1 is no retry."""
    non_retryable_error_types: Sequence[str] | None = None
    """Class names, or the ``type`` of an `ApplicationError`, that end the attempts at once."""

    def _validate(self) -> None:
        """Raises ValueError for a policy that could not be followed."""
        if self.initial_interval <= timedelta(0):
            raise ValueError(f"Expected a positive initial_interval, found {self.initial_interval}")
        if self.backoff_coefficient < 1:
            raise ValueError(
                f"Expected a backoff_coefficient of 1 or more, found {self.backoff_coefficient}"
            )
        if self.maximum_interval is not None and self.maximum_interval < self.initial_interval:
            raise ValueError(
                f"Expected maximum_interval to be at least initial_interval ({self.initial_interval}), "
                f"found {self.maximum_interval}"
            )
        if self.maximum_attempts < 0:
            raise ValueError(
                f"Expected maximum_attempts of 0 (no limit) or more, found {self.maximum_attempts}"
            )

    def _to_model(self) -> model.RetryPolicy:
        self._validate()
        return model.RetryPolicy(
            initial_interval_ms=_to_ms(self.initial_interval),
            backoff_coefficient=float(self.backoff_coefficient),
            maximum_interval_ms=_optional_ms(self.maximum_interval),
            maximum_attempts=self.maximum_attempts,
            non_retryable_error_types=tuple(self.non_retryable_error_types or ()),
        )

    @staticmethod
    def _from_model(policy: model.RetryPolicy) -> RetryPolicy:
        return RetryPolicy(
            initial_interval=_from_ms(policy.initial_interval_ms),
            backoff_coefficient=policy.backoff_coefficient,
            maximum_interval=_optional_duration(policy.maximum_interval_ms),
            maximum_attempts=policy.maximum_attempts,
            non_retryable_error_types=policy.non_retryable_error_types or None,
        )


# -- starting workflows -------------------------------------------------------------------------------------------


class WorkflowIDReusePolicy(Enum):
    """Whether a workflow ID whose last run is closed may be started again."""

    ALLOW_DUPLICATE = "allow_duplicate"
    ALLOW_DUPLICATE_FAILED_ONLY = "allow_duplicate_failed_only"
    REJECT_DUPLICATE = "reject_duplicate"
    TERMINATE_IF_RUNNING = "terminate_if_running"

    def _to_model(self) -> model.IdReusePolicy:
        return model.IdReusePolicy(self.value)


class WorkflowIDConflictPolicy(Enum):
    """What a start does when a run of that ID is open. ``UNSPECIFIED`` is ``FAIL``."""

    UNSPECIFIED = "unspecified"
    FAIL = "fail"
    USE_EXISTING = "use_existing"
    TERMINATE_EXISTING = "terminate_existing"

    def _to_model(self) -> model.IdConflictPolicy:
        if self is WorkflowIDConflictPolicy.UNSPECIFIED:
            return model.IdConflictPolicy.FAIL
        return model.IdConflictPolicy(self.value)


class QueryRejectCondition(Enum):
    """Which runs a query is not to be put to. The value is what `QueryWorkflow.reject_condition` carries."""

    NONE = "none"
    NOT_OPEN = "not_open"
    NOT_COMPLETED_CLEANLY = "not_completed_cleanly"

    def _to_model(self) -> str:
        return self.value


class VersioningBehavior(Enum):
    """Whether open runs of a type move to new worker versions."""

    UNSPECIFIED = "unspecified"
    PINNED = "pinned"
    AUTO_UPGRADE = "auto_upgrade"


class HeaderCodecBehavior(IntEnum):
    """Whether the payload codec encodes the headers that interceptors set."""

    NO_CODEC = 1
    """Nowhere: headers travel as interceptors made them. The default."""
    CODEC = 2
    """Clients and workers encode those they send and decode those they receive."""
    WORKFLOW_ONLY_CODEC = 3
    """Only where workflow code is stepped: those that a workflow sends and receives."""


@dataclass(frozen=True)
class Priority:
    """Which work of one queue goes first. ``priority_key`` 1 is first, 5 is last, ``None`` is 3."""

    priority_key: int | None = None
    fairness_key: str | None = None
    fairness_weight: float | None = None

    default: ClassVar[Priority]

    def __post_init__(self) -> None:
        if self.priority_key is not None and not 1 <= self.priority_key <= 5:
            raise ValueError(
                f"Expected a priority_key from 1 (first) to 5, found {self.priority_key}"
            )
        if self.fairness_key is not None and len(self.fairness_key.encode()) > 64:
            raise ValueError("Expected a fairness_key of at most 64 bytes, found a longer one")

    def _to_model(self) -> int:
        """0 is unset."""
        return self.priority_key or 0

    @staticmethod
    def _from_model(priority: int) -> Priority:
        return Priority(priority_key=priority) if priority else Priority.default


Priority.default = Priority()


@dataclass(frozen=True)
class RawValue:
    """A payload as stored: passed by a sender who encodes himself, or taken by a handler that decodes later."""

    payload: Payload


# -- search attributes --------------------------------------------------------------------------------------------


class SearchAttributeIndexedValueType(Enum):
    """What a search attribute holds; the value is the type's name on the wire."""

    TEXT = "Text"
    KEYWORD = "Keyword"
    INT = "Int"
    DOUBLE = "Double"
    BOOL = "Bool"
    DATETIME = "Datetime"
    KEYWORD_LIST = "KeywordList"


ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class SearchAttributeKey(Generic[ValueT]):
    """Name and type of a search attribute. Made by the ``for_...`` functions."""

    name: str
    indexed_value_type: SearchAttributeIndexedValueType
    value_type: type[Any]

    @staticmethod
    def for_text(name: str) -> SearchAttributeKey[str]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.TEXT, str)

    @staticmethod
    def for_keyword(name: str) -> SearchAttributeKey[str]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.KEYWORD, str)

    @staticmethod
    def for_int(name: str) -> SearchAttributeKey[int]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.INT, int)

    @staticmethod
    def for_float(name: str) -> SearchAttributeKey[float]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.DOUBLE, float)

    @staticmethod
    def for_bool(name: str) -> SearchAttributeKey[bool]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.BOOL, bool)

    @staticmethod
    def for_datetime(name: str) -> SearchAttributeKey[datetime]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.DATETIME, datetime)

    @staticmethod
    def for_keyword_list(name: str) -> SearchAttributeKey[Sequence[str]]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.KEYWORD_LIST, list)

    @staticmethod
    def _of(name: str, kind: SearchAttributeIndexedValueType) -> SearchAttributeKey[Any]:
        return SearchAttributeKey(name, kind, _VALUE_TYPES[kind])

    def value_set(self, value: ValueT) -> SearchAttributeUpdate[ValueT]:
        return SearchAttributeUpdate(self, value)

    def value_unset(self) -> SearchAttributeUpdate[ValueT]:
        return SearchAttributeUpdate(self, None)


_VALUE_TYPES: dict[SearchAttributeIndexedValueType, type[Any]] = {
    SearchAttributeIndexedValueType.TEXT: str,
    SearchAttributeIndexedValueType.KEYWORD: str,
    SearchAttributeIndexedValueType.INT: int,
    SearchAttributeIndexedValueType.DOUBLE: float,
    SearchAttributeIndexedValueType.BOOL: bool,
    SearchAttributeIndexedValueType.DATETIME: datetime,
    SearchAttributeIndexedValueType.KEYWORD_LIST: list,
}


@dataclass(frozen=True)
class SearchAttributePair(Generic[ValueT]):
    """A search attribute and its value."""

    key: SearchAttributeKey[ValueT]
    value: ValueT


@dataclass(frozen=True)
class SearchAttributeUpdate(Generic[ValueT]):
    """A change of one search attribute; ``None`` removes it."""

    key: SearchAttributeKey[ValueT]
    value: ValueT | None


@dataclass(frozen=True)
class TypedSearchAttributes:
    """Search attributes of one run: at most one value for each key."""

    search_attributes: Sequence[SearchAttributePair[Any]] = field(default_factory=tuple)

    empty: ClassVar[TypedSearchAttributes]

    def __post_init__(self) -> None:
        names = [pair.key.name for pair in self.search_attributes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"Expected each search attribute once, found {', '.join(twice)} twice")

    def __len__(self) -> int:
        return len(self.search_attributes)

    def __iter__(self) -> Iterator[SearchAttributePair[Any]]:
        return iter(self.search_attributes)

    def __contains__(self, key: object) -> bool:
        return any(pair.key == key for pair in self.search_attributes)

    def __getitem__(self, key: SearchAttributeKey[ValueT]) -> ValueT:
        for pair in self.search_attributes:
            if pair.key == key:
                value: ValueT = pair.value
                return value
        raise KeyError(key)

    @overload
    def get(self, key: SearchAttributeKey[ValueT]) -> ValueT | None: ...

    @overload
    def get(self, key: SearchAttributeKey[ValueT], default: ValueT) -> ValueT: ...

    def get(self, key: SearchAttributeKey[ValueT], default: ValueT | None = None) -> ValueT | None:
        try:
            return self[key]
        except KeyError:
            return default

    def updated(self, *search_attributes: SearchAttributePair[Any]) -> TypedSearchAttributes:
        """A copy in which these pairs replace or join the others."""
        changed = {pair.key.name: pair for pair in search_attributes}
        kept = [pair for pair in self.search_attributes if pair.key.name not in changed]
        return TypedSearchAttributes((*kept, *changed.values()))


TypedSearchAttributes.empty = TypedSearchAttributes()
