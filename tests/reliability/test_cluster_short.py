"""The proof on three brokers for some seconds: the bank and the lists hold under whatever a seed strikes them with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streamflow.testing.kafka_cluster import KafkaCluster
from tests.reliability.cluster.run import Run

pytestmark = [pytest.mark.kafka, pytest.mark.own_broker, pytest.mark.timeout(420)]

SECONDS = 20.0
SEED = 20_261_129
"""Of a change's own test; `make faults` draws others."""


def test_a_bank_and_lists_hold_on_three_brokers_under_faults(
    kafka_cluster: KafkaCluster, namespace: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Nothing is lost, doubled, torn, read before it is committed, or out of order; everything ends."""
    asked: int | None = pytestconfig.getoption("--seed")
    seed = SEED if asked is None else asked
    sys.stdout.write(f"\nfault seed: --seed={seed}\n")

    verdict = Run(kafka_cluster, tmp_path / "proof", namespace, seed=seed)(
        SECONDS, rate=8, processors=2, workers=1, rest=1
    )

    sys.stdout.write(f"{verdict.text()}\n")
    assert verdict.wrong == []
    assert verdict.transfers > 0
    assert verdict.appends > 0
    assert verdict.struck
