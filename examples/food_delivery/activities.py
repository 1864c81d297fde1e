"""What an order does to the world: money on a card, messages on a phone. Both pretended, in memory and in the log.

Each may run more than once (a worker can die after the card was charged and before anyone knew), so each says whom it is
for: the workflow ID is the idempotency key, and the card service does nothing for a key that it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from examples.food_delivery.orders import Order
from streamflow import activity
from streamflow.exceptions import ApplicationError, ApplicationErrorCategory

DECLINED_CARD = "0002"
"""The pretended bank says no to this card."""


@dataclass
class CardService:
    """Stands for a payment provider: it keeps what it was asked to do, by idempotency key."""

    charges: dict[str, int] = field(default_factory=dict)
    refunds: dict[str, int] = field(default_factory=dict)

    def charge(self, key: str, card: str, cents: int) -> None:
        if card == DECLINED_CARD:
            raise ApplicationError(
                f"The card ending in {card} was declined",
                type="CardDeclined",
                non_retryable=True,
                # It happens every day: nobody needs a stack trace in the log.
                category=ApplicationErrorCategory.BENIGN,
            )
        self.charges.setdefault(key, cents)

    def refund(self, key: str, cents: int) -> None:
        self.refunds.setdefault(key, cents)


cards = CardService()
phones: dict[str, list[str]] = {}
"""What customers read on their phones, by order."""


@activity.defn
async def charge_customer(order: Order) -> None:
    """Takes the price from the card, once.

    Raises:
        ApplicationError: of type CardDeclined; trying again would not help.
    """
    cards.charge(_order_id(), order.card, order.price_cents)
    activity.logger.info("Charged %d cents for %s", order.price_cents, order.dish)


@activity.defn
async def refund_order(order: Order) -> None:
    """Gives the price back, once."""
    cards.refund(_order_id(), order.price_cents)
    activity.logger.info("Refunded %d cents for %s", order.price_cents, order.dish)


@activity.defn
async def send_push_notification(message: str) -> None:
    """Shows a message on the customer's phone, once."""
    shown = phones.setdefault(_order_id(), [])
    if message not in shown:
        shown.append(message)
    activity.logger.info("Notified: %s", message)


def _order_id() -> str:
    order_id = activity.info().workflow_id
    assert order_id is not None, "only workflows run these activities"
    return order_id
