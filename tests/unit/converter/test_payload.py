"""Values to payloads and back."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.common import RawValue
from streamflow.converter import (
    CompositePayloadConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    JSONTypeConverter,
)
from streamflow.model.payload import Payload

converter = DefaultPayloadConverter()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    """Whatever JSON can hold survives a payload without any hint."""
    assert converter.from_payload(converter.to_payload(value)) == value


@given(json_values)
def test_other_json_readers_read_our_payloads(value: Any) -> None:
    """A json/plain payload is JSON, in its shortest form and with sorted keys."""
    payload = converter.to_payload(value)

    if value is not None:
        assert payload.metadata == {"encoding": b"json/plain"}
        assert json.loads(payload.data) == value


def test_json_is_compact_and_sorted() -> None:
    """Equal values have equal bytes, whatever the order in which they were built."""
    assert converter.to_payload({"b": [1, 2], "a": "x"}).data == b'{"a":"x","b":[1,2]}'


def test_none_and_bytes_have_their_own_encodings() -> None:
    """``None`` is no bytes and bytes are themselves."""
    assert converter.to_payload(None) == Payload({"encoding": b"binary/null"}, b"")
    assert converter.to_payload(b"\x00\xff") == Payload({"encoding": b"binary/plain"}, b"\x00\xff")
    assert converter.from_payload(converter.to_payload(b"\x00\xff")) == b"\x00\xff"


@dataclass
class Preset:
    """Of a kind that has a well-known one of itself."""

    share: float | None = None
    default: ClassVar[Preset]


Preset.default = Preset()


def test_what_belongs_to_the_class_is_no_part_of_its_objects() -> None:
    """It may even be one of them, which is then looked into by nobody."""
    assert converter.to_payload(Preset()).data == b'{"share":null}'
    assert converter.to_payload([Preset(math.inf)]).data == b'[{"share":Infinity}]'


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": (1, -math.inf)}])
def test_what_is_no_number_is_not_lost(value: Any) -> None:
    """Not-a-number and infinities come back as such, though strict JSON has no words for them."""
    assert repr(converter.from_payload(converter.to_payload(value))) == repr(
        json.loads(json.dumps(value))
    )


def test_lone_surrogates_survive() -> None:
    """A text that UTF-8 cannot hold is escaped."""
    assert converter.from_payload(converter.to_payload("\ud800")) == "\ud800"


@dataclass
class Line:
    sku: str
    count: int


@dataclass
class Order:
    id: UUID
    at: datetime
    lines: list[Line]


def test_dataclasses_come_back_by_hint() -> None:
    """A nested dataclass with rich fields survives when the hint names it."""
    order = Order(UUID(int=7), datetime(2030, 1, 2, tzinfo=UTC), [Line("a", 2)])

    payload = converter.to_payload(order)

    assert converter.from_payload(payload, Order) == order


def test_a_raw_value_passes_through_both_ways() -> None:
    """A payload that the sender encoded himself is neither read nor changed."""
    payload = Payload({"encoding": b"of-my-own"}, b"\x01")

    assert converter.to_payload(RawValue(payload)) is payload
    assert converter.from_payload(payload, RawValue) == RawValue(payload)


def test_an_unknown_encoding_is_named() -> None:
    """A payload that nobody here can read says what it is."""
    with pytest.raises(KeyError, match="of-my-own"):
        converter.from_payload(Payload({"encoding": b"of-my-own"}, b""))


def test_a_value_that_json_cannot_hold_is_named() -> None:
    """The error for an unsupported argument shows its type."""
    with pytest.raises(TypeError, match="object"):
        converter.to_payload([object()])


class _UpperCase(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        return f"<{type(o).__name__}>"


class _Point:
    def __init__(self, x: int) -> None:
        self.x = x


class _PointConverter(JSONTypeConverter):
    def to_typed_value(self, hint: Any, value: Any) -> Any:
        return _Point(value) if hint is _Point else JSONTypeConverter.Unhandled


def test_an_encoder_of_ones_own_sees_every_value() -> None:
    """With a custom encoder class, values that the default knows are the custom one's business."""
    own = JSONPlainPayloadConverter(encoder=_UpperCase)

    payload = own.to_payload({"when": datetime(2030, 1, 1, tzinfo=UTC)})

    assert payload is not None
    assert payload.data == b'{"when":"<datetime>"}'


def test_a_type_converter_reaches_nested_hints() -> None:
    """A custom type inside a list is made by the custom converter."""
    own = CompositePayloadConverter(
        JSONPlainPayloadConverter(custom_type_converters=[_PointConverter()])
    )

    points = own.from_payload(Payload({"encoding": b"json/plain"}, b"[1,2]"), list[_Point])

    assert [point.x for point in points] == [1, 2]


class _Model:
    """Speaks like a Pydantic model."""

    def __init__(self, name: str) -> None:
        self.name = name

    def model_dump(self, *, mode: str) -> dict[str, str]:
        assert mode == "json"
        return {"name": self.name}

    @classmethod
    def model_validate(cls, value: Any) -> _Model:
        return cls(value["name"])


def test_pydantic_models_are_known_by_how_they_speak() -> None:
    """A model is dumped and validated by its own methods, without an import of Pydantic."""
    payload = converter.to_payload([_Model("ann")])

    assert payload.data == b'[{"name":"ann"}]'
    assert converter.from_payload(payload, list[_Model])[0].name == "ann"


def test_missing_hints_leave_values_as_decoded() -> None:
    """Fewer hints than payloads is legal: the rest is plain data."""
    payloads = converter.to_payloads([1, {"a": 1}])

    assert converter.from_payloads(payloads, [float]) == [1.0, {"a": 1}]
