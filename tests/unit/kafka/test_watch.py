"""What of a client's own log puts a commit in doubt."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError
from structlog.testing import capture_logs

from streamflow.kafka.errors import Call, Verdict, judge
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


def test_the_same_words_are_said_once_in_a_while_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Brokers that are away would fill the log; each of them is told of nevertheless, and each trouble counts."""
    watch = ClientWatch("test")

    def say(broker: str, after_ms: int) -> None:
        text = f"{broker}: Disconnected (after {after_ms}ms in state UP)"
        watch.log(40, "%s [%s] %s", "FAIL", "client", text)

    with capture_logs() as said:
        for after_ms in range(3):
            say("b:1/1", after_ms)
        say("b:2/2", 7)
        monkeypatch.setattr("streamflow.kafka.watch.SAID_AGAIN_AFTER_S", 0.0)
        say("b:1/1", 9)

    assert [(entry["text"][:5], entry.get("repeated")) for entry in said] == [
        ("b:1/1", None),
        ("b:2/2", None),
        ("b:1/1", 2),
    ]
    assert watch.troubles == 5


def test_a_missing_grant_that_ends_a_client_is_heard_in_its_log() -> None:
    """The exception that says so may be lost."""
    watch, other = ClientWatch("producer"), ClientWatch("producer")
    said = "Fatal error: Broker: Cluster authorization failed: Failed to acquire idempotence PID from broker"

    other.log(40, "", "FATAL", "rdkafka#producer-1", "Fatal error: Broker: Unknown producer")
    watch.log(40, "", "FATAL", "rdkafka#producer-2", said)

    assert other.fatal_said is None
    assert watch.fatal_said is not None
    assert watch.fatal_said.code() == KafkaError.CLUSTER_AUTHORIZATION_FAILED
    assert watch.fatal_said.fatal()
    assert "idempotence PID" in watch.fatal_said.str()


def test_being_fenced_is_heard_in_the_log_too() -> None:
    watch = ClientWatch("transactor")
    said = "Fatal error: Local: This instance has been fenced by a newer instance: ProduceRequest failed"

    watch.log(40, "", "FATAL", "rdkafka#producer-1", said)

    assert watch.fatal_said is not None
    assert judge(watch.fatal_said, Call.APPEND) is Verdict.FENCED
