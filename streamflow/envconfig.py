"""Client settings from a file with profiles and from the environment.

    # ~/.config/streamflow/streamflow.toml, or the file that STREAMFLOW_CONFIG_FILE names
    [profile.default]
    address = "kafka:9093"
    namespace = "shop"
    create_topics = false
    retention_days = 90              # of closed runs, for `streamflow worker`; an App's own `retention` beats it

    [profile.default.tls]
    server_root_ca_cert_path = "/etc/kafka/ca.pem"

    [profile.default.kafka]          # any option of librdkafka
    "sasl.mechanism" = "PLAIN"

``STREAMFLOW_PROFILE`` chooses a profile; ``STREAMFLOW_ADDRESS`` and ``STREAMFLOW_NAMESPACE`` override it, and
``STREAMFLOW_KAFKA_SASL_PASSWORD`` sets ``sasl.password`` (so secrets need not be in a file).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypedDict

import msgspec

from streamflow.config import DEFAULT_NAMESPACE, config_home

DEFAULT_PROFILE = "default"
RETENTION_DAYS_MAX = 36_500
_KAFKA_VARIABLE = "STREAMFLOW_KAFKA_"

Source = Path | str | bytes
"""A path, or the text itself as bytes."""


class ConfigError(ValueError):
    """The settings cannot be read; the message says where and what was expected."""


class ClientConnectConfig(TypedDict, total=False):
    """Keywords of `Client.connect`."""

    target_host: str
    namespace: str
    create_topics: bool
    config: Mapping[str, Any]


@dataclass(frozen=True)
class ClientConfigTLS:
    """How the connection to Kafka is secured. Certificates and keys are paths, or their PEM text as bytes."""

    disabled: bool | None = None
    server_name: str | None = None
    server_root_ca_cert: Source | None = None
    client_cert: Source | None = None
    client_private_key: Source | None = None

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], where: str) -> Self:
        return cls(
            disabled=table.get("disabled"),
            server_name=table.get("server_name"),
            server_root_ca_cert=_source(table, "server_root_ca_cert", where),
            client_cert=_source(table, "client_cert", where),
            client_private_key=_source(table, "client_key", where),
        )

    def to_kafka(self) -> dict[str, Any]:
        """The same in librdkafka's options; empty when disabled."""
        if self.disabled:
            return {}
        options: dict[str, Any] = {"security.protocol": "ssl"}
        for name, source in (
            ("ssl.ca", self.server_root_ca_cert),
            ("ssl.certificate", self.client_cert),
            ("ssl.key", self.client_private_key),
        ):
            if isinstance(source, bytes):
                options[f"{name}.pem"] = source.decode()
            elif source is not None:
                options[f"{name}.location"] = str(source)
        return options


