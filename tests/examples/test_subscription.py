"""Months of charges until somebody cancels."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from examples.subscription.activities import charges, farewells
from examples.subscription.app import app
from examples.subscription.workflows import Plan, Subscription
from streamflow.client import WorkflowFailureError
from streamflow.exceptions import CancelledError
from tests.examples.stage import Stage, until

pytestmark = pytest.mark.asyncio
MONTH = timedelta(days=30)


async def test_each_period_is_charged_once_until_it_is_cancelled(stage: Stage) -> None:
    """Over several runs of the workflow the periods go on counting; cancelling says goodbye and charges no more."""
    customer = f"customer-{uuid4()}"
    period = MONTH if stage.skips_time else timedelta(milliseconds=200)
    plan = Plan(customer, 999, period=period, periods_per_run=3)
    async with stage.worker(app):
        first = await stage.client.start_workflow(
            Subscription.run, plan, id=f"subscription-{uuid4()}", task_queue=app.queue
        )
        chain = stage.client.get_workflow_handle_for(Subscription.run, first.id)

        await stage.environment.sleep(period * 7)
        paid = await until(lambda: chain.query(Subscription.paid), lambda paid: paid >= 7)
        assert (await chain.describe()).run_id != first.result_run_id
        await chain.cancel()
        with pytest.raises(WorkflowFailureError) as ended:
            await chain.result()

        paid = await chain.query(Subscription.paid)
    assert isinstance(ended.value.cause, CancelledError)
    assert farewells[customer] == paid
    periods = [number for who, number in charges if who == customer]
    assert periods[:paid] == list(range(1, paid + 1))
