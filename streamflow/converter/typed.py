"""From decoded JSON to what a type hint wants. Each hint is compiled once into a function and kept.

    value_to_type(list[Order], [{"id": 1}])  ->  [Order(id=1)]

A mismatch is a TypeError that names expected and found. The order of a union's members decides between them, except
that a number of exactly one member's type is that member's.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from enum import Enum
from typing import Any, Literal, NewType, TypeVar, Union, cast, get_args, get_origin

import msgspec

from streamflow.converter.containers import (
    ARRAYS,
    MAPPINGS,
    array,
    fixed_or_free_tuple,
    literal,
    mapping,
    union,
)
from streamflow.converter.fields import DataclassFields, NamedTupleFields, TypedDictFields, struct
from streamflow.converter.scalars import (
    SCALARS,
    Compile,
    Convert,
    Unhandled,
    as_is,
    enum_member,
    exactly_none,
    refuse,
    subclass,
    unless_instance,
)

_COMPILED_MAX = 4_096
_TRANSPARENT: tuple[Any, ...] = (
    typing.Annotated,
    typing.Final,
    typing.ClassVar,
    typing.Required,
    typing.NotRequired,
)


class TypeConverter(typing.Protocol):
    """What a custom converter must have; `JSONTypeConverter` is its class for users."""

    def to_typed_value(self, hint: Any, value: Any) -> Any: ...


def value_to_type(hint: Any, value: Any, custom_converters: Sequence[TypeConverter] = ()) -> Any:
    """The value as ``hint`` wants it, for a value decoded from JSON.

    Raises:
        TypeError: the value does not fit; the message says what was expected and found.
    """
    if hint is None or (not custom_converters and (hint is Any or hint is type(value))):
        return value
    return _compiler(tuple(custom_converters))(hint)(value)


class _Compiler:
    """Compiles hints, for one tuple of custom converters.

    Hints are remembered by identity: equal unions may differ in order, and order has a meaning here.
    """

    def __init__(self, custom: tuple[TypeConverter, ...]) -> None:
        self._custom = custom
        self._compiled: dict[int, tuple[Any, Convert]] = {}

    def __call__(self, hint: Any) -> Convert:
        known = self._compiled.get(id(hint))
        if known is not None:
            return known[1]
        convert = _compile(hint, self)
        if self._custom:
            convert = self._custom_first(hint, convert)
        if len(self._compiled) >= _COMPILED_MAX:
            self._compiled.clear()
        self._compiled[id(hint)] = (hint, convert)
        return convert

    def _custom_first(self, hint: Any, otherwise: Convert) -> Convert:
        def convert(value: Any) -> Any:
            for converter in self._custom:
                typed = converter.to_typed_value(hint, value)
                if typed is not Unhandled:
                    return typed
            return otherwise(value)

        return convert


_plain_compiler = _Compiler(())
_custom_compilers: dict[tuple[TypeConverter, ...], _Compiler] = {}


def _compiler(custom: tuple[TypeConverter, ...]) -> _Compiler:
    if not custom:
        return _plain_compiler
    compiler = _custom_compilers.get(custom)
    if compiler is None:
        compiler = _custom_compilers[custom] = _Compiler(custom)
    return compiler


# -- compiling ----------------------------------------------------------------------------------------------------


def _compile(hint: Any, compile: Compile) -> Convert:
    if hint is Any or hint is object or isinstance(hint, TypeVar):
        return as_is
    if isinstance(hint, NewType):
        return compile(hint.__supertype__)
    origin, args = get_origin(hint), get_args(hint)
    if origin in _TRANSPARENT:
        return compile(args[0])
    if origin is Union or origin is types.UnionType:
        return union(hint, args, compile)
    if origin is Literal:
        return literal(hint, args)
    wanted: Any = origin or hint
    if wanted is None or wanted is type(None):
        return exactly_none
    if isinstance(wanted, str | typing.ForwardRef):
        raise TypeError(
            f"Expected a resolved type hint, found the name {hint!r}; import it at run time"
        )
    if wanted in SCALARS:
        return SCALARS[wanted]
    if wanted in ARRAYS:
        return array(hint, ARRAYS[wanted], args, compile)
    if wanted is tuple:
        return fixed_or_free_tuple(hint, args, compile)
    if wanted in MAPPINGS:
        return mapping(hint, MAPPINGS[wanted], args, compile)
    if isinstance(wanted, type):
        return _class(hint, cast("type[Any]", wanted), args, compile)
    raise TypeError(f"Expected a type hint that JSON can be converted to, found {hint!r}")


def _class(hint: Any, cls: type[Any], args: tuple[Any, ...], compile: Compile) -> Convert:
    # Pydantic 2 and 1, without importing either.
    for name in ("model_validate", "parse_obj"):
        validate = getattr(hint, name, None)
        if callable(validate):
            return unless_instance(cls, cast("Convert", validate))
    if issubclass(cls, Enum):
        return unless_instance(cls, lambda value: enum_member(cls, value))
    if issubclass(cls, msgspec.Struct):
        return lambda value: struct(hint, value, compile)
    if dataclasses.is_dataclass(cls):
        return unless_instance(cls, DataclassFields(cls, args, compile))
    if dict in cls.__mro__ and hasattr(cls, "__required_keys__"):  # a TypedDict, of any library
        return TypedDictFields(cls, compile)
    if tuple in cls.__mro__ and hasattr(cls, "_fields"):
        return unless_instance(cls, NamedTupleFields(cls, compile))
    if issubclass(cls, str | int | float):
        return unless_instance(cls, lambda value: subclass(cls, value))
    return unless_instance(cls, lambda value: refuse(hint, value))
