"""The life of an order. It survives restarts, and waits for days as easily as for a minute."""

from __future__ import annotations

from datetime import timedelta

from examples.food_delivery.activities import (
    charge_customer,
    refund_order,
    send_push_notification,
)
from examples.food_delivery.orders import Order, State, Status
from streamflow import workflow
from streamflow.exceptions import ActivityError, FailureError
from streamflow.workflow import ActivityConfig

# Attempts are made until one succeeds or says that another would not help.
ATTEMPT: ActivityConfig = {"start_to_close_timeout": timedelta(seconds=10)}


@workflow.defn(name="Order")
class OrderWorkflow:
    """Charge, have it picked up, have it delivered, ask how it was; refund when nobody comes in time."""

    def __init__(self) -> None:
        self._status = Status(State.CHARGING)
        self._picked_up = False
        self._delivered = False

    @workflow.run
    async def run(self, order: Order) -> Status:
        await self._charge(order)
        self._status = Status(State.PAID)
        try:
            await workflow.wait_condition(
                lambda: self._picked_up, timeout=order.limits.pick_up, timeout_summary="pick-up"
            )
        except TimeoutError:
            return await self._refund(order, "Nobody could pick up your order")
        self._status = Status(State.PICKED_UP)
        try:
            await workflow.wait_condition(
                lambda: self._delivered, timeout=order.limits.delivery, timeout_summary="delivery"
            )
        except TimeoutError:
            return await self._refund(order, "Your order was not delivered in time")
        self._status = Status(State.DELIVERED, delivered_at=workflow.now())
        await workflow.sleep(order.limits.rating, summary="time to eat")
        await self._notify(f"Rate your meal: how was the {order.dish}?")
        return self._status

    @workflow.signal
    def picked_up(self) -> None:
        """The driver has the bag."""
        self._picked_up = True

    @workflow.signal
    def delivered(self) -> None:
        """The customer has the bag."""
        self._delivered = True

    @workflow.query
    def status(self) -> Status:
        return self._status

    async def _charge(self, order: Order) -> None:
        try:
            await workflow.execute_activity(charge_customer, order, **ATTEMPT)
        except ActivityError as failed:
            declined = failed.cause if isinstance(failed.cause, FailureError) else failed
            self._status = Status(State.FAILED, error=declined.message)
            raise

    async def _refund(self, order: Order, reason: str) -> Status:
        self._status = Status(State.REFUNDING, error=reason)
        await workflow.execute_activity(refund_order, order, **ATTEMPT)
        self._status = Status(State.REFUNDED, error=reason)
        await self._notify(f"{reason}. We have given you your money back.")
        return self._status

    async def _notify(self, message: str) -> None:
        await workflow.execute_activity(send_push_notification, message, **ATTEMPT)
