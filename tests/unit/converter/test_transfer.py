"""Classes that are stored as something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import pytest

from streamflow import workflow
from streamflow.converter import (
    DataConverter,
    DefaultPayloadConverter,
    PayloadConverter,
    SerializationContext,
    TransferTypeConverter,
    WithSerializationContext,
    WorkflowSerializationContext,
    transfer_type_convertible,
)
from streamflow.model.payload import Payload
from tests.unit.updates.stage import QUEUE, assert_replays, both_ways, worker

pytestmark = pytest.mark.asyncio
T = TypeVar("T")


@dataclass
class Stored:
    """Two numbers as one text."""

    text: str


class PointConverter(TransferTypeConverter["Point", Stored]):
    transfer_type = Stored

    def to_transfer_type(self, value: Point) -> Stored:
        return Stored(f"{value.x}/{value.y}")

    def from_transfer_type(self, value: Stored, type_hint: type[Point]) -> Point:
        return type_hint(*map(int, value.text.split("/")))


@transfer_type_convertible(PointConverter)
class Point:
    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y


class Further(Point):
    """Has the converter of its base."""


class BoxConverter(TransferTypeConverter["Box[Any]", Any]):
    def to_transfer_type(self, value: Box[Any]) -> Any:
        return value.inside

    def from_transfer_type(self, value: Any, type_hint: Any) -> Box[Any]:
        return Box(type_hint.__args__[0](value))


@transfer_type_convertible(BoxConverter)
class Box(Generic[T]):
    def __init__(self, inside: T) -> None:
        self.inside = inside


class Plain(PayloadConverter, WithSerializationContext):
    """Shares nothing with the converters that are there but what it calls."""

    def __init__(self, whose: str = "nobody") -> None:
        self.whose = whose

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return DefaultPayloadConverter().to_payloads(values)

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[Any] | None = None
    ) -> list[Any]:
        return DefaultPayloadConverter().from_payloads(payloads, type_hints)

    def with_context(self, context: SerializationContext) -> Self:
        assert isinstance(context, WorkflowSerializationContext)
        return type(self)(context.workflow_id)


@workflow.defn
class Mirror:
    @workflow.run
    async def run(self, point: Point) -> Point:
        return Point(point.y, point.x)


CONVERTERS = pytest.mark.parametrize(
    "converter",
    [DataConverter.default, DataConverter(payload_converter_class=Plain)],
    ids=["ours", "theirs"],
)


@CONVERTERS
async def test_a_value_is_stored_as_its_transfer_type(converter: DataConverter) -> None:
    """Other values, and hints for others, are left as they are."""
    payloads = await converter.encode([Point(1, 2), 3, Further(4, 5)])

    assert payloads[0].data == b'{"text":"1/2"}'
    (
        point,
        number,
        further,
    ) = await converter.decode(payloads, [Point, int, Further])
    assert (type(point), point.x, point.y) == (Point, 1, 2)
    assert number == 3
    assert (type(further), further.x) == (Further, 4)
    assert await converter.decode(payloads[:1]) == [{"text": "1/2"}]
    assert (await converter.decode(payloads, [Point]))[1:] == [3, {"text": "4/5"}]


@CONVERTERS
async def test_a_hint_brings_its_arguments(converter: DataConverter) -> None:
    """So that a generic class is made of the right parts."""
    [box] = await converter.decode(await converter.encode([Box("17")]), [Box[int]])

    assert box.inside == 17


async def test_a_class_has_one_converter() -> None:
    with pytest.raises(TypeError, match="already has"):
        transfer_type_convertible(PointConverter)(Further)


async def test_a_context_reaches_the_inner_converter() -> None:
    """And a converter that cares for none is not asked."""
    converter = DataConverter(payload_converter_class=Plain)
    assert converter.takes_context

    made: Any = converter.with_context(WorkflowSerializationContext("default", "w"))

    assert made.payload_converter.inner.whose == "w"


@both_ways
async def test_workflows_take_and_return_such_values(cached: int) -> None:
    async with worker([Mirror], cached=cached) as client:
        handle = await client.start_workflow(Mirror.run, Point(1, 2), id="w", task_queue=QUEUE)

        mirrored = await handle.result()

        assert (mirrored.x, mirrored.y) == (2, 1)
        await assert_replays(handle, Mirror)
