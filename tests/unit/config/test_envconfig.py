"""Settings from profiles and the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from streamflow.envconfig import ClientConfig, ClientConfigProfile, ConfigError

FILE = b"""
[profile.default]
address = "localhost:9092"

[profile.shop]
address = "kafka:9093"
namespace = "shop"
create_topics = true

[profile.shop.tls]
server_root_ca_cert_path = "/etc/ca.pem"
client_key_data = "PEM"

[profile.shop.kafka]
"sasl.mechanism" = "PLAIN"
"""


def load(
    profile: str | None = None, file: bytes = FILE, *, strict: bool = False, **environ: str
) -> object:
    return ClientConfig.load_client_connect_config(
        profile,
        config_file=file,
        config_file_strict=strict,
        override_env_vars=environ or {"HOME": "/nowhere"},
    )


def test_the_default_profile_is_taken_when_none_is_named() -> None:
    """Only what is set is passed on."""
    assert load() == {"target_host": "localhost:9092", "namespace": "default"}


def test_a_profile_becomes_the_keywords_of_connect() -> None:
    """TLS turns into librdkafka's options, and those given as such stand beside them."""
    assert load("shop") == {
        "target_host": "kafka:9093",
        "namespace": "shop",
        "create_topics": True,
        "config": {
            "security.protocol": "ssl",
            "ssl.ca.location": "/etc/ca.pem",
            "ssl.key.pem": "PEM",
            "sasl.mechanism": "PLAIN",
        },
    }


def test_the_environment_overrides_the_file() -> None:
    """Address, namespace, profile and secrets come from variables when they are set."""
    assert load(
        STREAMFLOW_PROFILE="default",
        STREAMFLOW_ADDRESS="memory:x",
        STREAMFLOW_NAMESPACE="other",
        STREAMFLOW_KAFKA_SASL_PASSWORD="hush",
    ) == {"target_host": "memory:x", "namespace": "other", "config": {"sasl.password": "hush"}}


def test_a_missing_file_matters_only_if_it_was_named(tmp_path: Path) -> None:
    """Nobody needs a configuration; whoever names one meant it."""
    nothing = ClientConfig.load_client_connect_config(
        override_env_vars={"XDG_CONFIG_HOME": str(tmp_path)}
    )
    assert nothing == {"namespace": "default"}

    with pytest.raises(ConfigError, match="found none"):
        ClientConfig.load_client_connect_config(config_file=tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("profile", "file", "reason"),
    [
        ("moon", FILE, "found default, shop"),
        (None, b"[profile", "Expected TOML"),
        (None, b"profile = 5", r"\[profile.NAME\]"),
        (None, b"[profile.default]\naddress = 5", "profile.default.address to be a str"),
        (
            None,
            b"[profile.default.tls]\nclient_key_data='a'\nclient_key_path='b'",
            "found both",
        ),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(
    profile: str | None, file: bytes, reason: str
) -> None:
    """The message names the profile or the setting."""
    with pytest.raises(ConfigError, match=reason):
        load(profile, file)


def test_unknown_names_are_refused_only_if_asked() -> None:
    """A newer file works with this release, unless one wants to know."""
    file = b"[profile.default]\ncolour = 'red'"

    assert load(file=file) == {"namespace": "default"}
    with pytest.raises(ConfigError, match="colour"):
        load(file=file, strict=True)


def test_a_profile_says_how_long_its_namespace_keeps_closed_runs() -> None:
    """In days, for workers; nonsense is refused by name."""
    text = b"[profile.default]\nretention_days = 90"
    assert ClientConfigProfile.load(config_source=text).retention == timedelta(days=90)

    with pytest.raises(ConfigError, match=r"profile\.default\.retention_days"):
        ClientConfigProfile.load(config_source=b"[profile.default]\nretention_days = 0")
