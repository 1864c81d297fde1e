"""A program that knows nothing of streamflow: JSON records on a topic, by a plain Kafka producer.

All it was told is the topic's name, that the key is the order's ID, and Java's way of choosing partitions.
"""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka import Producer


class Outsider:
    def __init__(self, bootstrap: str, inbox: str) -> None:
        self._inbox = inbox
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                "message.timeout.ms": 120_000,
            }
        )
        self.refused: list[str] = []

    def start(self, order: str, workflow: str, *args: object) -> None:
        self._send(order, {"type": "start", "workflow": workflow, "args": list(args)})

    def signal(self, order: str, signal: str, *args: object) -> None:
        self._send(order, {"type": "signal", "signal": signal, "args": list(args), "run_id": None})

    def flush(self) -> None:
        """Returns when the broker has everything; fails the test where it has not."""
        assert self._producer.flush(120) == 0, "records are still not delivered"
        assert not self.refused, self.refused

    def _send(self, order: str, message: dict[str, Any]) -> None:
        self._producer.produce(
            self._inbox,
            key=order.encode(),
            value=json.dumps(message).encode(),
            headers={"content-type": b"application/json"},
            on_delivery=self._told,
        )
        self._producer.poll(0)

    def _told(self, error: Any, message: Any) -> None:
        if error is not None:
            self.refused.append(f"{message.key()}: {error}")
