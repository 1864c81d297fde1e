"""Profiles: one way to connect each, of a file, overridden by the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypedDict

from streamflow.envconfig import tls as security
from streamflow.envconfig.environment import Environment
from streamflow.envconfig.reading import ConfigError, DataSource, check, load_tables
from streamflow.envconfig.tls import ClientConfigTLS, ClientConfigTLSDict
from streamflow.service import ConnectConfig, TLSConfig

DEFAULT_PROFILE = "default"
RETENTION_DAYS_MAX = 36_500
_KAFKA_VARIABLE = "STREAMFLOW_KAFKA_"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "address": str,
    "namespace": str,
    "api_key": str,
    "create_topics": bool,
    "retention_days": int,
    "tls": (dict, bool),
    "grpc_meta": dict,
    "kafka": dict,
    "gateway": dict,
}


class ClientConnectConfig(TypedDict, total=False):
    """Keywords of `Client.connect`."""

    target_host: str
    namespace: str
    api_key: str
    tls: bool | TLSConfig
    rpc_metadata: Mapping[str, str]
    create_topics: bool
    config: Mapping[str, Any]


class ClientConfigProfileDict(TypedDict, total=False):
    """A profile as plain values."""

    address: str
    namespace: str
    api_key: str
    tls: ClientConfigTLSDict
    grpc_meta: Mapping[str, str]
    create_topics: bool
    kafka: Mapping[str, Any]


@dataclass(frozen=True)
class ClientConfigProfile:
    """One way to connect. ``None`` leaves a setting to its default."""

    address: str | None = None
    namespace: str | None = None
    api_key: str | None = None
    """Of a gateway."""
    tls: ClientConfigTLS | None = None
    grpc_meta: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers of every call to a gateway."""
    create_topics: bool | None = None
    retention: timedelta | None = None
    """How long closed runs of the namespace are kept by workers that are not told otherwise."""
    kafka: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Options of librdkafka."""
    gateway: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Options of `streamflow gateway`, which knows their names."""

    @classmethod
    def from_dict(cls, d: ClientConfigProfileDict) -> Self:
        return cls(
            address=d.get("address"),
            namespace=d.get("namespace"),
            api_key=d.get("api_key"),
            tls=ClientConfigTLS.from_dict(d.get("tls")),
            grpc_meta=d.get("grpc_meta") or {},
            create_topics=d.get("create_topics"),
            kafka=d.get("kafka") or {},
        )

    def to_dict(self) -> ClientConfigProfileDict:
        """Only what is set."""
        d: ClientConfigProfileDict = {}
        if self.address is not None:
            d["address"] = self.address
        if self.namespace is not None:
            d["namespace"] = self.namespace
        if self.api_key is not None:
            d["api_key"] = self.api_key
        if self.tls is not None and (found := self.tls.to_dict()):
            d["tls"] = found
        if self.grpc_meta:
            d["grpc_meta"] = self.grpc_meta
        if self.create_topics is not None:
            d["create_topics"] = self.create_topics
        if self.kafka:
            d["kafka"] = self.kafka
        return d

    @classmethod
    def from_table(cls, table: Mapping[str, Any], *, where: str, strict: bool = False) -> Self:
        """Of a file. Raises `ConfigError` for a value of another type and, if strict, for an unknown name."""
        check(table, _TYPES, where, strict=strict)
        found = table.get("tls")
        if isinstance(found, bool):
            found = {"disabled": not found}
        if found is not None:
            check(found, security.TYPES, f"{where}.tls", strict=strict)
        return cls(
            address=table.get("address"),
            namespace=table.get("namespace"),
            api_key=table.get("api_key"),
            tls=None if found is None else ClientConfigTLS.from_table(found, f"{where}.tls"),
            grpc_meta={
                name.lower().replace("_", "-"): str(value)
                for name, value in table.get("grpc_meta", {}).items()
            },
            create_topics=table.get("create_topics"),
            retention=_days(table.get("retention_days"), f"{where}.retention_days"),
            kafka=dict(table.get("kafka", {})),
            gateway=dict(table.get("gateway", {})),
        )

    @classmethod
    def load(
        cls,
        profile: str | None = None,
        *,
        config_source: DataSource | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> Self:
        """The profile of the file with the environment's overrides.

        Args:
            profile: Default: what the environment names, else ``default``, which need not exist.
            config_source: A path, or the text itself. Default: the file that the environment names, else our own.
            override_env_vars: Variables to look at instead of the process's.

        Raises:
            ConfigError: a file or profile that was asked for is missing, or something in it cannot be read.
        """
        if disable_file and disable_env:
            raise ConfigError(
                "Cannot disable both file and environment: expected one of them to load from, found neither"
            )
        variables: Mapping[str, str] = {}
        if not disable_env:
            variables = os.environ if override_env_vars is None else override_env_vars
        environ = Environment(variables)
        tables: Mapping[str, Mapping[str, Any]] = {}
        if config_source is not None or not disable_file:
            tables = load_tables(config_source, environ)
        name = profile or environ.get("PROFILE")
        table = tables.get(name or DEFAULT_PROFILE)
        if table is None and name is not None and name != DEFAULT_PROFILE:
            known = ", ".join(sorted(tables)) or "none"
            raise ConfigError(
                f"Profile '{name}' not found: expected it in the configuration, found {known}"
            )
        where = f"profile.{name or DEFAULT_PROFILE}"
        found = cls.from_table(table or {}, where=where, strict=config_file_strict)
        return found._overridden(environ)

    def _overridden(self, environ: Environment) -> Self:
        kafka = {
            name.removeprefix(_KAFKA_VARIABLE).lower().replace("_", "."): value
            for name, value in environ.variables.items()
            if name.startswith(_KAFKA_VARIABLE)
        }
        meta = {
            name.lower().replace("_", "-"): value
            for name, value in environ.beginning_with("GRPC_META_").items()
        }
        merged = {**self.grpc_meta, **meta}
        tls = (self.tls or ClientConfigTLS()).overridden(environ)
        api_key = environ.get("API_KEY") or self.api_key
        # A key must not travel in the open: one is enough to have TLS, unless that is switched off.
        has_tls = tls != ClientConfigTLS() or self.tls is not None or api_key is not None
        return type(self)(
            address=environ.get("ADDRESS") or self.address,
            namespace=environ.get("NAMESPACE") or self.namespace,
            api_key=api_key,
            tls=tls if has_tls else None,
            grpc_meta={name: value for name, value in merged.items() if value},
            create_topics=self.create_topics,
            retention=self.retention,
            kafka={**self.kafka, **kafka},
            gateway=self.gateway,
        )

    def to_client_connect_config(self) -> ClientConnectConfig:
        """Only what is set, so that `Client.connect`'s defaults hold for the rest."""
        connect = ClientConnectConfig()
        if self.address:
            connect["target_host"] = self.address
        if self.namespace is not None:
            connect["namespace"] = self.namespace
        if self.api_key is not None:
            connect["api_key"] = self.api_key
            connect["tls"] = True
        if self.tls is not None and self.tls != ClientConfigTLS():
            connect["tls"] = self.tls.to_connect_tls_config()
        elif self.tls is not None:
            connect["tls"] = True
        if self.grpc_meta:
            connect["rpc_metadata"] = self.grpc_meta
        if self.create_topics is not None:
            connect["create_topics"] = self.create_topics
        if self.kafka:
            connect["config"] = self.kafka
        return connect

    def kafka_options(self) -> dict[str, Any]:
        """All of librdkafka's options, those that TLS becomes among them."""
        tls = None if self.tls is None else self.tls.to_connect_tls_config()
        return ConnectConfig(target_host=self.address or "", tls=tls, config=self.kafka).kafka()


@dataclass
class ClientConfig:
    """All profiles of a file."""

    profiles: Mapping[str, ClientConfigProfile]

    def to_dict(self) -> Mapping[str, ClientConfigProfileDict]:
        return {name: profile.to_dict() for name, profile in self.profiles.items()}

    @classmethod
    def from_dict(cls, d: Mapping[str, Mapping[str, Any]]) -> Self:
        return cls(
            {
                name: ClientConfigProfile.from_dict(ClientConfigProfileDict(**profile))  # type: ignore[typeddict-item]  # plain values from anywhere
                for name, profile in d.items()
            }
        )

    @classmethod
    def load(
        cls,
        *,
        config_source: DataSource | None = None,
        disable_file: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> Self:
        """As they stand in the file: the environment only says where it is. With ``disable_file`` none at all."""
        if disable_file and config_source is None:
            return cls({})
        environ = os.environ if override_env_vars is None else override_env_vars
        tables = load_tables(config_source, Environment(environ))
        return cls(
            {
                name: ClientConfigProfile.from_table(
                    table, where=f"profile.{name}", strict=config_file_strict
                )
                for name, table in tables.items()
            }
        )

    @staticmethod
    def load_client_connect_config(
        profile: str | None = None,
        *,
        config_file: str | Path | bytes | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConnectConfig:
        """Keywords for `Client.connect`: ``await Client.connect(**ClientConfig.load_client_connect_config())``.

        ``config_file`` is a path, also as text; bytes are the file's content.
        """
        source = Path(config_file) if isinstance(config_file, str) else config_file
        return ClientConfigProfile.load(
            profile,
            config_source=None if disable_file else source,
            disable_file=disable_file,
            disable_env=disable_env,
            config_file_strict=config_file_strict,
            override_env_vars=override_env_vars,
        ).to_client_connect_config()


def _days(count: int | None, where: str) -> timedelta | None:
    if count is not None and not 1 <= count <= RETENTION_DAYS_MAX:
        raise ConfigError(f"Expected {where} from 1 to {RETENTION_DAYS_MAX}, found {count}")
    return None if count is None else timedelta(days=count)
