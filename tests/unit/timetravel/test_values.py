"""Values of user code become bounded text, and none of that code runs."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.timetravel.values import (
    NAME_CHARS_MAX,
    NODES_MAX,
    NODES_OF_ONE_MAX,
    PARTS_MAX,
    PREVIEW_CHARS_MAX,
    TEXT_CHARS_MAX,
    Part,
    Reading,
    Value,
    fields_of,
)

ran: list[str] = []
"""What of the classes below was called."""


def _trap(name: str) -> Any:
    def method(*_args: object, **_options: object) -> NoReturn:
        ran.append(name)
        raise AssertionError(f"{name} ran")

    return method


HOOKS = [
    "__repr__", "__str__", "__format__", "__len__", "__iter__", "__getattribute__", "__getattr__", "__bool__",
    "__getitem__", "__eq__", "__hash__", "__contains__", "__dir__", "__reversed__", "__int__", "__index__", "__float__",
]  # fmt: skip


class Meta(type):
    """Even what a class says of itself is a trap."""

    __getattribute__ = _trap("metaclass")
    __repr__ = _trap("metaclass")
    __instancecheck__ = _trap("metaclass")
    __subclasscheck__ = _trap("metaclass")


def hostile(base: type) -> Any:
    """A class that answers nothing without being noticed."""
    body: dict[str, Any] = {name: _trap(name) for name in HOOKS}
    body["__class__"] = property(_trap("__class__"))
    return type.__new__(Meta, "Hostile", (base,), body)


BASES: list[tuple[type, tuple[Any, ...]]] = [
    (object, ()),
    (dict, ({"a": 1},)),
    (list, ([1, 2],)),
    (tuple, ((1, 2),)),
    (set, ({1},)),
    (frozenset, ({1},)),
    (collections.deque, ([1],)),
    (str, ("text",)),
    (bytes, (b"bytes",)),
    (bytearray, (b"bytes",)),
    (int, (7,)),
    (float, (1.5,)),
    (complex, (1j,)),
    (Exception, ("no",)),
]


@pytest.mark.parametrize(("base", "args"), BASES, ids=[base.__name__ for base, _ in BASES])
def test_no_code_of_a_class_runs(base: type, args: tuple[Any, ...]) -> None:
    """Whatever a class makes of being looked at, nobody looks at it that way."""
    made: Any = base.__new__(hostile(base), *args)
    if base is not object:
        base.__init__(made, *args)  # type: ignore[misc]  # past the traps of its class
    if base not in (object, set, frozenset, collections.deque):
        assert type(made) is not base
    ran.clear()

    read = Reading().variables({"one": made, "within": [made], "keyed": {("key",): made}})

    assert ran == []
    assert [part.name for part in read] == ["one", "within", "keyed"]
    assert read[0].value.type == "Hostile"


class Colour(enum.Enum):
    RED = 1


class Flags(enum.Flag):
    A = 1
    B = 2


@dataclasses.dataclass
class Order:
    item: str
    price: decimal.Decimal


class Slotted:
    __slots__ = ("filled", "unfilled")

    def __init__(self) -> None:
        self.filled = 1


class Told(msgspec.Struct):
    name: str


@pytest.mark.parametrize(
    ("value", "type", "text"),
    [
        (None, "NoneType", "None"),
        (True, "bool", "True"),
        (3, "int", "3"),
        (1.5, "float", "1.5"),
        ("it's", "str", '"it\'s"'),
        ("\u202e\ud800\x00", "str", "'\\u202e\\ud800\\x00'"),
        (b"\xff", "bytes", "b'\\xff'"),
        (Colour.RED, "Colour", "Colour.RED"),
        (Flags.A | Flags.B, "Flags", "Flags.A|B"),
        (dt.timedelta(seconds=90), "timedelta", "0:01:30 (90 s)"),
        (dt.date(2026, 1, 2), "date", "2026-01-02"),
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "datetime", "2026-01-02T00:00:00+00:00"),
        (uuid.UUID(int=1), "UUID", "00000000-0000-0000-0000-000000000001"),
        (decimal.Decimal("1.20"), "Decimal", "Decimal('1.20')"),
        ([], "list", "[]"),
        ({}, "dict", "{}"),
        (set[int](), "set", "set()"),
        ([1, "a"], "list", "[1, 'a']"),
        ({"a": 1, 2: [3]}, "dict", "{'a': 1, 2: [3]}"),
        (Order("pizza", decimal.Decimal(3)), "Order", "Order(item='pizza', price=Decimal('3'))"),
        (Slotted(), "Slotted", "Slotted(filled=1)"),
        (Told("Ada"), "Told", "Told(name='Ada')"),
        (ValueError("no"), "ValueError", "ValueError(args=('no',))"),
        (Order, "type", "class Order"),
        (_trap, "function", "function _trap"),
        (len, "function", "function len"),
        (asyncio, "module", "module asyncio"),
    ],
)
def test_values_read_as_the_code_would_write_them(value: object, type: str, text: str) -> None:
    """With the type's name beside them."""
    read = Reading().value(value)

    assert (read.type, read.text) == (type, text)


