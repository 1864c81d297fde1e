"""How a connection is secured, as profiles and the environment say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypedDict

from streamflow.envconfig.environment import Environment
from streamflow.envconfig.reading import ConfigError, DataSource, read_source
from streamflow.service import TLSConfig


class ClientConfigTLSDict(TypedDict, total=False):
    """The same as plain values; certificates are ``{"path": ...}`` or ``{"data": ...}``."""

    disabled: bool | None
    server_name: str
    server_ca_cert: Mapping[str, str]
    client_cert: Mapping[str, str]
    client_key: Mapping[str, str]


SOURCES = {
    "server_ca_cert": "server_root_ca_cert",
    "client_cert": "client_cert",
    "client_key": "client_private_key",
}
TYPES: dict[str, type | tuple[type, ...]] = {
    "disabled": bool,
    "server_name": str,
    "disable_host_verification": bool,
    **{
        f"{name}_{form}": str
        for name in (*SOURCES, "server_root_ca_cert")
        for form in ("path", "data")
    },
}


@dataclass(frozen=True)
class ClientConfigTLS:
    """Certificates and keys are paths, or their PEM text."""

    disabled: bool | None = None
    server_name: str | None = None
    server_root_ca_cert: DataSource | None = None
    client_cert: DataSource | None = None
    client_private_key: DataSource | None = None

    @classmethod
    def from_dict(cls, d: ClientConfigTLSDict | None) -> Self | None:
        """``None`` for nothing."""
        if not d:
            return None
        return cls(
            disabled=d.get("disabled"),
            server_name=d.get("server_name"),
            server_root_ca_cert=_of_dict(d.get("server_ca_cert")),
            client_cert=_of_dict(d.get("client_cert")),
            client_private_key=_of_dict(d.get("client_key")),
        )

    def to_dict(self) -> ClientConfigTLSDict:
        """Only what is set."""
        d: ClientConfigTLSDict = {}
        if self.disabled is not None:
            d["disabled"] = self.disabled
        if self.server_name is not None:
            d["server_name"] = self.server_name
        if self.server_root_ca_cert is not None:
            d["server_ca_cert"] = _to_dict(self.server_root_ca_cert)
        if self.client_cert is not None:
            d["client_cert"] = _to_dict(self.client_cert)
        if self.client_private_key is not None:
            d["client_key"] = _to_dict(self.client_private_key)
        return d

    @classmethod
    def from_table(cls, table: Mapping[str, Any], where: str) -> Self:
        """Of a file. Raises `ConfigError` for a certificate that is given twice."""
        ca = _of_table(table, "server_ca_cert", where)
        return cls(
            disabled=table.get("disabled"),
            server_name=table.get("server_name"),
            server_root_ca_cert=ca or _of_table(table, "server_root_ca_cert", where),
            client_cert=_of_table(table, "client_cert", where),
            client_private_key=_of_table(table, "client_key", where),
        )

    def overridden(self, environ: Environment) -> ClientConfigTLS:
        """With what the environment says."""
        found = {
            field: _of_table(
                {
                    f"{name}_{form.lower()}": value
                    for form in ("PATH", "DATA")
                    if (value := environ.get(f"TLS_{name.upper()}_{form}"))
                },
                name,
                "the environment",
            )
            or getattr(self, field)
            for name, field in SOURCES.items()
        }
        switch = environ.get("TLS")
        disabled = self.disabled if switch is None else not _is_true(switch)
        return ClientConfigTLS(
            disabled=disabled,
            server_name=environ.get("TLS_SERVER_NAME") or self.server_name,
            **found,
        )

    def to_connect_tls_config(self) -> bool | TLSConfig:
        """What `Client.connect` takes. Raises `ConfigError` for a file that cannot be read."""
        if self.disabled:
            return False
        return TLSConfig(
            domain=self.server_name,
            server_root_ca_cert=read_source(self.server_root_ca_cert),
            client_cert=read_source(self.client_cert),
            client_private_key=read_source(self.client_private_key),
        )


def _of_dict(d: Mapping[str, Any] | None) -> DataSource | None:
    if not d:
        return None
    if "data" in d:
        data: str | bytes = d["data"]
        return data
    return Path(d["path"]) if "path" in d else None


def _to_dict(source: DataSource) -> Mapping[str, str]:
    match source:
        case Path():
            return {"path": str(source)}
        case bytes():
            return {"data": source.decode()}
        case str():
            return {"data": source}


def _of_table(table: Mapping[str, Any], name: str, where: str) -> DataSource | None:
    path, data = table.get(f"{name}_path"), table.get(f"{name}_data")
    if path is not None and data is not None:
        raise ConfigError(
            f"Cannot specify both {name}_path and {name}_data in {where}: expected one of them, found both"
        )
    if path is not None:
        return Path(path)
    return None if data is None else str(data).encode()


def _is_true(text: str) -> bool:
    if text.lower() in ("true", "1", "yes", "on"):
        return True
    if text.lower() in ("false", "0", "no", "off"):
        return False
    raise ConfigError(f"Expected true or false in the variable ..._TLS, found {text!r}")
