"""A type of one's own crosses between workflows and activities in an encoding of one's own."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from examples.hello import run
from streamflow import activity, workflow
from streamflow.api.common.v1 import Payload
from streamflow.client import Client
from streamflow.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
)
from streamflow.worker import Worker

QUEUE = "money"


@dataclass(frozen=True)
class Money:
    cents: int
    currency: str


class MoneyConverter(EncodingPayloadConverter):
    """Money as text: ``12.50 EUR``."""

    @property
    def encoding(self) -> str:
        return "text/money"

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, Money):
            return None
        text = f"{value.cents // 100}.{value.cents % 100:02} {value.currency}"
        return Payload(metadata={"encoding": self.encoding.encode()}, data=text.encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        amount, currency = payload.data.decode().split()
        return Money(int(amount.replace(".", "")), currency)


class MoneyPayloadConverter(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(
            MoneyConverter(), *DefaultPayloadConverter.default_encoding_payload_converters
        )


money_data_converter = dataclasses.replace(
    DataConverter.default, payload_converter_class=MoneyPayloadConverter
)


@activity.defn
async def add_tip(money: Money) -> Money:
    return Money(money.cents * 110 // 100, money.currency)


@workflow.defn
class Paying:
    @workflow.run
    async def run(self, money: Money) -> Money:
        return await workflow.execute_activity(
            add_tip, money, start_to_close_timeout=timedelta(seconds=10)
        )


async def main(plain: Client) -> Money:
    config = plain.config()
    config["data_converter"] = money_data_converter
    client = Client(**config)
    async with Worker(client, task_queue=QUEUE, workflows=[Paying], activities=[add_tip]):
        return await client.execute_workflow(
            Paying.run, Money(1250, "EUR"), id="paying", task_queue=QUEUE
        )


if __name__ == "__main__":
    run(main)
