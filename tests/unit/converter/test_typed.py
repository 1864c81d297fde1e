"""From decoded JSON to what a type hint wants."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
    Union,
)
from uuid import UUID

import msgspec
import pytest

from streamflow.converter import DefaultPayloadConverter, value_to_type

T = TypeVar("T")
UserId = NewType("UserId", str)


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: int
    y: int = 0


class Address(TypedDict):
    city: str
    zip: NotRequired[int]


class Struct(msgspec.Struct):
    when: date


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)


@dataclass
class Box(Generic[T]):
    content: list[T]


@dataclass
class Cat:
    meow: int


@dataclass
class Dog:
    bark: int


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (Any, {"a": 1}, {"a": 1}),
        (int, 3, 3),
        (int, 3.0, 3),
        (int, 3.5, 3),
        (float, 3, 3.0),
        (bool, True, True),
        (str, "a", "a"),
        (bytes, "AP8=", b"\x00\xff"),
        (UUID, "00000000-0000-0000-0000-000000000007", UUID(int=7)),
        (datetime, "2030-01-02T00:00:00Z", datetime(2030, 1, 2, tzinfo=UTC)),
        (date, "2030-01-02", date(2030, 1, 2)),
        (timedelta, "PT90S", timedelta(seconds=90)),
        (timedelta, 1.5, timedelta(seconds=1.5)),
        (Decimal, "1.10", Decimal("1.10")),
        (Colour, "red", Colour.RED),
        (Level, 1, Level.LOW),
        (UserId, "ann", "ann"),
        (Annotated[int, "years"], 3, 3),
        (Literal["a", 1], 1, 1),
        (Optional[int], None, None),  # noqa: UP045
        (int | None, 3, 3),
        (Union[Cat, Dog], {"bark": 1}, Dog(1)),  # noqa: UP007
        (float | int, 1, 1),
        (list[UUID], ["00000000-0000-0000-0000-000000000007"], [UUID(int=7)]),
        (Sequence[int], [1], [1]),
        (set[int], [1, 1], {1}),
        (frozenset[int], [1], frozenset({1})),
        (deque[int], [1], deque([1])),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[int, ...], [1, 2], (1, 2)),
        (dict[str, Cat], {"a": {"meow": 1}}, {"a": Cat(1)}),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (dict[Colour, int], {"red": 1}, {Colour.RED: 1}),
        (dict[UUID, int], {"00000000-0000-0000-0000-000000000007": 1}, {UUID(int=7): 1}),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
        (dict[None, str], {"null": "a"}, {"null": "a"}),
        (Counter[str], {"a": 2}, Counter(a=2)),
        (Point, [1, 2], Point(1, 2)),
        (Point, {"x": 1}, Point(1)),
        (Address, {"city": "Ulm", "zip": 1.0}, {"city": "Ulm", "zip": 1}),
        (Address, {"village": "Ulm"}, {"village": "Ulm"}),
        (Struct, {"when": "2030-01-02"}, Struct(date(2030, 1, 2))),
        (Tree, {"name": "a", "children": [{"name": "b"}]}, Tree("a", [Tree("b")])),
        (Box[Cat], {"content": [{"meow": 1}]}, Box([Cat(1)])),
        (list[Box[int]], [{"content": [1.0]}], [Box([1])]),
    ],
)
def test_a_hint_gets_its_type(hint: Any, value: Any, expected: Any) -> None:
    """Decoded JSON becomes the value that the hint describes, of exactly its type."""
    typed = value_to_type(hint, value)

    assert typed == expected
    assert type(typed) is type(expected)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, "3"),
        (str, 3),
        (bool, 1),
        (bytes, "not base64!"),
        (UUID, "x"),
        (datetime, "yesterday"),
        (Colour, "blue"),
        (Literal["a"], "b"),
        (int | None, "x"),
        (list[int], ["x"]),
        (list[int], "abc"),
        (tuple[int, int], [1]),
        (dict[str, int], [1]),
        (Cat, {}),
        (Cat, [1]),
        (int, float("nan")),
        (None.__class__, 1),
    ],
)
def test_a_misfit_is_refused_with_expected_and_found(hint: Any, value: Any) -> None:
    """A value that does not fit is never passed on in another type."""
    with pytest.raises(TypeError):
        value_to_type(hint, value)


def test_the_refusal_names_the_field() -> None:
    """One sees from the message which field of which class was wrong."""
    with pytest.raises(
        TypeError, match=r"Cat.meow: Expected value to be int, was <class 'str'>: 'x'"
    ):
        value_to_type(list[Cat], [{"meow": "x"}])


def test_the_order_of_a_union_decides() -> None:
    """Two unions that are equal as sets still try their members in their own order."""
    assert value_to_type(Union[UUID, str], str(UUID(int=7))) == UUID(int=7)  # noqa: UP007
    assert value_to_type(Union[str, UUID], str(UUID(int=7))) == str(UUID(int=7))  # noqa: UP007


@pytest.mark.parametrize(
    "value",
    [
        UUID(int=7),
        datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        date(2030, 1, 2),
        timedelta(days=1, microseconds=5),
        Decimal("1.10"),
        Colour.RED,
        Level.LOW,
        Point(1, 2),
        Tree("a", [Tree("b")]),
        Struct(date(2030, 1, 2)),
        bytearray(b"ab"),
    ],
)
def test_rich_values_survive_a_payload(value: Any) -> None:
    """What is encoded without being asked comes back when the hint asks for it."""
    converter = DefaultPayloadConverter()

    assert converter.from_payload(converter.to_payload(value), type(value)) == value
