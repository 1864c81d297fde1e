"""What a subscription does to the world: charges, and a farewell. Pretended, in memory."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow import activity


@dataclass(frozen=True)
class Charge:
    """One period's charge. The customer and the period make it unique, however often it is asked for."""

    customer: str
    period: int
    cents: int


charges: dict[tuple[str, int], int] = {}
farewells: dict[str, int] = {}


@activity.defn
async def charge(what: Charge) -> None:
    charges.setdefault((what.customer, what.period), what.cents)
    activity.logger.info("Charged %s for period %d", what.customer, what.period)


@activity.defn
async def say_goodbye(customer: str, periods: int) -> None:
    farewells[customer] = periods
    activity.logger.info("Goodbye %s, after %d periods", customer, periods)
