"""What customer, driver and workflow say to each other: plain values, JSON on their way.

An order placed from another language is `{"dish": "Pad thai", "price_cents": 1150, "card": "4242"}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Limits:
    """How long an order waits. In JSON a number of seconds."""

    pick_up: timedelta = MINUTE
    """From paid to picked up; then the customer is refunded."""
    delivery: timedelta = MINUTE
    """From picked up to delivered; then the customer is refunded."""
    rating: timedelta = MINUTE
    """From delivered until the customer is asked how it was."""


A_MINUTE_EACH = Limits()


@dataclass(frozen=True)
class Order:
    """What a customer asks for, at the price that was on the menu then."""

    dish: str
    price_cents: int
    card: str
    limits: Limits = A_MINUTE_EACH


class State(StrEnum):
    """Where an order is.

    CHARGING -> PAID -> PICKED_UP -> DELIVERED
       |          '---------'-> REFUNDING -> REFUNDED    nobody picked it up, or brought it, in time
       '-> FAILED                                        the card was declined
    """

    CHARGING = "charging"
    PAID = "paid"
    PICKED_UP = "picked up"
    DELIVERED = "delivered"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    FAILED = "failed"


@dataclass(frozen=True)
class Status:
    """What anyone may ask of an order at any time, also when it is over."""

    state: State
    delivered_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True)
class Dish:
    """A line of the menu."""

    name: str
    about: str
    price_cents: int


MENU = (
    Dish("Margherita", "Tomato, mozzarella, basil, from a very hot oven", 990),
    Dish("Pad thai", "Rice noodles, tamarind, peanuts, lime", 1150),
    Dish("Lentil dal", "Red lentils, ginger, coconut, flatbread", 870),
)