def test_long_texts_are_cut_and_still_told_apart() -> None:
    """The number of characters is said; what differs behind the cut is seen as a difference."""
    one = Reading().value("x" * 100_000 + "a")
    other = Reading().value("x" * 100_000 + "b")

    assert one.text.endswith("…' (100,001 characters)")
    assert len(one.text) < TEXT_CHARS_MAX + 50
    assert one != other


def test_huge_numbers_are_not_written_out() -> None:
    """Their digits could take minutes, and Python refuses them."""
    assert Reading().value(1 << 100_000).text == "(a whole number of 100,001 bits)"


def test_what_contains_itself_ends() -> None:
    """A cycle is named where it closes."""
    loop: list[Any] = [1]
    loop.append(loop)

    assert "which this is a part of" in Reading().value(loop).parts[1].value.text


def test_what_is_deep_ends() -> None:
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]

    assert "too deep" in str(Reading().value(deep))


def count(parts: tuple[Part, ...]) -> int:
    return sum(1 + count(part.value.parts) for part in parts)


def test_much_is_bounded_and_one_large_variable_does_not_hide_the_others() -> None:
    """Each has its share, and all together have one."""
    large = [[[number] * 50 for number in range(50)] for _ in range(50)]
    read = Reading().variables({**{f"large{i}": large for i in range(8)}, "small": "here"})

    assert count(read[:1]) <= NODES_OF_ONE_MAX * 2
    assert count(read) <= NODES_MAX * 2
    assert read[1].value.text.startswith("list of 50")
    two = Reading().variables({"large": large, "small": "here"})
    assert two[1].value.text == "'here'"


def test_wide_things_say_how_much_they_leave_out() -> None:
    read = Reading().value({number: number for number in range(1_000)})

    assert len(read.parts) == PARTS_MAX
    assert read.left_out == 1_000 - PARTS_MAX
    assert read.text.startswith("dict of 1,000: {0: 0, ")


def test_names_are_cut_and_printable() -> None:
    """A key may be as long and as odd as any text."""
    read = Reading().value({"k" * 1_000: 1, "\u202e": 2, "\ud800": 3})

    assert all(len(part.name) <= NAME_CHARS_MAX + 10 for part in read.parts)
    assert all(part.name.isprintable() for part in read.parts)


def test_a_class_that_hides_its_fields_is_not_asked_for_them() -> None:
    """Its own ``__dict__`` is code; without another way to them the object is shown without fields."""

    class Sly:
        def __init__(self) -> None:
            self.kept = 1

        @property
        def __dict__(self) -> Any:  # type: ignore[override]  # the trap
            raise AssertionError

    assert fields_of(Sly()) == {}
    assert Reading().value(Sly()).text == "Sly()"


def test_fields_are_read_past_properties_and_getattr() -> None:
    """What is stored counts, not what the class makes of being asked."""

    class Shy:
        stored: int

        def __init__(self) -> None:
            vars(self)["stored"] = 1

        @property
        def computed(self) -> int:
            raise AssertionError

        def __getattr__(self, name: str) -> int:
            raise AssertionError(name)

    assert fields_of(Shy()) == {"stored": 1}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=50,
)


@given(anything)
def test_any_value_is_readable_and_encodable(value: Any) -> None:
    """Whatever it is, what comes of it can be sent to a browser, and says the same each time."""
    read = Reading().value(value)

    def all_of(one: Value) -> list[str]:
        return [
            one.text,
            *(text for part in one.parts for text in (part.name, *all_of(part.value))),
        ]

    for text in all_of(read):
        text.encode()
    assert not read.parts or len(read.text) <= PREVIEW_CHARS_MAX + 60
    assert Reading().value(value) == read
