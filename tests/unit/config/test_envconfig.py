"""Settings from profiles and the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from streamflow.envconfig import ClientConfig, ClientConfigProfile, ClientConfigTLS, ConfigError
from streamflow.service import TLSConfig

FILE = b"""
[profile.default]
address = "localhost:9092"

[profile.shop]
address = "kafka:9093"
namespace = "shop"
create_topics = true

[profile.shop.tls]
server_ca_cert_data = "CA"
client_cert_data = "CERT"
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
    assert load() == {"target_host": "localhost:9092"}


def test_a_profile_becomes_the_keywords_of_connect() -> None:
    """TLS turns into librdkafka's options, and those given as such stand beside it."""
    assert load("shop") == {
        "target_host": "kafka:9093",
        "namespace": "shop",
        "create_topics": True,
        "tls": TLSConfig(server_root_ca_cert=b"CA", client_cert=b"CERT", client_private_key=b"PEM"),
        "config": {"sasl.mechanism": "PLAIN"},
    }
    profile = ClientConfigProfile.load("shop", config_source=FILE, override_env_vars={})
    assert profile.kafka_options() == {
        "security.protocol": "ssl",
        "ssl.ca.pem": "CA",
        "ssl.certificate.pem": "CERT",
        "ssl.key.pem": "PEM",
        "sasl.mechanism": "PLAIN",
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
    assert nothing == {}

    with pytest.raises(ConfigError, match="found none"):
        ClientConfig.load_client_connect_config(config_file=tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("profile", "file", "reason"),
    [
        ("moon", FILE, "found default, shop"),
        (None, b"[profile", "expected TOML"),
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

    assert load(file=file) == {}
    with pytest.raises(ConfigError, match="colour"):
        load(file=file, strict=True)


def test_a_profile_says_how_long_its_namespace_keeps_closed_runs() -> None:
    """In days, for workers; nonsense is refused by name."""
    text = b"[profile.default]\nretention_days = 90"
    assert ClientConfigProfile.load(config_source=text).retention == timedelta(days=90)

    with pytest.raises(ConfigError, match=r"profile\.default\.retention_days"):
        ClientConfigProfile.load(config_source=b"[profile.default]\nretention_days = 0")


def test_variables_of_the_model_count_where_ours_are_not_set() -> None:
    """A ported deployment goes on with the environment that it has."""
    assert load(
        file=b"",
        TEMPORAL_ADDRESS="http://gateway:8233",
        TEMPORAL_NAMESPACE="theirs",
        STREAMFLOW_NAMESPACE="ours",
        TEMPORAL_API_KEY="key",
        TEMPORAL_TLS="true",
        TEMPORAL_TLS_SERVER_NAME="gateway",
        TEMPORAL_TLS_SERVER_CA_CERT_DATA="CA",
        TEMPORAL_GRPC_META_SOME_NAME="value",
    ) == {
        "target_host": "http://gateway:8233",
        "namespace": "ours",
        "api_key": "key",
        "tls": TLSConfig(domain="gateway", server_root_ca_cert=b"CA"),
        "rpc_metadata": {"some-name": "value"},
    }


def test_tls_is_on_with_a_key_and_off_when_disabled() -> None:
    """As the model has it."""
    assert load(file=b"[profile.default]\napi_key = 'k'") == {"api_key": "k", "tls": True}
    off = b"[profile.default]\napi_key = 'k'\n[profile.default.tls]\ndisabled = true"
    assert load(file=off) == {"api_key": "k", "tls": False}


def test_an_empty_variable_takes_a_header_away() -> None:
    """Names in files and variables are those of headers."""
    file = b"[profile.default.grpc_meta]\nSome_Name = 'a'\nother = 'b'"

    assert load(file=file, STREAMFLOW_GRPC_META_SOME_NAME="") == {"rpc_metadata": {"other": "b"}}


def test_profiles_survive_being_plain_values(tmp_path: Path) -> None:
    """`to_dict` and `from_dict` are each other's inverse."""
    config = ClientConfig(
        {
            "one": ClientConfigProfile(
                address="a:1",
                namespace="n",
                api_key="k",
                tls=ClientConfigTLS(
                    disabled=False, server_name="s", client_cert=tmp_path, client_private_key="KEY"
                ),
                grpc_meta={"x": "y"},
            ),
            "two": ClientConfigProfile(),
        }
    )

    plain = config.to_dict()

    assert plain["one"].get("tls") == {
        "disabled": False,
        "server_name": "s",
        "client_cert": {"path": str(tmp_path)},
        "client_key": {"data": "KEY"},
    }
    assert plain["two"] == {}
    assert ClientConfig.from_dict(plain) == config


def test_text_is_content_and_a_file_is_named_by_its_path(tmp_path: Path) -> None:
    """As the model has it: a source as text is the file itself; ``config_file`` is where it is."""
    text = "[profile.default]\naddress = 'here:1'"
    path = tmp_path / "c.toml"
    path.write_text(text)

    assert ClientConfigProfile.load(config_source=text, override_env_vars={}).address == "here:1"
    assert ClientConfigProfile.load(config_source=path, override_env_vars={}).address == "here:1"
    assert ClientConfig.load_client_connect_config(config_file=str(path), override_env_vars={}) == {
        "target_host": "here:1"
    }
    assert ClientConfig.load(override_env_vars={"TEMPORAL_CONFIG_FILE": str(path)}).profiles[
        "default"
    ] == ClientConfigProfile(address="here:1")
    with pytest.raises(ConfigError, match="both file and environment"):
        ClientConfigProfile.load(disable_file=True, disable_env=True)


def test_a_key_brings_tls_and_texts_are_bytes() -> None:
    """So that programs that look into a profile find what they know."""
    text = "[profile.default]\napi_key = 'k'\n[profile.other.tls]\nclient_cert_data = 'CERT'"

    assert ClientConfigProfile.load(config_source=text).tls == ClientConfigTLS()
    other = ClientConfigProfile.load("other", config_source=text)
    assert other.tls == ClientConfigTLS(client_cert=b"CERT")


def test_without_a_file_there_are_no_profiles() -> None:
    """A program may say that it wants to look at none."""
    assert ClientConfig.load(disable_file=True, override_env_vars={}).profiles == {}
