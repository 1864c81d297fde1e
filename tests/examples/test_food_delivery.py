"""The order's whole life, on the memory log in no time and on a real Kafka with short waits."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from examples.food_delivery.activities import DECLINED_CARD, cards, phones
from examples.food_delivery.app import QUEUE, app
from examples.food_delivery.orders import MINUTE, Limits, Order, State, Status
from examples.food_delivery.workflows import OrderWorkflow
from streamflow.client import RPCError, WorkflowFailureError, WorkflowHandle
from streamflow.exceptions import ActivityError, ApplicationError
from tests.examples.stage import Stage, until

pytestmark = pytest.mark.asyncio
Handle = WorkflowHandle[OrderWorkflow, Status]


async def place(stage: Stage, *, card: str = "4242", limits: Limits | None = None) -> Handle:
    order = Order("Pad thai", 1150, card, limits or Limits(rating=stage.wait(MINUTE)))
    return await stage.client.start_workflow(
        OrderWorkflow.run, order, id=f"order-{uuid4()}", task_queue=QUEUE
    )


async def reaches(handle: Handle, state: State) -> Status:
    return await until(lambda: handle.query(OrderWorkflow.status), lambda now: now.state is state)


async def test_an_order_is_paid_picked_up_delivered_and_asked_about(stage: Stage) -> None:
    """Every step shows in the query, the driver's signals take it on, and it ends with a request to rate it."""
    async with stage.worker(app):
        order = await place(stage)
        await reaches(order, State.PAID)
        await order.signal(OrderWorkflow.picked_up)
        await reaches(order, State.PICKED_UP)
        await order.signal(OrderWorkflow.delivered)
        shown = await reaches(order, State.DELIVERED)
        assert order.id not in phones

        result = await order.result()

        assert result == shown == await order.query(OrderWorkflow.status)
        assert result.delivered_at is not None
        assert result.error is None
        closed = (await order.describe()).close_time
        assert closed is not None
        assert closed - result.delivered_at >= stage.wait(MINUTE)
    assert cards.charges[order.id] == 1150
    assert order.id not in cards.refunds
    assert phones[order.id] == ["Rate your meal: how was the Pad thai?"]


async def test_a_declined_card_fails_the_order_at_once(stage: Stage) -> None:
    """The bank's no is final: one attempt, no charge, and the order can still be asked what happened."""
    async with stage.worker(app):
        order = await place(stage, card=DECLINED_CARD)

        with pytest.raises(WorkflowFailureError) as failed:
            await order.result()

        status = await order.query(OrderWorkflow.status)
    assert isinstance(failed.value.cause, ActivityError)
    declined = failed.value.cause.cause
    assert isinstance(declined, ApplicationError)
    assert declined.type == "CardDeclined"
    assert declined.non_retryable
    assert status == Status(State.FAILED, error="The card ending in 0002 was declined")
    assert order.id not in cards.charges


async def test_an_order_that_nobody_picks_up_is_refunded(stage: Stage) -> None:
    """After the time for it the money goes back, and the customer reads why."""
    async with stage.worker(app):
        limit = stage.wait(MINUTE)
        order = await place(stage, limits=Limits(pick_up=limit))

        result = await order.result()

        about = await order.describe()
        assert about.close_time is not None
        assert about.close_time - about.start_time >= limit
        assert await order.query(OrderWorkflow.status) == result
    assert result == Status(State.REFUNDED, error="Nobody could pick up your order")
    assert cards.refunds[order.id] == cards.charges[order.id]
    assert phones[order.id] == [
        "Nobody could pick up your order. We have given you your money back."
    ]


async def test_an_order_that_is_not_delivered_is_refunded(stage: Stage) -> None:
    """A driver who never arrives costs the customer nothing."""
    async with stage.worker(app):
        order = await place(stage, limits=Limits(delivery=stage.wait(MINUTE)))
        await order.signal(OrderWorkflow.picked_up)

        result = await order.result()

    assert result == Status(State.REFUNDED, error="Your order was not delivered in time")
    assert cards.refunds[order.id] == 1150


async def test_a_driver_may_be_faster_than_the_bank(stage: Stage) -> None:
    """Signals count whenever they come: an order that was placed by a topic may find them before its payment."""
    async with stage.worker(app):
        order = await place(stage)
        await order.signal(OrderWorkflow.delivered)
        await order.signal(OrderWorkflow.picked_up)

        result = await order.result()

    assert result.state is State.DELIVERED


async def test_an_order_that_is_over_takes_no_more_signals(stage: Stage) -> None:
    """A driver who comes too late is told."""
    async with stage.worker(app):
        order = await place(stage, limits=Limits(pick_up=timedelta(milliseconds=1)))
        await order.result()

        with pytest.raises(RPCError, match="to be open, found it completed"):
            await order.signal(OrderWorkflow.picked_up)
