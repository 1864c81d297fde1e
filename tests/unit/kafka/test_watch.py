"""What of a client's own log puts a commit in doubt."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from streamflow.kafka.watch import ClientWatch


@pytest.mark.parametrize(
    ("facility", "text"),
    [
        ("REQTMOUT", "b:1/1: Timed out EndTxnRequest in flight (after 10000ms, timeout #0)"),
        ("FAIL", "b:1/1: Disconnected (after 120ms in state UP)"),
        ("FAIL", "b:1/1: Receive failed: Connection reset by peer (after 9ms in state UP)"),
    ],
)
def test_a_broken_connection_or_a_late_answer_is_trouble(facility: str, text: str) -> None:
    """A request may have been on its way."""
    watch = ClientWatch("test")

    watch.log(40, "%s [%s] %s", facility, "client", text)

    assert watch.troubles == 1


@pytest.mark.parametrize(
    ("facility", "text"),
    [
        ("FAIL", "b:1/2: Connect to b:1 failed: Connection refused (after 0ms in state CONNECT)"),
        ("CONFWARN", "Configuration property fetch.min.bytes is a consumer property"),
        ("TXNERR", "Fatal transaction error"),
    ],
)
def test_a_connection_that_never_was_is_none(facility: str, text: str) -> None:
    """Else every commit would be in doubt for as long as any broker is down."""
    watch = ClientWatch("test")

    watch.log(40, "%s [%s] %s", facility, "client", text)

    assert watch.troubles == 0


def test_the_first_fatal_error_is_kept() -> None:
    """What follows are its echoes."""
    watch = ClientWatch("test")
    first = KafkaError(KafkaError.FENCED_INSTANCE_ID, "first", True)

    watch.on_error(KafkaError(KafkaError._TRANSPORT, "passing"))
    watch.on_error(first)
    watch.on_error(KafkaError(KafkaError._FATAL, "echo"))

    assert watch.fatal is first
