"""JSON of one's own: encoders and type converters that know a type more, wherever within a value it stands."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Any

import pytest

from streamflow.converter import (
    AdvancedJSONEncoder,
    JSONPlainPayloadConverter,
    JSONTypeConverter,
    JSONTypeConverterUnhandled,
)


class Encoder(AdvancedJSONEncoder):
    def default(self, o: Any) -> Any:
        return str(o) if isinstance(o, IPv4Address) else super().default(o)


class Addresses(JSONTypeConverter):
    def to_typed_value(self, hint: type, value: Any) -> Any | JSONTypeConverterUnhandled | None:
        if inspect.isclass(hint) and issubclass(hint, IPv4Address):
            return hint(value)
        return JSONTypeConverter.Unhandled


@dataclasses.dataclass(frozen=True)
class Host:
    name: str
    address: IPv4Address


@dataclasses.dataclass
class Net:
    hosts: Sequence[Host]
    seen: set[int]
    gateway: IPv4Address | None = None


HOME = IPv4Address("127.0.0.1")
json = JSONPlainPayloadConverter(encoder=Encoder, custom_type_converters=[Addresses()])


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (HOME, IPv4Address),
        ([HOME], list[IPv4Address]),
        ({"a": HOME}, dict[str, IPv4Address]),
        (Host("a", HOME), Host),
        (Net([Host("a", HOME)], {2, 1}, HOME), Net),
        (Net([Host("a", HOME)], set()), Net),
        ({HOME}, set[IPv4Address]),
        ((HOME, 1), tuple[IPv4Address, int]),
    ],
)
def test_a_type_of_ones_own_may_stand_anywhere(value: Any, hint: Any) -> None:
    payload = json.to_payload(value)

    assert payload is not None
    assert json.from_payload(payload, hint) == value


def test_sets_are_written_in_order() -> None:
    payload = json.to_payload({3, 1, 2})

    assert payload is not None
    assert payload.data == b"[1,2,3]"


def test_what_nobody_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="Object of type Addresses is not JSON serializable"):
        json.to_payload(Net([], set(), Addresses()))  # type: ignore[arg-type]  # the point
