"""Options of ``streamflow gateway``: a flag beats its variable ``STREAMFLOW_GATEWAY_...``, which beats the profile's table.

[profile.prod.gateway]
host = "0.0.0.0"
public_url = "https://flows.example/streamflow"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from streamflow.cli.shared.exits import CommandError, ExitCode


def variable(name: str) -> str:
    return f"STREAMFLOW_GATEWAY_{name.upper()}"


def _flag(name: str, help: str, *, repeated: bool = False) -> Parameter:
    return Parameter(help=help, env_var=variable(name), negative=() if repeated else None)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class GatewayOptions:
    """``None`` leaves an option to the profile, else to its default."""

    host: Annotated[
        str | None,
        _flag("host", "Address to listen on. Default: 127.0.0.1. 0.0.0.0 is every address."),
    ] = None
    port: Annotated[int | None, _flag("port", "Default: 8233. 0 takes any free one.")] = None
    public_url: Annotated[
        str | None,
        _flag(
            "public_url",
            "Where browsers find it behind a proxy: https://HOST[/PATH]. The proxy may keep the path or take it away.",
        ),
    ] = None
    allow_host: Annotated[
        list[str] | None,
        _flag("allow_host", "A further name by which it may be addressed.", repeated=True),
    ] = None
    allow_origin: Annotated[
        list[str] | None,
        _flag("allow_origin", "Origin whose pages may call the API.", repeated=True),
    ] = None
    visibility: Annotated[
        str | None,
        _flag(
            "visibility",
            "Where lists are kept: sqlite:///FILE, or postgresql://..., which many may share. Default: in memory.",
        ),
    ] = None
    drain: Annotated[
        float | None,
        _flag(
            "drain",
            "Seconds between SIGTERM and the end of listening, in which /readyz says no. Default: 0.",
        ),
    ] = None
    access: Annotated[
        str | None,
        _flag("access", "File that says who may what (docs/gateway.md). Default: no login."),
    ] = None
    codec_endpoint: Annotated[
        str | None,
        _flag(
            "codec_endpoint",
            "Codec server that decodes payloads for pages, instead of an App's codec: https://HOST[/{namespace}].",
        ),
    ] = None
    webhooks: Annotated[
        str | None,
        _flag("webhooks", "File that says what other services may deliver (docs/gateway.md)."),
    ] = None
    insecure: Annotated[
        bool | None,
        Parameter(
            help="Listen on another address than loopback although there is no login.",
            env_var=variable("insecure"),
            negative=(),
        ),
    ] = None


NONE = GatewayOptions()


def chosen(given: GatewayOptions, table: Mapping[str, Any]) -> GatewayOptions:
    """What was given, completed from the profile. Raises `CommandError` for what does not belong there."""
    known = {field.name for field in fields(GatewayOptions)}
    if unknown := sorted(set(table) - known):
        raise CommandError(
            f"Expected {', '.join(sorted(known))} in the profile's table `gateway`, found {', '.join(unknown)}",
            ExitCode.USAGE,
        )
    said = {name: getattr(given, name) for name in known}
    merged = {**table, **{name: value for name, value in said.items() if value is not None}}
    try:
        return msgspec.convert(merged, GatewayOptions)
    except msgspec.ValidationError as error:
        raise CommandError(
            f"Expected options of the profile's table `gateway` of their types, found: {error}",
            ExitCode.USAGE,
        ) from error
