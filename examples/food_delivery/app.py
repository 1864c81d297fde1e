"""What runs together: `streamflow dev examples.food_delivery.app:app`, or `streamflow worker ... --kafka HOST:PORT`."""

from __future__ import annotations

from examples.food_delivery.activities import (
    charge_customer,
    refund_order,
    send_push_notification,
)
from examples.food_delivery.workflows import OrderWorkflow
from streamflow.app import App

QUEUE = "food-delivery"

app = App(
    QUEUE,
    workflows=[OrderWorkflow],
    activities=[charge_customer, refund_order, send_push_notification],
)