@dataclass(frozen=True)
class ClientConfigProfile:
    """One way to connect. ``None`` leaves a setting to its default."""

    address: str | None = None
    namespace: str | None = None
    create_topics: bool | None = None
    retention: timedelta | None = None
    """How long closed runs of the namespace are kept by workers that are not told otherwise."""
    tls: ClientConfigTLS | None = None
    kafka: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def from_dict(
        cls, table: Mapping[str, Any], *, where: str = "profile", strict: bool = False
    ) -> Self:
        """Raises `ConfigError` for a value of another type and, if strict, for an unknown name."""
        _check(table, _PROFILE_TYPES, where, strict=strict)
        tls = table.get("tls")
        if tls is not None:
            _check(tls, _TLS_TYPES, f"{where}.tls", strict=strict)
        return cls(
            address=table.get("address"),
            namespace=table.get("namespace"),
            create_topics=table.get("create_topics"),
            retention=_days(table.get("retention_days"), f"{where}.retention_days"),
            tls=None if tls is None else ClientConfigTLS.from_dict(tls, f"{where}.tls"),
            kafka=dict(table.get("kafka", {})),
        )

    @classmethod
    def load(
        cls,
        profile: str | None = None,
        *,
        config_source: Source | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> Self:
        """The profile of the file with the environment's overrides.

        Raises:
            ConfigError: a file or profile that was asked for is missing, or something in it cannot be read.
        """
        environ: Mapping[str, str] = {} if disable_env else (override_env_vars or os.environ)
        tables = {} if disable_file else _load_tables(config_source, environ)
        name = profile or environ.get("STREAMFLOW_PROFILE")
        table = tables.get(name or DEFAULT_PROFILE)
        if table is None and name is not None:
            known = ", ".join(sorted(tables)) or "none"
            raise ConfigError(f"Expected a profile {name!r} in the configuration, found {known}")
        found = cls.from_dict(
            table or {}, where=f"profile.{name or DEFAULT_PROFILE}", strict=config_file_strict
        )
        return found._overridden(environ)

    def _overridden(self, environ: Mapping[str, str]) -> Self:
        kafka = {
            name.removeprefix(_KAFKA_VARIABLE).lower().replace("_", "."): value
            for name, value in environ.items()
            if name.startswith(_KAFKA_VARIABLE)
        }
        return type(self)(
            address=environ.get("STREAMFLOW_ADDRESS") or self.address,
            namespace=environ.get("STREAMFLOW_NAMESPACE") or self.namespace,
            create_topics=self.create_topics,
            retention=self.retention,
            tls=self.tls,
            kafka={**self.kafka, **kafka},
        )

    def to_client_connect_config(self) -> ClientConnectConfig:
        """Only what is set, so that `Client.connect`'s defaults hold for the rest."""
        connect = ClientConnectConfig(namespace=self.namespace or DEFAULT_NAMESPACE)
        if self.address:
            connect["target_host"] = self.address
        if self.create_topics is not None:
            connect["create_topics"] = self.create_topics
        kafka = {**(self.tls.to_kafka() if self.tls else {}), **self.kafka}
        if kafka:
            connect["config"] = kafka
        return connect


@dataclass(frozen=True)
class ClientConfig:
    """All profiles of a file."""

    profiles: Mapping[str, ClientConfigProfile]

    @classmethod
    def load(
        cls,
        *,
        config_source: Source | None = None,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> Self:
        tables = _load_tables(config_source, override_env_vars or os.environ)
        return cls(
            {
                name: ClientConfigProfile.from_dict(
                    table, where=f"profile.{name}", strict=config_file_strict
                )
                for name, table in tables.items()
            }
        )

    @staticmethod
    def load_client_connect_config(
        profile: str | None = None,
        *,
        config_file: Source | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConnectConfig:
        """Keywords for `Client.connect`: ``await Client.connect(**ClientConfig.load_client_connect_config())``."""
        return ClientConfigProfile.load(
            profile,
            config_source=config_file,
            disable_file=disable_file,
            disable_env=disable_env,
            config_file_strict=config_file_strict,
            override_env_vars=override_env_vars,
        ).to_client_connect_config()


# -- reading ------------------------------------------------------------------------------------------------------

_PROFILE_TYPES: dict[str, type] = {
    "address": str,
    "namespace": str,
    "create_topics": bool,
    "retention_days": int,
    "tls": dict,
    "kafka": dict,
}
_TLS_TYPES: dict[str, type] = {
    "disabled": bool,
    "server_name": str,
    **{
        f"{name}_{form}": str
        for name in ("server_root_ca_cert", "client_cert", "client_key")
        for form in ("path", "data")
    },
}


def _load_tables(source: Source | None, environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    named = source if source is not None else environ.get("STREAMFLOW_CONFIG_FILE")
    if isinstance(named, bytes):
        return _parse(named, "the given text")
    path = Path(named) if named else config_home(environ) / "streamflow.toml"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if named:
            raise ConfigError(f"Expected a configuration file at {path}, found none") from None
        return {}
    except OSError as error:
        raise ConfigError(f"Expected to read {path}, found: {error}") from error
    return _parse(content, str(path))


def _parse(content: bytes, where: str) -> dict[str, dict[str, Any]]:
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"Expected TOML in {where}, found: {error}") from error
    profiles = document.get("profile", {})
    try:
        return msgspec.convert(profiles, dict[str, dict[str, Any]])
    except msgspec.ValidationError:
        raise ConfigError(
            f"Expected tables [profile.NAME] in {where}, found {profiles!r}"
        ) from None


def _check(table: Any, types: Mapping[str, type], where: str, *, strict: bool) -> None:
    for name, value in table.items():
        expected = types.get(name)
        if expected is None and strict:
            raise ConfigError(f"Expected {', '.join(sorted(types))} in {where}, found {name!r}")
        if expected is not None and not isinstance(value, expected):
            raise ConfigError(
                f"Expected {where}.{name} to be a {expected.__name__}, found {value!r}"
            )


def _days(count: int | None, where: str) -> timedelta | None:
    if count is not None and not 1 <= count <= RETENTION_DAYS_MAX:
        raise ConfigError(f"Expected {where} from 1 to {RETENTION_DAYS_MAX}, found {count}")
    return None if count is None else timedelta(days=count)


def _source(table: Mapping[str, Any], name: str, where: str) -> Source | None:
    path, data = table.get(f"{name}_path"), table.get(f"{name}_data")
    if path is not None and data is not None:
        raise ConfigError(f"Expected either {name}_path or {name}_data in {where}, found both")
    if path is not None:
        return Path(path)
    return data.encode() if data is not None else None
