"""Fields of dataclasses stand in the order of their names, as keys of dictionaries do."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.converter import JSONPlainPayloadConverter


@dataclass
class Parcel:
    weight: int
    address: str


def test_fields_of_a_dataclass_are_written_in_the_order_of_their_names() -> None:
    payload = JSONPlainPayloadConverter().to_payload([Parcel(3, "here"), {"z": 1, "a": 2}])
    assert payload is not None
    assert payload.data == b'[{"address":"here","weight":3},{"a":2,"z":1}]'
