"""The brokers and their settings, asked side by side: one that is slow or gone holds nobody up for long."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, Final

from confluent_kafka import KafkaException

from streamflow.kafka.cluster import Cluster
from streamflow.observability import get_logger
from streamflow.ports import BrokerState

_log = get_logger("kafka")

WAIT_S: Final = 5.0


def brokers(cluster: Cluster, answers_min: int | None) -> list[BrokerState]:
    """Raises `Unavailable` if the cluster does not even name its brokers."""
    addresses = cluster.broker_addresses()
    asked = {number: cluster.ask_settings_of(number, WAIT_S) for number in addresses}
    _wait(list(asked.values()), len(asked) if answers_min is None else answers_min)
    return [
        BrokerState(id=number, address=addresses[number], config=_settings(number, answer))
        for number, answer in sorted(asked.items())
    ]


def _wait(answers: list[Future[Any]], answers_min: int) -> None:
    deadline = time.monotonic() + WAIT_S
    open_ones = set(answers)
    while len(answers) - len(open_ones) < answers_min:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not open_ones:
            return
        _, open_ones = wait(open_ones, left_s, FIRST_COMPLETED)


def _settings(number: int, answer: Future[Any]) -> dict[str, str] | None:
    if not answer.done():
        return None
    try:
        entries = answer.result()
    except KafkaException as error:
        # Most often this client may not ask for them.
        _log.info("broker_settings_unknown", broker=number, reason=str(error))
        return None
    return {name: entry.value for name, entry in entries.items() if entry.value is not None}
