"""The workflow of the fault tests: a food order whose every activity leaves a line in a witness file.

What an order must come to follows from its number alone (`expected`), so that a checker needs nobody's word for it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from streamflow import activity, workflow
from streamflow.common import RetryPolicy
from streamflow.exceptions import ActivityError, ApplicationError
from tests.witness import witness

QUICK_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=100))
PICK_UP_LIMIT_MS = 1_000
PATIENCE_MS = 600_000

DECLINED = "declined"
REFUNDED = "refunded"
RATED = "rated"


def expected(number: int) -> str:
    """How order ``number`` must end."""
    if number % 10 == 3:
        return DECLINED
    return REFUNDED if number % 10 == 7 else RATED


def steps(number: int) -> frozenset[str]:
    """The activities that order ``number`` must have run."""
    match expected(number):
        case "declined":
            return frozenset({"charge"})
        case "refunded":
            return frozenset({"charge", "refund", "notify"})
        case _:
            return frozenset({"charge", "notify", "rate"})


def signals(number: int) -> tuple[str, ...]:
    """What the driver says about order ``number``."""
    return ("picked_up", "delivered") if expected(number) == RATED else ()


@workflow.defn(name="Order")
class Order:
    """Charge, wait for the driver twice, tell the customer; refund where no driver comes."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.state = "new"

    @workflow.run
    async def run(self, number: int) -> str:
        try:
            await self._do("charge", number)
        except ActivityError as error:
            raise ApplicationError("No money", type="Declined", non_retryable=True) from error
        limit_ms = PICK_UP_LIMIT_MS if expected(number) == REFUNDED else PATIENCE_MS
        self.state = "paid"
        try:
            await workflow.wait_condition(
                lambda: "picked_up" in self.heard, timeout=timedelta(milliseconds=limit_ms)
            )
        except TimeoutError:
            await asyncio.gather(self._do("refund", number), self._do("notify", number))
            return REFUNDED
        self.state = "picked up"
        await workflow.wait_condition(
            lambda: "delivered" in self.heard, timeout=timedelta(milliseconds=PATIENCE_MS)
        )
        await self._do("notify", number)
        await asyncio.sleep(0.2)
        await self._do("rate", number)
        self.state = "rated"
        return RATED

    async def _do(self, step: str, number: int) -> None:
        await workflow.execute_activity(
            step,
            number,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=QUICK_RETRY,
        )

    @workflow.signal
    def picked_up(self) -> None:
        self.heard.append("picked_up")

    @workflow.signal
    def delivered(self) -> None:
        self.heard.append("delivered")

    @workflow.query
    def status(self) -> str:
        return self.state


# -- activities -------------------------------------------------------------------------------------------------------


@activity.defn(name="charge")
async def charge(number: int) -> str:
    """Declines some cards for good; for some others the bank answers only the third time."""
    attempt = witness("charge")
    await asyncio.sleep(0.01)
    if expected(number) == DECLINED:
        raise ApplicationError("Card declined", type="CardDeclined", non_retryable=True)
    if number % 10 == 5 and attempt < 3:
        raise RuntimeError("The bank does not answer")
    return f"charged {number}"


@activity.defn(name="refund")
def refund(number: int) -> str:
    witness("refund")
    time.sleep(0.02)
    return f"refunded {number}"


@activity.defn(name="notify")
def notify(number: int) -> None:
    witness("notify")


@activity.defn(name="rate")
async def rate(number: int) -> None:
    witness("rate")


ACTIVITIES = [charge, refund, notify, rate]
