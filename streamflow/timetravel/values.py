"""Values of user code as trees of short texts, made without running any of it.

No `repr`, no `str`, no attribute and no length is asked of an object: a class may answer with an exception, for ever, with
megabytes, or by doing something. What is read is what the interpreter itself keeps: the items of built-in containers, and the
fields of objects by the descriptors that C code made for them. Everything is bounded, in depth, in width and in all.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import fractions
import pathlib
import uuid
import zlib
import zoneinfo
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, cast

TEXT_CHARS_MAX = 1_000
"""Of one text or of bytes; a page has many values."""
DIGEST_MAX = 1_000_000
"""Characters or bytes that are compared beyond what is shown."""
DIGITS_BITS_MAX = 1_024
PARTS_MAX = 100
"""Of one container or object."""
DEPTH_MAX = 7
NODES_MAX = 4_000
"""Of one state: all variables and fields together ..."""
NODES_OF_ONE_MAX = 1_000
"""... and of one of them, so that a large one does not hide the others."""
NAME_CHARS_MAX = 80
PREVIEW_CHARS_MAX = 72
"""Of what is made of parts, on one line."""


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of something: a variable, a field, an item of a list, an entry of a mapping."""

    name: str
    value: Value
    change: str = ""
    """``new``, ``changed``, ``inside`` (a part of it has changed) or ``gone``, against the step before."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a value is, on one line, and what it is made of."""

    type: str
    text: str
    parts: tuple[Part, ...] = ()
    left_out: int = 0
    """Parts that are not shown."""
    digest: int = 0
    """Tells long texts apart whose beginnings are alike."""


class Reading:
    """Reads the values of one state, within its bounds."""

    def __init__(self, workflow: object = None) -> None:
        """``workflow`` is shown by its name alone: its fields have a place of their own."""
        self._workflow = workflow
        self._left = NODES_MAX
        self._left_of_one = NODES_OF_ONE_MAX
        self._within: dict[int, None] = {}
        """By identity: what the value being read is a part of."""

    def variables(self, named: Mapping[str, object]) -> tuple[Part, ...]:
        """Variables or fields, in their order; those after `PARTS_MAX` are left out."""
        found: list[Part] = []
        for name, value in islice(named.items(), PARTS_MAX):
            self._left_of_one = NODES_OF_ONE_MAX
            found.append(Part(name_text(name), self.value(value)))
        return tuple(found)

    def value(self, value: object, depth: int = 0) -> Value:
        """One value. Runs no code of its class."""
        kind = type(value)
        name = type_name(kind)
        if value is self._workflow and value is not None:
            return Value(name, "the workflow")
        self._left -= 1
        self._left_of_one -= 1
        if min(self._left, self._left_of_one) < 0:
            return Value(name, f"({name}, not shown: there is too much else)")
        leaf = _leaf(value, kind, name)
        if leaf is not None:
            return leaf
        if id(value) in self._within:
            return Value(name, f"({name}, which this is a part of)")
        if depth >= DEPTH_MAX:
            return Value(name, f"({name}, not shown: too deep)")
        self._within[id(value)] = None
        try:
            return self._made_of_parts(value, kind, name, depth + 1)
        finally:
            del self._within[id(value)]

    def _parts(self, named: Iterable[tuple[object, object]], depth: int) -> tuple[Part, ...]:
        return tuple(
            Part(name_text(name), self.value(value, depth))
            for name, value in islice(named, PARTS_MAX)
        )

    def _made_of_parts(self, value: object, kind: type, name: str, depth: int) -> Value:
        for base, count, items in _CONTAINERS:
            if issubclass(kind, base):
                size = count(value)
                parts = self._parts(items(value), depth)
                return Value(name, _preview(name, base, parts, size), parts, size - len(parts))
        fields = fields_of(value)
        parts = self._parts(fields.items(), depth)
        if issubclass(kind, BaseException):
            args = Part("args", self.value(_args_of.__get__(value), depth))
            parts = (args, *parts)
        text = _preview(name, object, parts, len(fields))
        return Value(name, text, parts, max(0, len(fields) - PARTS_MAX))


