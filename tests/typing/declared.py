"""What the cases call: activities and workflows of every shape."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow import activity, workflow


@dataclass
class Order:
    id: str


@activity.defn
async def none_async() -> int:
    return 0


@activity.defn
def none_sync() -> int:
    return 0


@activity.defn
async def one_async(order: Order) -> str:
    return order.id


@activity.defn
def one_sync(order: Order) -> str:
    return order.id


@activity.defn
async def two_async(order: Order, count: int) -> list[Order]:
    return [order] * count


@activity.defn
def two_sync(order: Order, count: int) -> list[Order]:
    return [order] * count


@activity.defn
class Callable:
    async def __call__(self, order: Order) -> float:
        return 0.0


class Methods:
    @activity.defn
    async def none_async(self) -> int:
        return 0

    @activity.defn
    async def one_async(self, order: Order) -> str:
        return order.id

    @activity.defn
    def one_sync(self, order: Order) -> str:
        return order.id

    @activity.defn
    def two_sync(self, order: Order, count: int) -> bytes:
        return b""


@workflow.defn
class NoArgument:
    @workflow.run
    async def run(self) -> int:
        return 0


@workflow.defn
class Shop:
    @workflow.run
    async def run(self, order: Order) -> str:
        return order.id

    @workflow.signal
    def pay(self, cents: int) -> None: ...

    @workflow.signal
    async def close(self) -> None: ...

    @workflow.signal
    def move(self, street: str, number: int) -> None: ...

    @workflow.query
    def total(self) -> int:
        return 0

    @workflow.query
    def price(self, order: Order) -> float:
        return 0.0

    @workflow.update
    async def add(self, order: Order) -> int:
        return 0

    @workflow.update
    def rename(self, first: str, last: str) -> str:
        return ""

    @workflow.update
    async def clear(self) -> None: ...

    @add.validator
    def check(self, order: Order) -> None: ...


@workflow.defn
class TwoArguments:
    @workflow.run
    async def run(self, order: Order, count: int) -> list[str]:
        return []
