"""Typed values by which workflows are found."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar, get_origin, overload

SearchAttributeValue: TypeAlias = str | int | float | bool | datetime | Sequence[str]
SearchAttributeValues: TypeAlias = list[str] | list[int] | list[float] | list[bool] | list[datetime]
SearchAttributes: TypeAlias = Mapping[str, SearchAttributeValues]
"""The deprecated form without types: a list of values by name, also where there is only one value."""


class SearchAttributeIndexedValueType(IntEnum):
    """What a search attribute holds."""

    TEXT = 1
    KEYWORD = 2
    INT = 3
    DOUBLE = 4
    BOOL = 5
    DATETIME = 6
    KEYWORD_LIST = 7

    @property
    def type_name(self) -> str:
        """As payloads, declarations and people write it, such as ``KeywordList``."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @classmethod
    def named(cls, type_name: str) -> SearchAttributeIndexedValueType:
        """Raises ValueError: no type has this name."""
        for kind in cls:
            if kind.type_name == type_name:
                return kind
        raise ValueError(f"Expected a type of search attributes, found {type_name!r}")


ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class SearchAttributeKey(Generic[ValueT]):
    """Name and type of a search attribute. Made by the ``for_...`` functions."""

    name: str
    indexed_value_type: SearchAttributeIndexedValueType
    value_type: type[Any]
    """Of the value; for a keyword list ``Sequence[str]``, which `isinstance` does not take."""

    @property
    def origin_value_type(self) -> type[Any]:
        """The value's type without type arguments."""
        return get_origin(self.value_type) or self.value_type

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
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.KEYWORD_LIST, Sequence[str])

    @staticmethod
    def _of(name: str, kind: SearchAttributeIndexedValueType) -> SearchAttributeKey[Any]:
        return SearchAttributeKey(name, kind, _VALUE_TYPES[kind])

    @staticmethod
    def _guessed(name: str, values: Sequence[Any]) -> SearchAttributeKey[Any] | None:
        """The key that untyped values look like; ``None`` when there are none, or they fit none."""
        kinds = _KINDS_OF_LISTS if len(values) > 1 else _KINDS_OF_SINGLE
        first: object = values[0] if values else None
        kind = kinds.get(type(first))
        return None if kind is None else SearchAttributeKey._of(name, kind)

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
    SearchAttributeIndexedValueType.KEYWORD_LIST: Sequence[str],
}


_KINDS_OF_SINGLE: dict[type[Any], SearchAttributeIndexedValueType] = {
    str: SearchAttributeIndexedValueType.KEYWORD,
    bool: SearchAttributeIndexedValueType.BOOL,
    int: SearchAttributeIndexedValueType.INT,
    float: SearchAttributeIndexedValueType.DOUBLE,
    datetime: SearchAttributeIndexedValueType.DATETIME,
}
_KINDS_OF_LISTS: dict[type[Any], SearchAttributeIndexedValueType] = {
    str: SearchAttributeIndexedValueType.KEYWORD_LIST
}


class SearchAttributePair(NamedTuple, Generic[ValueT]):
    """A search attribute and its value."""

    key: SearchAttributeKey[ValueT]
    value: ValueT


@dataclass(frozen=True)
class SearchAttributeUpdate(Generic[ValueT]):
    """A change of one search attribute; ``None`` removes it."""

    key: SearchAttributeKey[ValueT]
    value: ValueT | None


@dataclass(frozen=True)
class TypedSearchAttributes(Collection[SearchAttributePair[Any]]):
    """Search attributes of one run, in the order of their names: at most one value for each key."""

    search_attributes: Sequence[SearchAttributePair[Any]] = field(default_factory=tuple)

    empty: ClassVar[TypedSearchAttributes]

    def __post_init__(self) -> None:
        ordered = sorted(self.search_attributes, key=lambda pair: pair.key.name)
        object.__setattr__(self, "search_attributes", ordered)
        names = [pair.key.name for pair in ordered]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"Expected each search attribute once, found duplicate entries for {', '.join(twice)}"
            )

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


def warn_of_untyped(attributes: object, *, stack_level: int = 2) -> None:
    """Warns whoever called the caller's caller that the form without types is deprecated."""
    if attributes and isinstance(attributes, Mapping):
        warnings.warn(
            "Dictionary-based search attributes are deprecated",
            DeprecationWarning,
            stacklevel=1 + stack_level,
        )
