"""A cart as a workflow: its state is a local variable, it reminds once when it is left, and it forgets itself in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from examples.hello import run
from streamflow import activity, workflow
from streamflow.client import Client, WithStartWorkflowOperation
from streamflow.common import WorkflowIDConflictPolicy
from streamflow.worker import Worker

QUEUE = "carts"
LIMIT = timedelta(seconds=10)


@dataclass
class Cart:
    items: dict[str, int] = field(default_factory=dict)
    mail: str = ""


@activity.defn
async def remind(mail: str) -> None:
    """Sends a mail that the cart is still there."""


@activity.defn
async def charge(cart: Cart) -> str:
    return f"{sum(cart.items.values())} items for {cart.mail}"


@workflow.defn
class ShoppingCart:
    def __init__(self) -> None:
        self.cart = Cart()
        self.changes = 0
        self.paid = False

    @workflow.run
    async def run(self, patience: timedelta) -> str:
        reminded = False
        while not self.paid:
            try:
                await self._something_happens(patience)
            except TimeoutError:
                if reminded:
                    return "abandoned"
                await workflow.execute_activity(
                    remind, self.cart.mail, start_to_close_timeout=LIMIT
                )
                reminded = True
        return await workflow.execute_activity(charge, self.cart, start_to_close_timeout=LIMIT)

    async def _something_happens(self, patience: timedelta) -> None:
        seen = self.changes
        await workflow.wait_condition(lambda: self.paid or self.changes != seen, timeout=patience)

    @workflow.update
    def add(self, item: str, count: int) -> Cart:
        self.cart.items[item] = self.cart.items.get(item, 0) + count
        self.changes += 1
        return self.cart

    @add.validator
    def check_add(self, item: str, count: int) -> None:
        if count < 1:
            raise ValueError(f"Expected at least one {item}, found {count}")

    @workflow.signal
    def set_mail(self, mail: str) -> None:
        self.cart.mail = mail
        self.changes += 1

    @workflow.signal
    def pay(self) -> None:
        self.paid = True

    @workflow.query
    def contents(self) -> Cart:
        return self.cart


async def main(client: Client, patience: timedelta = timedelta(hours=1)) -> str:
    async with Worker(
        client, task_queue=QUEUE, workflows=[ShoppingCart], activities=[remind, charge]
    ):
        for item in ("pizza", "salad", "pizza"):
            # The first thing that is put into a cart makes the cart.
            await client.execute_update_with_start_workflow(
                ShoppingCart.add,
                args=[item, 1],
                start_workflow_operation=WithStartWorkflowOperation(
                    ShoppingCart.run,
                    patience,
                    id="cart-ada",
                    task_queue=QUEUE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                ),
            )
        handle = client.get_workflow_handle_for(ShoppingCart.run, "cart-ada")
        await handle.signal(ShoppingCart.set_mail, "ada@example.com")
        await handle.signal(ShoppingCart.pay)
        return await handle.result()


if __name__ == "__main__":
    run(main)
