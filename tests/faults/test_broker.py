"""The broker itself goes away and comes back, in order and as in a crash."""

from __future__ import annotations

import pytest

from streamflow.testing.kafka import KafkaBroker
from tests.faults.conftest import ORDERS, Deploy

pytestmark = [pytest.mark.kafka, pytest.mark.own_broker, pytest.mark.timeout(240)]


def test_orders_end_when_the_broker_is_restarted(own_broker: KafkaBroker, deploy: Deploy) -> None:
    """Nobody has to start a processor or a worker again because of it."""
    deployment = deploy(own_broker.bootstrap)
    processor = deployment.processor("p").start()
    worker = deployment.worker("w").start()
    placed = deployment.order(ORDERS // 2)
    deployment.see_at_work([processor, worker])

    own_broker.restart()
    deployment.drive(placed)
    deployment.drive(deployment.order(ORDERS - len(deployment.numbers)))

    deployment.finish(timeout_s=90)
    assert (processor.starts, worker.starts) == (1, 1)


def test_orders_end_when_the_broker_is_killed(own_broker: KafkaBroker, deploy: Deploy) -> None:
    """What it acknowledged it has after its restart, and so nothing else may be believed."""
    deployment = deploy(own_broker.bootstrap)
    processor = deployment.processor("p").start()
    worker = deployment.worker("w").start()
    placed = deployment.order(ORDERS // 2)
    deployment.see_at_work([processor, worker])

    own_broker.kill()
    own_broker.start()
    deployment.drive(placed)
    deployment.drive(deployment.order(ORDERS - len(deployment.numbers)))

    deployment.finish(timeout_s=90)
    assert (processor.starts, worker.starts) == (1, 1)
