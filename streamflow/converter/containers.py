"""From decoded JSON to collections, and the choice between the members of a union."""

from __future__ import annotations

import collections
import collections.abc
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, cast

import msgspec

from streamflow.converter.scalars import Compile, Convert, is_list, is_mapping, refuse

_PLAIN_NUMBERS = (bool, int, float)


def union(hint: Any, members: tuple[Any, ...], compile: Compile) -> Convert:
    def convert(value: Any) -> Any:
        if value is None and type(None) in members:
            return None
        if type(value) in _PLAIN_NUMBERS and type(value) in members:
            return value
        for member in members:
            try:
                return compile(member)(value)
            except (TypeError, ValueError):  # trying is how a union is decided
                continue
        return refuse(hint, value)

    return convert


def literal(hint: Any, allowed: tuple[Any, ...]) -> Convert:
    def convert(value: Any) -> Any:
        for item in allowed:
            if isinstance(item, Enum) and item.value == value:
                return item
            if type(item) is type(value) and item == value:
                return item
        return refuse(hint, value)

    return convert


def array(
    hint: Any, build: Callable[[list[Any]], Any], args: tuple[Any, ...], compile: Compile
) -> Convert:
    item = args[0] if args else Any

    def convert(value: Any) -> Any:
        if isinstance(value, str | bytes | Mapping) or not isinstance(
            value, collections.abc.Iterable
        ):
            return refuse(hint, value)
        convert_item = compile(item)
        return build([convert_item(one) for one in cast("list[Any]", value)])

    return convert


def fixed_or_free_tuple(hint: Any, args: tuple[Any, ...], compile: Compile) -> Convert:
    if not args or (len(args) == 2 and args[1] is ...):
        return array(hint, tuple, args[:1], compile)

    def convert(value: Any) -> Any:
        if not is_list(value):
            return refuse(hint, value)
        if len(value) != len(args):
            return refuse(hint, value)
        return tuple(compile(arg)(one) for arg, one in zip(args, value, strict=True))

    return convert


def mapping(
    hint: Any, build: Callable[[dict[Any, Any]], Any], args: tuple[Any, ...], compile: Compile
) -> Convert:
    key_hint, value_hint = args if len(args) == 2 else (Any, int if build is _counter else Any)
    if key_hint is None:  # as `dict[None, str]` has it: no type, so keys stay as they are
        key_hint = Any

    def convert(value: Any) -> Any:
        if not is_mapping(value):
            return refuse(hint, value)
        convert_value = compile(value_hint)
        return build(
            {_key(key_hint, key, compile): convert_value(one) for key, one in value.items()}
        )

    return convert


def _counter(items: dict[Any, Any]) -> collections.Counter[Any]:
    return collections.Counter(items)


def _key(hint: Any, key: Any, compile: Compile) -> Any:
    """JSON keeps every key as text: a key of another type is parsed from it."""
    try:
        return compile(hint)(key)
    except TypeError:
        if not isinstance(key, str):
            raise
        try:
            return compile(hint)(msgspec.json.decode(key))
        except msgspec.DecodeError as error:
            return refuse(hint, key, error)


ARRAYS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.deque: collections.deque,
    set: set,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
    frozenset: frozenset,
}
MAPPINGS: dict[Any, Callable[[dict[Any, Any]], Any]] = {
    dict: dict,
    collections.abc.Mapping: dict,
    collections.abc.MutableMapping: dict,
    collections.OrderedDict: collections.OrderedDict,
    collections.Counter: _counter,
}
