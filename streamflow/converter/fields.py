"""From decoded JSON to classes with fields: dataclasses, typed dictionaries, named tuples, msgspec structs."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from streamflow.converter.scalars import Compile, Convert, as_is, is_list, is_mapping, refuse


def _hints_of(cls: type[Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"Expected type hints of {cls.__qualname__} that resolve, found {error}; "
            "define the class and what it names at module level, and import them at run time"
        ) from error


class DataclassFields:
    """Fields are looked up at first use, so that classes may name each other."""

    def __init__(self, cls: type[Any], args: tuple[Any, ...], compile: Compile) -> None:
        self._cls = cls
        self._compile = compile
        parameters: tuple[Any, ...] = getattr(cls, "__parameters__", ())
        self._substitutes: dict[Any, Any] = dict(zip(parameters, args, strict=False))
        self._fields: list[tuple[str, Convert, bool]] | None = None

    def __call__(self, value: Any) -> Any:
        if not is_mapping(value):
            return refuse(self._cls, value)
        if self._fields is None:
            self._fields = self._resolve()
        given: dict[str, Any] = {}
        later: dict[str, Any] = {}
        for name, convert, init in self._fields:
            if name in value:
                try:
                    (given if init else later)[name] = convert(value[name])
                except TypeError as error:
                    raise TypeError(f"{self._cls.__qualname__}.{name}: {error}") from error
        made = self._cls(**given)
        for name, typed in later.items():
            # What the constructor does not take was encoded all the same; the class may be frozen.
            object.__setattr__(made, name, typed)
        return made

    def _resolve(self) -> list[tuple[str, Convert, bool]]:
        hints = _hints_of(self._cls)
        return [
            (item.name, self._compile(_substituted(hints[item.name], self._substitutes)), item.init)
            for item in dataclasses.fields(self._cls)
        ]


def _substituted(hint: Any, substitutes: Mapping[Any, Any]) -> Any:
    """A generic class's field hint, with its type variables replaced by what stands in the brackets."""
    if not substitutes:
        return hint
    if isinstance(hint, TypeVar):
        return substitutes.get(hint, hint)
    parameters: tuple[Any, ...] = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type):
        return hint
    return hint[tuple(substitutes.get(parameter, parameter) for parameter in parameters)]


class TypedDictFields:
    """Keys may be missing and unknown ones be there, as Python itself takes any dictionary for one."""

    def __init__(self, cls: type[Any], compile: Compile) -> None:
        self._cls = cls
        self._compile = compile
        self._fields: dict[str, Convert] | None = None

    def __call__(self, value: Any) -> Any:
        if not is_mapping(value):
            return refuse(self._cls, value)
        if self._fields is None:
            hints = _hints_of(self._cls)
            self._fields = {name: self._compile(hint) for name, hint in hints.items()}
        return {name: self._fields.get(name, as_is)(item) for name, item in value.items()}


class NamedTupleFields:
    """Written as an array; an object with the fields' names is read too."""

    def __init__(self, cls: type[Any], compile: Compile) -> None:
        self._cls = cls
        self._compile = compile

    def __call__(self, value: Any) -> Any:
        hints = _hints_of(self._cls)
        names: tuple[str, ...] = getattr(self._cls, "_fields", ())
        if is_list(value):
            items = dict(zip(names, value, strict=False))
        elif is_mapping(value):
            items = dict(value)
        else:
            return refuse(self._cls, value)
        typed = {
            name: self._compile(hints.get(name, Any))(item)
            for name, item in items.items()
            if name in names
        }
        return self._cls(**typed)


def struct(hint: Any, value: Any, compile: Compile) -> Any:
    try:
        return msgspec.convert(value, hint, dec_hook=lambda inner, item: compile(inner)(item))
    except msgspec.ValidationError as error:
        return refuse(hint, value, error)
