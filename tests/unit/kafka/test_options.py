"""Settings of clients: tunable defaults, the user's options, and what nobody may change."""

from __future__ import annotations

import pytest

from streamflow.kafka.options import KafkaOptions, redacted


def test_options_of_librdkafka_reach_every_client_untouched() -> None:
    """Security is the same for all of them."""
    options = KafkaOptions.parse("b:1", {"security.protocol": "SSL", "ssl.ca.location": "/ca"})

    for settings in (
        options.admin(),
        options.transactional("t"),
        options.producing(),
        options.member("g", "i"),
        options.reading(),
        options.tailing(),
    ):
        assert settings["security.protocol"] == "SSL"
        assert settings["ssl.ca.location"] == "/ca"
        assert settings["bootstrap.servers"] == "b:1"


def test_defaults_give_way_to_the_users_options() -> None:
    """What only tunes can be tuned."""
    options = KafkaOptions.parse("b:1", {"linger.ms": 5, "compression.type": "zstd"})

    assert options.transactional("t")["linger.ms"] == 5
    assert options.transactional("t")["compression.type"] == "zstd"


def test_our_own_options_go_by_name() -> None:
    """And reach no client as they are."""
    options = KafkaOptions.parse("b:1", {"ring_size": 2, "transaction_timeout_ms": 15_000})

    assert options.ring_size == 2
    assert options.extra == {}
    assert options.transactional("t")["transaction.timeout.ms"] == 15_000
    assert options.transactional("t")["socket.timeout.ms"] == 15_000


@pytest.mark.parametrize("name", ["isolation.level", "enable.auto.commit", "transactional.id"])
def test_an_option_that_breaks_a_guarantee_is_refused(name: str) -> None:
    """With its name."""
    with pytest.raises(ValueError, match=name):
        KafkaOptions.parse("b:1", {name: "x"})


@pytest.mark.parametrize("name", ["log_level", "log.connection.close"])
def test_what_hides_a_broken_connection_is_refused(name: str) -> None:
    """A commit is put in doubt by the library's log alone; the message says how to hear less of it."""
    with pytest.raises(ValueError, match=rf"{name}\. .*level of the logger streamflow\.kafka"):
        KafkaOptions.parse("b:1", {name: "3"})


def test_who_judges_by_broken_connections_hears_of_them() -> None:
    """Whatever the options were, which a host may also give us unparsed."""
    options = KafkaOptions(bootstrap="b:1", extra={"log_level": 0, "log.connection.close": False})

    for settings in (options.transactional("t"), options.member("g", "i")):
        assert (settings["log_level"], settings["log.connection.close"]) == (6, True)


def test_a_member_is_static_and_guesses_no_position() -> None:
    """Read-committed, no offsets of its own accord, cooperative, with a session of 6 s."""
    member = KafkaOptions.parse("b:1", {}).member("g", "pod-1")

    assert {
        name: member[name]
        for name in (
            "group.instance.id",
            "group.protocol",
            "partition.assignment.strategy",
            "session.timeout.ms",
            "auto.offset.reset",
            "isolation.level",
            "enable.auto.commit",
            "enable.auto.offset.store",
        )
    } == {
        "group.instance.id": "pod-1",
        "group.protocol": "classic",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 6_000,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
    }


def test_secrets_are_never_shown() -> None:
    """Neither passwords nor keys nor callables, in repr or elsewhere."""
    secrets = {
        "sasl.password": "s3cret",
        "ssl.key.password": "s3cret",
        "ssl.key.pem": "s3cret",
        "sasl.oauthbearer.client.secret": "s3cret",
        "sasl.oauthbearer.config": "s3cret",
        "oauth_cb": lambda _: ("s3cret", 0.0),
    }

    assert set(redacted(secrets).values()) == {"***"}
    assert "s3cret" not in repr(KafkaOptions.parse("b:1", {**secrets, "sasl.username": "me"}))
    assert "me" in repr(KafkaOptions.parse("b:1", {"sasl.username": "me"}))