def _preview(name: str, base: type, parts: Sequence[Part], size: int) -> str:
    """The beginning of it as the code might write it; what is cut begins with the number of its parts."""
    opening, closing = _BRACKETS.get(base, (f"{name}(", ")"))
    if not parts and base in (set, frozenset):
        return f"{name}()"
    said: list[str] = []
    chars = 0
    for part in parts:
        one = part.value.text
        if base is dict:
            one = f"{part.name}: {one}"
        elif base is object:
            one = f"{part.name}={one}"
        chars += len(one) + 2
        if chars > PREVIEW_CHARS_MAX:
            break
        said.append(one)
    if len(said) == size or (base is object and len(said) == len(parts)):
        closing = ",)" if base is tuple and size == 1 else closing
        return opening + ", ".join(said) + closing
    begun = opening + "".join(f"{one}, " for one in said) + "…" + closing
    return begun if base is object else f"{name} of {size:,}: {begun}"


_BRACKETS: Mapping[type, tuple[str, str]] = {
    dict: ("{", "}"),
    list: ("[", "]"),
    tuple: ("(", ")"),
    deque: ("deque([", "])"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


# -- what has no parts ---------------------------------------------------------------------------------------------


def _leaf(value: Any, kind: type[Any], name: str) -> Value | None:
    if value is None or kind is bool or value is ... or value is NotImplemented:
        return Value(name, repr(value))
    if issubclass(kind, Enum):
        member = fields_of(value)
        said, worth = member.get("_name_"), member.get("_value_")
        if type(said) is str:
            return Value(name, f"{name}.{_cut(said)}")
        return Value(name, f"{name}({worth if type(worth) is int else '?'})")  # flags together
    if issubclass(kind, int):
        return Value(name, _whole(int.__int__(value)))
    if issubclass(kind, float):
        return Value(name, float.__repr__(value))
    if issubclass(kind, complex):
        return Value(name, complex.__repr__(value))
    if issubclass(kind, str):
        return _text(
            name, str.__getitem__(value, slice(DIGEST_MAX)), str.__len__(value), "characters"
        )
    if issubclass(kind, bytes | bytearray):
        base: Any = bytes if issubclass(kind, bytes) else bytearray
        kept = bytes(base.__getitem__(value, slice(DIGEST_MAX)))
        return _text(name, kept, base.__len__(value), "bytes")
    exact = _EXACT.get(kind)
    if exact is not None:
        return Value(name, exact(value))
    if kind in (dt.datetime, dt.time):
        zone: dt.tzinfo | None = value.tzinfo
        if zone is None or type(zone) in (dt.timezone, zoneinfo.ZoneInfo):
            return Value(name, value.isoformat())
        return Value(name, f"{value.replace(tzinfo=None).isoformat()} ({type_name(type(zone))})")
    if issubclass(kind, type):
        return Value("type", f"class {type_name(value)}")
    if kind is FunctionType:
        return Value("function", f"function {_cut(value.__code__.co_qualname)}")
    if kind is MethodType:
        function: Any = value.__func__
        called = function.__code__.co_qualname if type(function) is FunctionType else "method"
        return Value("method", f"method {_cut(called)}")
    if kind is BuiltinFunctionType:
        return Value("function", f"function {_cut(value.__name__)}")
    if kind is ModuleType:
        named = cast("dict[str, object]", vars(value)).get("__name__")
        return Value("module", f"module {_cut(named) if type(named) is str else ''}")
    if issubclass(kind, asyncio.Future):
        return Value(name, f"{name}, {_future_state(value)}")
    if kind in _CODE_OF:
        return Value(name, f"{name} {_cut(_CODE_OF[kind](value).co_qualname)}")
    if _namespace(kind).get("__module__") in _MACHINERY:
        return Value(name, f"({name})")
    return None


_MACHINERY = frozenset({"logging", "threading", "asyncio.locks", "asyncio.queues", "contextvars"})
"""Modules of Python whose objects lead everywhere and say nothing of a run."""
_CODE_OF: Mapping[type, Callable[[Any], CodeType]] = {
    CoroutineType: lambda value: value.cr_code,
    GeneratorType: lambda value: value.gi_code,
    AsyncGeneratorType: lambda value: value.ag_code,
}


def _future_state(value: asyncio.Future[Any]) -> str:
    # Asked of asyncio's own class, which is C code, not of the class that the user derived from it.
    base: Any = asyncio.Future
    if base.cancelled(value):
        return "cancelled"
    return "done" if base.done(value) else "pending"


def _whole(value: int) -> str:
    if value.bit_length() <= DIGITS_BITS_MAX:
        return repr(value)
    return f"(a whole number of {value.bit_length():,} bits)"


def _text(name: str, kept: str | bytes, size: int, unit: str) -> Value:
    text = repr(kept[:TEXT_CHARS_MAX])
    if size <= TEXT_CHARS_MAX:
        return Value(name, text)
    raw = kept if isinstance(kept, bytes) else kept.encode("utf-8", "surrogatepass")
    return Value(name, f"{text[:-1]}…{text[-1]} ({size:,} {unit})", digest=zlib.crc32(raw))


_EXACT: Mapping[type, Callable[[Any], str]] = {
    dt.date: dt.date.isoformat,
    dt.timedelta: lambda value: f"{value} ({value.total_seconds():g} s)",
    uuid.UUID: str,
    decimal.Decimal: lambda value: f"Decimal('{str(value)[:TEXT_CHARS_MAX]}')",
    fractions.Fraction: lambda value: f"{_whole(value.numerator)}/{_whole(value.denominator)}",
    range: repr,
    pathlib.PosixPath: lambda value: repr(str(value)[:TEXT_CHARS_MAX]),
    pathlib.PurePosixPath: lambda value: repr(str(value)[:TEXT_CHARS_MAX]),
    zoneinfo.ZoneInfo: lambda value: repr(str(value.key)[:TEXT_CHARS_MAX]),
}
"""Of these very classes, whose code is Python's own: not of what derives from them."""


# -- what has ------------------------------------------------------------------------------------------------------

_Items = Callable[[Any], Iterator[tuple[object, object]]]
_dict: Any = dict


def _of_length(base: Any) -> Callable[[Any], int]:
    return lambda value: int(base.__len__(value))


def _numbered(base: Any) -> _Items:
    return lambda value: enumerate(cast("Iterator[object]", base.__iter__(value)))


def _unnumbered(base: Any) -> _Items:
    return lambda value: (("", item) for item in base.__iter__(value))


def _entries(value: Any) -> Iterator[tuple[object, object]]:
    return ((key_text(key), one) for key, one in _dict.items(value))


_CONTAINERS: tuple[tuple[type, Callable[[Any], int], _Items], ...] = (
    (dict, _of_length(dict), _entries),
    *((base, _of_length(base), _numbered(base)) for base in (list, tuple, deque)),
    *((base, _of_length(base), _unnumbered(base)) for base in (set, frozenset)),
)


def name_text(name: object) -> str:
    """A variable's or field's name, an index by its number."""
    return _cut(name) if type(name) is str else str(name)


def key_text(key: Any) -> str:
    """A key of a mapping as the code would write it, tuples included."""
    kind = _class_of(key)
    if kind is tuple:
        return _cut("(" + ", ".join(key_text(one) for one in key[:5]) + ")") if key else "()"
    leaf = _leaf(key, kind, type_name(kind))
    return _cut(leaf.text if leaf is not None else f"({type_name(kind)})")


def fields_of(value: object) -> dict[str, object]:
    """The fields that an object has, in its ``__dict__`` or in slots, read past whatever its class makes of them."""
    found: dict[str, object] = {}
    for cls in _bases(type(value)):
        for name, descriptor in _namespace(cls).items():
            if type(descriptor) is MemberDescriptorType and type(name) is str:
                try:
                    slot = descriptor.__get__(value)
                except AttributeError:
                    continue  # a slot that nothing was put into
                if name not in found and not _is_hidden(name):
                    found[name] = slot
    for cls in _bases(type(value)):
        descriptor = _namespace(cls).get("__dict__")
        if type(descriptor) is GetSetDescriptorType:
            fields = descriptor.__get__(value)
            if type(fields) is dict:
                named = cast("dict[object, object]", fields)
                found |= {name: field for name, field in named.items() if type(name) is str}
            break
    return found


def _is_hidden(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


_args_of: Any = BaseException.__dict__["args"]
_mro_of: Any = type.__dict__["__mro__"]
_namespace_of: Any = type.__dict__["__dict__"]
_name_of: Any = type.__dict__["__name__"]


def _bases(cls: type) -> tuple[type, ...]:
    """Not by an attribute of the class, which its metaclass may have made something else of."""
    return cast("tuple[type, ...]", _mro_of.__get__(cls))


def _namespace(cls: type) -> MappingProxyType[str, object]:
    return cast("MappingProxyType[str, object]", _namespace_of.__get__(cls))


def _class_of(value: object) -> type:
    return type(value)


def type_name(cls: type) -> str:
    return _cut(str(_name_of.__get__(cls)))


def _cut(text: str) -> str:
    """A name, with nothing in it that could not be shown or would not end."""
    plain = text[: NAME_CHARS_MAX + 1].encode("utf-8", "backslashreplace").decode()
    plain = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in plain)
    return plain if len(text) <= NAME_CHARS_MAX else plain[:NAME_CHARS_MAX] + "…"
