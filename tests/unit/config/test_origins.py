"""Where settings come from, and that no secret is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamflow.cli.shared.exits import ExitCode, run
from streamflow.envconfig.origins import MASK, masked, profile_in_use, settings_of

FILE = """
[profile.default]
address = "localhost:9092"

[profile.shop]
address = "https://ada:pw@kafka:9093"
namespace = "shop"
api_key = "abc"
retention_days = 90

[profile.shop.tls]
server_ca_cert_path = "/etc/ca.pem"
client_key_data = "PEM"

[profile.shop.kafka]
"sasl.mechanism" = "PLAIN"
"""


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "streamflow.toml"
    file.write_text(FILE)
    return {"STREAMFLOW_CONFIG_FILE": str(file)}


def test_each_setting_has_its_variable_or_its_table(variables: dict[str, str]) -> None:
    """The environment beats the file, under either prefix; what nobody sets is not there."""
    variables |= {
        "STREAMFLOW_PROFILE": "shop",
        "TEMPORAL_NAMESPACE": "other",
        "STREAMFLOW_KAFKA_SASL_PASSWORD": "hush",
    }
    table = f"{variables['STREAMFLOW_CONFIG_FILE']} [profile.shop]"

    found = {setting.name: setting for setting in settings_of(variables=variables)}

    assert {name: setting.origin for name, setting in found.items()} == {
        "address": table,
        "namespace": "TEMPORAL_NAMESPACE",
        "api_key": table,
        "retention_days": table,
        "tls.server_ca_cert.path": table,
        "tls.client_key.data": table,
        "kafka.sasl.mechanism": table,
        "kafka.sasl.password": "STREAMFLOW_KAFKA_SASL_PASSWORD",
    }
    assert found["namespace"].value == "other"
    assert found["retention_days"].value == 90
    assert profile_in_use(variables=variables).origin == "STREAMFLOW_PROFILE"
    assert profile_in_use("shop", variables).origin == "--profile"


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "tls.client_key.data",
        "kafka.sasl.password",
        "kafka.ssl.key.password",
        "kafka.ssl.key.pem",
        "kafka.ssl.keystore.password",
        "kafka.sasl.oauthbearer.client.secret",
        "kafka.sasl.oauthbearer.config",
        "grpc_meta.authorization",
        "grpc_meta.x-api-key",
    ],
)
def test_secrets_are_masked(name: str) -> None:
    """By what they are called."""
    assert masked(name, "hush") == MASK


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kafka.ssl.key.location", "/etc/key.pem"),
        ("tls.client_key.path", "/etc/key.pem"),
        ("kafka.sasl.username", "ada"),
        ("kafka.sasl.oauthbearer.token.endpoint.url", MASK),
        ("kafka.linger.ms", 5),
    ],
)
def test_what_is_no_secret_is_shown(name: str, value: object) -> None:
    """Places of keys are none; in doubt it is masked."""
    assert masked(name, value) == value


def test_the_command_shows_profiles_and_origins(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing secret leaves it, not even the login within an address."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("STREAMFLOW_PROFILE", raising=False)

    assert run(["config", "show", "--origin", "--profile", "shop", "-o", "json"]) == ExitCode.OK
    printed = capsys.readouterr().out
    rows = {row["setting"]: row for row in json.loads(printed)}
    assert rows["address"]["value"] == f"https://{MASK}@kafka:9093"
    assert rows["profile"]["origin"] == "--profile"
    assert "PEM" not in printed.replace("/etc/ca.pem", "")
    assert "abc" not in printed
    assert run(["config", "list", "-o", "jsonl"]) == ExitCode.OK
    profiles = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["profile"], one["used"]) for one in profiles] == [("default", "*"), ("shop", "")]
    assert run(["config", "show", "--profile", "moon"]) == ExitCode.USAGE
