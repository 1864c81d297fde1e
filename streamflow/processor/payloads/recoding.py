"""Changes every payload of the user's in an event or an intent, however deep, and leaves the rest as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_type_hints

import msgspec

from streamflow.model.payload import Payload

_T = TypeVar("_T")
Recode = Callable[[list[Payload]], list[Payload]]
"""Takes payloads that belong together. Gives the same list where nothing is to be changed."""

PLAIN_FIELDS = frozenset({"search_attributes"})
"""What the engine itself reads stays readable."""


def recode(value: _T, change: Recode, plain: frozenset[str] = PLAIN_FIELDS) -> _T:
    """The same structure with its payloads changed; the very same object if none was."""
    return cast(_T, _recode(value, change, plain))


def _recode(value: object, change: Recode, plain: frozenset[str]) -> object:
    match value:
        case msgspec.Struct():
            return change([value])[0] if type(value) is Payload else _fields(value, change, plain)
        case tuple():
            return _items(cast(tuple[object, ...], value), change, plain)
        case dict():
            return _values(cast(dict[str, object], value), change, plain)
        case _:
            return value


def _fields(value: msgspec.Struct, change: Recode, plain: frozenset[str]) -> msgspec.Struct:
    changed: dict[str, object] = {}
    for name in _carrying(type(value)):
        before = getattr(value, name)
        if not before or name in plain:
            continue
        after = _recode(before, change, plain)
        if after is not before:
            changed[name] = after
    return msgspec.structs.replace(value, **changed) if changed else value


def _items(items: tuple[object, ...], change: Recode, plain: frozenset[str]) -> tuple[object, ...]:
    if items and all(type(item) is Payload for item in items):
        # Together, as clients and activities give them: a codec may make one payload of several.
        before = cast(list[Payload], [*items])
        after = change(before)
        return items if after is before else tuple(after)
    changed = tuple(_recode(item, change, plain) for item in items)
    return items if _same(items, changed) else changed


def _values(
    values: Mapping[str, object], change: Recode, plain: frozenset[str]
) -> Mapping[str, object]:
    changed = {name: _recode(value, change, plain) for name, value in values.items()}
    return values if _same(values.values(), changed.values()) else changed


def _same(before: Any, after: Any) -> bool:
    return all(one is other for one, other in zip(before, after, strict=True))


@cache
def _carrying(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of such a structure that can have a payload in them, by their types.

    Most events have one or none among a dozen, and each event of each step is looked through.
    """
    hints = get_type_hints(kind)
    return tuple(name for name in kind.__struct_fields__ if _can_carry(hints[name]))


def _can_carry(hint: object, within: tuple[object, ...] = ()) -> bool:
    if hint is Payload or hint is Any or hint is object:
        return True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if hint in within:
            return False  # the cause of a cause: the other fields decide
        return any(_can_carry(one, (*within, hint)) for one in get_type_hints(hint).values())
    return any(_can_carry(one, within) for one in get_args(hint))
