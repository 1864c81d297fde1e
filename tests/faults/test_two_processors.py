"""Two processors of one queue: killed, paused past the session, or mistaken for each other by name."""

from __future__ import annotations

import signal

import pytest

from tests.faults.conftest import KILLS, ORDERS
from tests.faults.deployment import Deployment

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

SESSION_S = 6.0


def test_orders_end_when_one_of_two_processors_is_killed(deployment: Deployment) -> None:
    """Whichever is killed comes back to its partitions; one that stays away is replaced."""
    first = deployment.processor("p1").start()
    second = deployment.processor("p2").start()
    deployment.worker("w").start()

    deployment.storm([first, second], count=ORDERS, kills=KILLS, one_of_them=True)
    deployment.drive(deployment.order(20))
    second.kill()

    deployment.finish()


def test_a_processor_paused_past_its_session_is_fenced_and_rejoins(deployment: Deployment) -> None:
    """While it sleeps another finishes its orders; awake again, it changes nothing and joins anew."""
    first = deployment.processor("p1").start()
    deployment.processor("p2").start()
    deployment.worker("w").start()
    deployment.own("p1")
    deployment.own("p2")
    placed = deployment.order(ORDERS // 2)
    deployment.history.follow(deployment.random.uniform(0.1, 0.6))

    first.send(signal.SIGSTOP)
    deployment.drive(placed)
    deployment.outsider.flush()
    deployment.history.follow_until_closed(len(deployment.numbers), timeout_s=60)
    first.send(signal.SIGCONT)

    deployment.own("p1")
    deployment.finish()


def test_a_namesake_on_the_same_machine_is_refused(deployment: Deployment) -> None:
    """The second is told who holds the name, and the first does not notice."""
    first = deployment.processor("p").start()
    deployment.worker("w").start()
    deployment.own("p")

    second = deployment.processor("p").start()
    code = second.wait()

    assert code != 0
    assert f"held by process {first.pid}" in second.said()
    deployment.drive(deployment.order(20))
    deployment.finish()


def test_of_two_namesakes_on_two_machines_one_ends_and_says_why(deployment: Deployment) -> None:
    """The newcomer takes the place, as a pod's replacement does; the one it fenced out ends itself."""
    first = deployment.processor("p").start()
    deployment.worker("w").start()
    placed = deployment.order(ORDERS // 2)
    deployment.see_at_work([first])

    deployment.processor("p", machine="-elsewhere").start()
    code = first.wait()

    assert code != 0
    assert "Fenced" in first.said()
    assert "name" in first.tail(3)
    deployment.drive(placed)
    deployment.finish()
