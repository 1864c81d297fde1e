"""From decoded JSON to single values: numbers, texts, times, ids, enums. What is not one is refused in one wording."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeGuard, cast
from uuid import UUID

import msgspec

Convert = Callable[[Any], Any]
Compile = Callable[[Any], Convert]
"""Gives the conversion for a hint."""


class _Unhandled:
    def __repr__(self) -> str:
        return "Unhandled"


Unhandled: object = _Unhandled()
"""A custom converter's answer for a hint that it leaves to others."""


def refuse(hint: Any, value: Any, error: Exception | None = None) -> Any:
    shown = repr(value)
    shown = shown if len(shown) <= 100 else f"{shown[:100]}..."
    name = getattr(hint, "__qualname__", None) if isinstance(hint, type) else None
    raise TypeError(
        f"Expected value to be {name or repr(hint)}, was {type(value)}: {shown}"
        + (f" ({error})" if error else "")
    ) from error


def as_is(value: Any) -> Any:
    return value


def exactly_none(value: Any) -> Any:
    return None if value is None else refuse(None, value)


def unless_instance(cls: type[Any], convert: Convert) -> Convert:
    return lambda value: value if isinstance(value, cls) else convert(value)


def _scalar(cls: type[Any], accept: Callable[[Any], Any]) -> Convert:
    """``accept`` returns the value, raises ValueError, or returns ``Unhandled`` for a wrong type."""

    def convert(value: Any) -> Any:
        if isinstance(value, cls):
            return value
        try:
            typed = accept(value)
        except (ValueError, ArithmeticError, TypeError) as error:
            return refuse(cls, value, error)
        return refuse(cls, value) if typed is Unhandled else typed

    return convert


def _int(value: Any) -> Any:
    """A fraction is cut off, as the model does; not-a-number and infinity are refused by `int` itself."""
    return int(value) if isinstance(value, float) else Unhandled


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else Unhandled


def _bytes(value: Any) -> Any:
    if isinstance(value, list):  # numbers, as other programs of this library's kind write them
        return bytes(cast("list[int]", value))
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else Unhandled
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _from_text(parse: Callable[[str], Any]) -> Convert:
    return lambda value: parse(value) if isinstance(value, str) else Unhandled


def _decimal(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, str | int | float) else Unhandled


def _duration(value: Any) -> Any:
    if isinstance(value, int | float):
        return timedelta(seconds=value)
    return msgspec.convert(value, timedelta)


SCALARS: dict[Any, Convert] = {
    bool: _scalar(bool, lambda _: Unhandled),
    int: _scalar(int, _int),
    float: _scalar(float, _float),
    str: _scalar(str, lambda _: Unhandled),
    bytes: _scalar(bytes, _bytes),
    bytearray: _scalar(bytearray, lambda value: bytearray(SCALARS[bytes](value))),
    UUID: _scalar(UUID, _from_text(UUID)),
    datetime: _scalar(datetime, _from_text(datetime.fromisoformat)),
    date: _scalar(date, _from_text(date.fromisoformat)),
    time: _scalar(time, _from_text(time.fromisoformat)),
    timedelta: _scalar(timedelta, _duration),
    Decimal: _scalar(Decimal, _decimal),
}


def enum_member(cls: type[Enum], value: Any) -> Any:
    try:
        return cls(_hashable(value))
    except ValueError as error:
        return refuse(cls, value, error)


def _hashable(value: Any) -> Any:
    """JSON has no tuples; as an enum's value an array can only have been one."""
    return tuple(value) if is_list(value) else value


def subclass(cls: type[Any], value: Any) -> Any:
    base = next(base for base in (str, int, float) if issubclass(cls, base))
    return cls(SCALARS[base](value))


def is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)
