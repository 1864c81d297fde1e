"""A network that breaks at commits: outcomes that nobody knows are settled from the log, and every order ends as it must."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamflow.testing.kafka import KafkaBroker
from tests.faults.conftest import ORDERS, Deploy
from tests.integration.kafka.proxy import END_TXN, Fate, Proxy

pytestmark = [pytest.mark.kafka, pytest.mark.own_broker, pytest.mark.timeout(240)]

CUT_EACH = 5
"""About so many requests to end a transaction pass between two that do not: one never arrives, or loses its answer."""
CUTS_MIN = 5
SHARES = 20


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    with (
        Proxy() as proxy,
        KafkaBroker(directory=tmp_path / "kafka", proxied_at=proxy.address) as broker,
    ):
        proxy.upstream = broker.behind_proxy
        yield proxy


def test_orders_end_when_the_network_breaks_at_commits(
    proxy: Proxy, deploy: Deploy, fault_seed: int
) -> None:
    """Nothing is lost, doubled or out of order, whichever side of the cut a commit fell on."""
    chance = random.Random(fault_seed)
    left = CUT_EACH

    def fate_of(api_key: int) -> Fate:
        nonlocal left
        left -= api_key == END_TXN
        if left > 0:
            return Fate.PASSES
        left = chance.randint(CUT_EACH // 2, CUT_EACH)
        return chance.choice((Fate.IS_LOST, Fate.LOSES_ITS_ANSWER))

    deployment = deploy(proxy.address)
    nodes = [deployment.processor("p").start(), deployment.worker("w").start()]
    deployment.drive(deployment.order(1))
    deployment.see_at_work(nodes)
    proxy.fate_of = fate_of

    for _ in range(SHARES):
        deployment.drive(deployment.order(max(1, ORDERS // SHARES)))
        deployment.history.follow(0.5)
    proxy.fate_of = lambda _: Fate.PASSES

    deployment.finish()
    assert proxy.cuts >= CUTS_MIN
