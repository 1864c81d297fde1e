"""The adapter fits the port; the type checker is the judge."""

from __future__ import annotations

from streamflow.kafka import KafkaLog
from streamflow.kafka.options import KafkaOptions
from streamflow.ports import Log


def test_the_log_over_kafka_is_a_log() -> None:
    """Durable, with threads of its own, and built without reaching a broker."""
    log: Log = KafkaLog(KafkaOptions(bootstrap="127.0.0.1:9", extra={"log_level": 0}))

    assert log.durable
    assert log.threaded
    assert log.clock.now_ms() > 1_700_000_000_000
    log.close()
