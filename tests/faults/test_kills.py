"""kill -9 in the middle of orders: every order ends, nothing is lost or doubled, nothing recorded runs again."""

from __future__ import annotations

import pytest

from tests.faults.conftest import KILLS, ORDERS
from tests.faults.deployment import Deployment

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def test_orders_end_when_the_processor_is_killed_again_and_again(deployment: Deployment) -> None:
    """A processor killed at any moment goes on from the log and its own disk."""
    processor = deployment.processor("p").start()
    deployment.worker("w").start()

    deployment.storm([processor], count=ORDERS, kills=KILLS)

    deployment.finish()


def test_orders_end_when_the_worker_is_killed_again_and_again(deployment: Deployment) -> None:
    """A killed worker's tasks are redelivered, and those whose end is known are not."""
    deployment.processor("p").start()
    worker = deployment.worker("w").start()

    deployment.storm([worker], count=ORDERS, kills=KILLS)

    deployment.finish()


def test_orders_end_when_both_are_killed_and_lose_their_disks(deployment: Deployment) -> None:
    """Nothing was needed that only memory or a local disk knew."""
    processor = deployment.processor("p").start()
    worker = deployment.worker("w").start()

    deployment.storm([processor, worker], count=ORDERS, kills=KILLS, forget=0.5)

    deployment.finish()


def test_orders_end_when_the_process_that_is_both_is_killed(deployment: Deployment) -> None:
    """Processor and worker in one process, as an App runs them."""
    app = deployment.both("app").start()

    deployment.storm([app], count=ORDERS, kills=KILLS, forget=0.2)

    deployment.finish()
