"""Pydantic models as values, in and out of workflow code, beside the guards of steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import pydantic
import pytest
from pydantic import BaseModel, Field

from streamflow import activity, workflow
from streamflow.api.common.v1 import Payload
from streamflow.contrib.pydantic import (
    PydanticJSONPlainPayloadConverter,
    PydanticPayloadConverter,
    ToJsonOptions,
    pydantic_data_converter,
)
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

T = TypeVar("T")


class Item(BaseModel):
    name: str
    price: Annotated[Decimal, Field(gt=0)]
    tags: frozenset[str] = frozenset()


class Page(BaseModel, Generic[T]):
    items: list[T]
    following: int | None = None


@dataclasses.dataclass
class Note:
    at: datetime
    by: UUID


class Order(BaseModel):
    id: UUID
    placed: datetime
    due: date
    patience: timedelta
    items: Sequence[Item]
    note: Note | None = None


ORDER = Order(
    id=UUID(int=7),
    placed=datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    due=date(2030, 1, 3),
    patience=timedelta(seconds=1.5),
    items=[Item(name="soup", price=Decimal("3.50"), tags=frozenset({"hot"}))],
    note=Note(datetime(2030, 1, 1, tzinfo=UTC), UUID(int=8)),
)

converter = pydantic_data_converter.payload_converter


def through(value: Any, hint: Any) -> Any:
    return converter.from_payload(converter.to_payload(value), hint)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (ORDER, Order),
        ([ORDER], list[Order]),
        ({"a": ORDER}, dict[str, Order]),
        (Page[Item](items=[ORDER.items[0]]), Page[Item]),
        (ORDER.note, Note),
        (UUID(int=1), UUID),
        (datetime(2030, 1, 1, tzinfo=UTC), datetime),
        (timedelta(days=3), timedelta),
        ({1, 2}, set[int]),
        ((1, "a"), tuple[int, str]),
        (5, Annotated[int, Field(le=5, json_schema_extra={"unhashable": []})]),
    ],
    ids=repr,
)
def test_values_come_back_as_their_hint_says(value: Any, hint: Any) -> None:
    assert through(value, hint) == value


def test_none_and_bytes_keep_their_own_encodings() -> None:
    assert converter.to_payload(None).metadata["encoding"] == b"binary/null"
    assert converter.to_payload(b"raw") == Payload({"encoding": b"binary/plain"}, b"raw")


def test_what_does_not_validate_is_refused() -> None:
    payload = converter.to_payload({"name": "soup", "price": "-1"})

    with pytest.raises(pydantic.ValidationError, match="greater than 0"):
        converter.from_payload(payload, Item)


def test_without_a_hint_json_is_plain() -> None:
    assert through(Item(name="soup", price=Decimal("1.5")), None)["name"] == "soup"


def test_unset_fields_can_be_left_out() -> None:
    json = PydanticJSONPlainPayloadConverter(ToJsonOptions(exclude_unset=True))

    payload = json.to_payload(Item(name="soup", price=Decimal(1)))

    assert payload is not None
    assert payload.data == b'{"name":"soup","price":"1"}'


def test_the_number_of_kept_validators_is_bounded() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        PydanticPayloadConverter(max_cached_type_adapters=-1)
    none_kept = PydanticPayloadConverter(max_cached_type_adapters=0)
    assert none_kept.from_payload(converter.to_payload(3), int) == 3


@activity.defn
async def price(order: Order) -> Page[Item]:
    assert isinstance(order.items[0], Item)
    return Page(items=[*order.items], following=1)


@workflow.defn
class Pricing:
    """Validates and makes models within steps: clocks and UUIDs of values must not trip the guards."""

    def __init__(self) -> None:
        self.seen: list[Order] = []

    @workflow.run
    async def run(self, order: Order) -> Order:
        page = await workflow.execute_activity(
            price, order, start_to_close_timeout=timedelta(seconds=5)
        )
        assert isinstance(page.items[0], Item)
        await workflow.wait_condition(lambda: bool(self.seen))
        made = Order.model_validate(order.model_dump())
        again = Order.model_validate_json(made.model_dump_json())
        return again.model_copy(update={"items": page.items})

    @workflow.signal
    def order_seen(self, order: Order) -> None:
        self.seen.append(order)

    @workflow.query
    def orders(self) -> list[Order]:
        return self.seen


@pytest.mark.asyncio
async def test_models_go_through_a_whole_workflow() -> None:
    """Arguments, activities, signals, queries and results are models, with replay after every step."""
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter
    ) as env:
        worker = Worker(
            env.client,
            task_queue="q",
            workflows=[Pricing],
            activities=[price],
            max_cached_workflows=0,
        )
        async with worker:
            handle = await env.client.start_workflow(Pricing.run, ORDER, id="o", task_queue="q")
            await handle.signal(Pricing.order_seen, ORDER)
            assert await handle.result() == ORDER
            assert await handle.query(Pricing.orders) == [ORDER]
