"""Charges a customer each period until the subscription is cancelled. Its state is its local variables.

A history would grow with every period, so now and then the run continues as a new one, which takes the state along.
"""

from __future__ import annotations

from asyncio import CancelledError
from dataclasses import dataclass, replace
from datetime import timedelta

from examples.subscription.activities import Charge, charge, say_goodbye
from streamflow import workflow
from streamflow.exceptions import ActivityError, is_cancelled_exception
from streamflow.workflow import ActivityConfig

ATTEMPT: ActivityConfig = {"start_to_close_timeout": timedelta(seconds=10)}


@dataclass(frozen=True)
class Plan:
    """What was subscribed to, and how far it has come."""

    customer: str
    cents: int
    period: timedelta = timedelta(days=30)
    periods_per_run: int = 12
    paid: int = 0


@workflow.defn
class Subscription:
    @workflow.init
    def __init__(self, plan: Plan) -> None:
        self._paid = plan.paid

    @workflow.run
    async def run(self, plan: Plan) -> None:
        """Ends only by cancellation, which may come at any moment."""
        try:
            for _ in range(plan.periods_per_run):
                bill = Charge(plan.customer, self._paid + 1, plan.cents)
                await workflow.execute_activity(charge, bill, **ATTEMPT)
                self._paid += 1
                await workflow.sleep(plan.period)
        except (CancelledError, ActivityError) as end:
            if is_cancelled_exception(end):
                # Cancellation strikes once; what comes after it may take its time.
                farewell = [plan.customer, self._paid]
                await workflow.execute_activity(say_goodbye, args=farewell, **ATTEMPT)
            raise
        workflow.continue_as_new(replace(plan, paid=self._paid))

    @workflow.query
    def paid(self) -> int:
        """How many periods have been paid for."""
        return self._paid
