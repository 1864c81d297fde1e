"""Many threads that ask for the topics of a cluster which is away."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from streamflow.kafka import cluster as module
from streamflow.kafka.cluster import Cluster
from streamflow.kafka.options import KafkaOptions
from streamflow.ports import Unavailable

ASKED_FOR_S = 1.0
THREADS = 6


def test_they_wait_for_one_answer_and_not_each_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a processor's turn would last as long as everybody's questions together."""
    monkeypatch.setattr(module, "REQUEST_TIMEOUT_S", ASKED_FOR_S)
    cluster = Cluster(KafkaOptions(bootstrap="127.0.0.1:1"))

    def ask() -> str:
        with pytest.raises(Unavailable) as missed:
            cluster.refresh()
        return str(missed.value)

    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        said = {future.result() for future in [pool.submit(ask) for _ in range(THREADS)]}

    # The first one's answer, and one more for who came while it was being given up.
    assert time.monotonic() - began < ASKED_FOR_S * (THREADS - 1)
    assert len(said) == 1
    with pytest.raises(Unavailable):
        cluster.refresh()
