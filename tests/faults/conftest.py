"""Deployments for fault tests. Every moment of chance comes from one seed, which a failing test prints.

`--seed=N` repeats a run's choices. `STREAMFLOW_FAULT_ORDERS` and `STREAMFLOW_FAULT_KILLS` set how much is asked of
each case (default 200 orders and 20 kills).
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from streamflow.testing.kafka import KafkaBroker
from tests.faults.deployment import Deployment

ORDERS = int(os.environ.get("STREAMFLOW_FAULT_ORDERS", "200"))
KILLS = int(os.environ.get("STREAMFLOW_FAULT_KILLS", "20"))

Deploy = Callable[[str], Deployment]


@pytest.fixture
def fault_seed(pytestconfig: pytest.Config) -> int:
    """Where this test's choices come from; shown with the output of a failed test."""
    asked: int | None = pytestconfig.getoption("--seed")
    seed = random.SystemRandom().randrange(1 << 32) if asked is None else asked
    sys.stdout.write(f"\nfault seed: --seed={seed}\n")
    return seed


@pytest.fixture
def deploy(
    namespace: str, tmp_path: Path, fault_seed: int, request: pytest.FixtureRequest
) -> Iterator[Deploy]:
    """Makes the test's deployment on the broker that it names; its processes' last words are shown when the test fails."""
    failed = request.session.testsfailed
    deployments: list[Deployment] = []

    def make(bootstrap: str) -> Deployment:
        made = stack.enter_context(Deployment(bootstrap, namespace, tmp_path, seed=fault_seed))
        deployments.append(made)
        return made

    with ExitStack() as stack:
        yield make
    if request.session.testsfailed > failed:
        for each in deployments:
            each.tell()


@pytest.fixture
def deployment(deploy: Deploy, kafka_bootstrap: str) -> Deployment:
    return deploy(kafka_bootstrap)


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker that the test may break."""
    with KafkaBroker(directory=tmp_path / "kafka") as broker:
        yield broker
